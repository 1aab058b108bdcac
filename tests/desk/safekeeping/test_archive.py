# SPDX-License-Identifier: AGPL-3.0-or-later
"""A backup comes back as it was, or says in one sentence why it does not."""

from __future__ import annotations

import io
import os
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import msgspec
import pyrage
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tamizdat.config import Newsroom
from tamizdat.desk.readers import keyring
from tamizdat.desk.safekeeping import archive, contents
from tamizdat.desk.safekeeping.archive import Entry, Header, Member
from tamizdat.desk.safekeeping.errors import (
    BackupError,
    BrokenError,
    DumpError,
    IdentityError,
    TargetError,
)

OPERATOR = pyrage.x25519.Identity.generate()
HEADER = Header(newsroom="The Meridian", made="2026-11-22T21:00:00+00:00", database="sqlite")


@pytest.fixture
def newsroom(tmp_path: Path) -> Newsroom:
    """A folder with one of everything, as it might lie there."""
    folder = tmp_path / "newsroom"
    for name, data in {
        "tamizdat.toml": b'name = "The Meridian"\naddress = "https://meridian.example"\n',
        "secrets/desk-key": b"k" * 64,
        "secrets/operator-recipient": str(OPERATOR.to_public()).encode(),
        "secrets/vault-key.age": b"the key",
        "secrets/.vault-lock": b"",
        "media/originals/large.jpg": os.urandom(300_000),
        "media/пусто.txt": b"",
        f"media/{'long-' * 30}name.jpg": b"x" * 512,
        "edition/metadata/1.root.json": b"{}",
        "edition/tree/en/index.html": b"made again",
        "run/audit-anchors.log": b"",
        "run/desk.log": b"not kept",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    with closing(sqlite3.connect(folder / "desk.sqlite3")) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE story (id INTEGER PRIMARY KEY, text TEXT)")
        database.executemany("INSERT INTO story (text) VALUES (?)", [["a"], ["b"], ["c"]])
        database.commit()
    return Newsroom(folder)


@pytest.fixture
def backup(newsroom: Newsroom, tmp_path: Path) -> Path:
    return contents.back_up(newsroom, tmp_path / "one.tamizdat").backup


KEPT = {
    *("tamizdat.toml", "desk.sqlite3", "secrets/desk-key", "secrets/operator-recipient"),
    *("media/originals/large.jpg", "media/пусто.txt", f"media/{'long-' * 30}name.jpg"),
    *("edition/metadata/1.root.json", "run/audit-anchors.log"),
}


def files(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_what_cannot_be_made_again_comes_back_byte_by_byte(
    newsroom: Newsroom, backup: Path, tmp_path: Path
) -> None:
    back = tmp_path / "deep" / "back"
    contents.restore(backup, back, [OPERATOR])
    assert files(back) == KEPT
    for name in KEPT - {"desk.sqlite3"}:
        assert (back / name).read_bytes() == (newsroom.folder / name).read_bytes(), name
    with closing(sqlite3.connect(back / "desk.sqlite3")) as database:
        assert [row[0] for row in database.execute("SELECT text FROM story")] == ["a", "b", "c"]
    assert (back / "secrets").stat().st_mode & 0o777 == 0o700
    assert not list(tmp_path.glob("deep/.*"))


def test_the_key_to_readers_addresses_lies_apart(newsroom: Newsroom, tmp_path: Path) -> None:
    done = contents.back_up(newsroom, tmp_path)
    assert done.backup.parent == tmp_path
    assert done.key == Path(f"{done.backup}.vault-key")
    assert done.key.read_bytes() == b"the key"
    _, members = contents.verify(done.backup, [OPERATOR])
    assert {member.name for member in members} == KEPT


def test_looking_at_a_backup_lays_no_secret_in_a_temporary_folder(
    backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: set[str] = set()
    look = contents._check_contents

    def noting(folder: Path, header: Header) -> None:
        seen.update(files(folder))
        look(folder, header)

    monkeypatch.setattr(contents, "_check_contents", noting)
    _, members = contents.verify(backup, [OPERATOR])
    assert seen == {"tamizdat.toml", "desk.sqlite3"}
    assert {member.name for member in members} == KEPT


def test_the_vault_key_is_put_back_only_where_it_fits(
    newsroom: Newsroom, backup: Path, tmp_path: Path
) -> None:
    stranger = tmp_path / "stranger"
    stranger.write_bytes(pyrage.encrypt(b"{}", [OPERATOR.to_public()]))
    with pytest.raises(IdentityError, match="not the vault's key"):
        contents.restore(backup, tmp_path / "back", [OPERATOR], key=stranger)
    assert not (tmp_path / "back").exists()
    ring = keyring.Keyring(current=1, keys={1: keyring.new_key()})
    sealed = pyrage.encrypt(msgspec.json.encode(ring), [OPERATOR.to_public()])
    (tmp_path / "right").write_bytes(sealed)
    contents.restore(backup, tmp_path / "back", [OPERATOR], key=tmp_path / "right")
    assert (tmp_path / "back" / "secrets" / "vault-key.age").read_bytes() == sealed


def test_a_backup_is_taken_while_others_write(newsroom: Newsroom, tmp_path: Path) -> None:
    with closing(sqlite3.connect(newsroom.database)) as busy:
        busy.execute("INSERT INTO story (text) VALUES ('not said yet')")  # Not committed.
        done = contents.back_up(newsroom, tmp_path / "busy.tamizdat")
        busy.commit()
    contents.restore(done.backup, tmp_path / "back", [OPERATOR])
    with closing(sqlite3.connect(tmp_path / "back" / "desk.sqlite3")) as database:
        assert database.execute("SELECT count(*) FROM story").fetchone() == (3,)


def test_nothing_is_written_over_and_nothing_into_itself(
    newsroom: Newsroom, backup: Path, tmp_path: Path
) -> None:
    before = backup.read_bytes()
    with pytest.raises(TargetError, match="exists"):
        contents.back_up(newsroom, backup)
    assert backup.read_bytes() == before
    with pytest.raises(TargetError, match="inside"):
        contents.back_up(newsroom, newsroom.folder / "b")
    with pytest.raises(TargetError, match="not empty"):
        contents.restore(backup, newsroom.folder, [OPERATOR])
    (tmp_path / "empty").mkdir()
    contents.restore(backup, tmp_path / "empty", [OPERATOR])
    assert files(tmp_path / "empty") == KEPT


def test_a_backup_that_fails_leaves_nothing_behind(newsroom: Newsroom, tmp_path: Path) -> None:
    newsroom.database.write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(DumpError):
        contents.back_up(newsroom, tmp_path / "b")
    assert not list(tmp_path.glob("*b*"))
    assert not list(newsroom.run.glob(".backup-*"))
    (newsroom.run / ".backup-999999999-killed").mkdir()
    with pytest.raises(DumpError):
        contents.back_up(newsroom, tmp_path / "b")
    assert not list(newsroom.run.glob(".backup-*"))


@pytest.mark.parametrize("keep", [0, 10, 200, 3000, -1, -20, -70_000])
def test_a_backup_that_was_cut_off_is_refused(backup: Path, tmp_path: Path, keep: int) -> None:
    backup.write_bytes(backup.read_bytes()[:keep])
    with pytest.raises(BrokenError, match=r"damaged or cut off|not a backup"):
        contents.restore(backup, tmp_path / "back", [OPERATOR])
    assert not (tmp_path / "back").exists()


def test_what_is_no_backup_or_somebody_elses_is_said_to_be_so(backup: Path, tmp_path: Path) -> None:
    with pytest.raises(IdentityError, match="another operator"):
        contents.verify(backup, [pyrage.x25519.Identity.generate()])
    for data in (b"", b"PK\3\4 not ours", pyrage.encrypt(b"hello", [OPERATOR.to_public()])):
        (tmp_path / "foreign").write_bytes(data)
        with pytest.raises(BrokenError):
            contents.verify(tmp_path / "foreign", [OPERATOR])
    with pytest.raises(FileNotFoundError):
        contents.verify(tmp_path / "missing", [OPERATOR])
    (tmp_path / "id").write_text("# created: today\nnothing\n")
    with pytest.raises(IdentityError, match="no age identity"):
        contents.identities_in(tmp_path / "id")
    (tmp_path / "id").write_text(f"# created: today\n{OPERATOR}\n")
    assert len(contents.identities_in(tmp_path / "id")) == 1


def sealed_tar(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """What somebody might write who has only the operator's recipient."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for info, data in members:
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return bytes(pyrage.encrypt(out.getvalue(), [OPERATOR.to_public()]))


def info(name: str, kind: bytes = tarfile.REGTYPE) -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type, found.linkname = kind, "/etc/passwd" if kind == tarfile.SYMTYPE else ""
    return found


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("../outside", tarfile.REGTYPE),
        ("/tmp/outside", tarfile.REGTYPE),
        ("media/../../outside", tarfile.REGTYPE),
        ("./media/x", tarfile.REGTYPE),
        ("media/link", tarfile.SYMTYPE),
        ("media/pipe", tarfile.FIFOTYPE),
        ("media", tarfile.DIRTYPE),
    ],
)
def test_a_forged_backup_writes_nowhere_else(tmp_path: Path, name: str, kind: bytes) -> None:
    head = (info(archive.HEADER), msgspec.json.encode(HEADER))
    forged = tmp_path / "forged"
    forged.write_bytes(sealed_tar(head, (info(name, kind), b"")))
    with pytest.raises(BrokenError, match="does not belong"):
        contents.restore(forged, tmp_path / "deep" / "back", [OPERATOR])
    assert {path.name for path in tmp_path.rglob("*")} <= {"forged", "deep"}


def test_a_manifest_that_names_something_else_is_refused(tmp_path: Path) -> None:
    head = (info(archive.HEADER), msgspec.json.encode(HEADER))
    lie = msgspec.json.encode([Member("media/x", 1, "0" * 64)])
    forged = tmp_path / "forged"
    forged.write_bytes(sealed_tar(head, (info("media/x"), b"y"), (info(archive.MANIFEST), lie)))
    with pytest.raises(BrokenError, match="manifest"):
        contents.restore(forged, tmp_path / "back", [OPERATOR])


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_files_go_in_and_come_out(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("any")
    part = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/"),
                   min_size=1, max_size=40).filter(lambda s: s not in (".", ".."))  # fmt: skip
    names = data.draw(
        st.lists(part.filter(lambda s: len(s.encode()) < 200), unique_by=str.casefold, max_size=6)
    )
    entries = []
    for number, name in enumerate(names):
        path = folder / str(number)
        path.write_bytes(data.draw(st.binary(max_size=2000)))
        entries.append(Entry(f"media/{name}", path))
    made = archive.write(folder / "b", HEADER, entries, [OPERATOR.to_public()])
    out = folder / "out"
    out.mkdir()
    header, members = archive.read(folder / "b", [OPERATOR], out)
    assert (header, members) == (HEADER, made)
    for entry in entries:
        assert (out / entry.name).read_bytes() == entry.path.read_bytes()


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(at=st.integers(0, 10**9), bit=st.integers(0, 7))
def test_a_bit_that_fell_over_is_noticed(backup: Path, tmp_path: Path, at: int, bit: int) -> None:
    broken = bytearray(backup.read_bytes())
    broken[at % len(broken)] ^= 1 << bit
    (tmp_path / "broken").write_bytes(broken)
    with pytest.raises(BackupError):
        archive.read(tmp_path / "broken", [OPERATOR], None)
