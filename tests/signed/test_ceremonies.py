# SPDX-License-Identifier: AGPL-3.0-or-later
"""The drills: a key is lost or stolen, and readers who were there before follow along."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from tamizdat.edition.signed import ceremony, keys, layout, roles, seal, summary
from tamizdat.edition.signed.client import SignedReader
from tamizdat.edition.signed.errors import CeremonyError, KeyFileError, TamperedError, VerifyError
from tamizdat.edition.signed.folder import Folder, recompute
from tamizdat.edition.signed.request import Request
from tamizdat.edition.signed.shards import PER_SHARD_SEALED, Record, depth_for, key_of
from tamizdat.edition.signed.signer import NEXT_KEY, PENDING, Signer
from tamizdat.edition.store import Store
from tests.edition.papers import make_story
from tests.signed.newsroom import Newsroom


@pytest.fixture
def room(tmp_path: Path) -> Newsroom:
    return Newsroom(tmp_path).found().build()


def new_key(room: Newsroom, holder: str) -> keys.KeyFile:
    """A key that a holder made at home (its secret half stays with the test)."""
    key = room.holders[holder] = keys.generate()
    return keys.KeyFile(
        newsroom="The Lantern",
        holder=holder,
        keyid=key.public_key.keyid,
        public=keys.public_hex(key),
        secret="",
    )


def sealed(room: Newsroom) -> Request:
    with Store(room.desk.folder.path).exclusive():
        return seal.prepare(room.open_desk(), room.now)


# The drills


def test_drill_one_offline_key_is_lost(room: Newsroom) -> None:
    reader, old = room.reader("iva"), room.holders["anna"]
    room.finish(sealed(room), "anna", "ben")
    room.check(reader)
    request = ceremony.prepare_holder(room.desk, "anna", new_key(room, "dora"), room.now)
    room.finish(request, "ben", "cleo")
    room.check(reader)
    room.check(room.reader("new", root=room.root))
    room.publish(20)
    room.check(reader)

    later = ceremony.prepare_renewal(room.desk, room.now)
    with pytest.raises(CeremonyError, match="not one of the holders"):
        ceremony.sign(later, old)
    room.finish(later, "dora", "ben")
    room.check(reader)
    assert sorted(room.desk.holders().values()) == ["ben", "cleo", "dora"]


def test_drill_the_online_key_is_lost(room: Newsroom) -> None:
    reader = room.reader("iva")
    room.check(reader)
    room.desk.key_file.unlink()
    room.publish(20)
    assert reader.refresh().number == 1
    room.finish(ceremony.prepare_online(room.desk, room.now), "anna", "cleo")
    room.check(reader)
    assert room.publish(21) == []
    room.check(reader)
    assert not room.desk.key_file.with_name(NEXT_KEY).exists()


def forge(room: Newsroom, copy: Path) -> None:
    """What a thief does with the online key: other text at an address, and versions so high that
    nothing of ours would be newer."""
    key = keys.read_online(room.desk.key_file)
    folder = Folder(copy)
    signer = Signer(copy, room.desk.key_file, clock=room.clock)
    offline, path = signer.offline(), make_story(3).path
    false = b"<p>Everything is fine.</p>"
    sha256 = msgspec.json.decode(b'"' + Store.digest(false).encode() + b'"', type=str)
    folder.write(layout.object_name(sha256), false)
    slot = key_of(path) + bytes.fromhex(sha256) + len(false).to_bytes(4, "big")
    slot += (9_000_000).to_bytes(3, "big") + bytes(2) + b"\x01"
    high = 16_000_000
    record = folder.write_index([slot])._replace(edition=high, since=high)
    base = Record(0, 0, high, record.built, 0, bytes(32))
    contents = {
        layout.RECENT: record.encode(),
        layout.BASE: base.encode(),
        layout.MIRRORS: b'{"format":1,"mirrors":[]}',
    }
    for name, data in contents.items():
        folder.put_target(name, data)
    version = (1 << 31) - 1
    live = roles.live(version, contents, key, room.now)
    snapshot = roles.snapshot(version, offline, version, key, room.now)
    folder.write(layout.metadata_name("live", version), roles.encode(live))
    folder.write(layout.metadata_name("snapshot", version), roles.encode(snapshot))
    stamp = roles.timestamp(version, version, key, room.now)
    folder.write(layout.TIMESTAMP, roles.encode(stamp))
    (copy / layout.CURRENT).unlink()


def test_drill_a_thief_with_the_online_key_is_thrown_out(room: Newsroom) -> None:
    room.finish(sealed(room), "anna", "ben")
    stolen = room.copy("stolen")
    forge(room, stolen)
    reader, path = room.reader("iva", stolen), make_story(3).path
    reader.refresh()
    proof = reader.find(path)
    assert reader.read(path) == b"<p>Everything is fine.</p>"
    assert proof.changed_after_sealing, "even then the reader is told"
    reader = room.reader("iva")
    with pytest.raises(VerifyError):
        reader.refresh()

    room.finish(ceremony.prepare_online(room.desk, room.now), "ben", "cleo")
    reader = room.reader("iva")
    room.check(reader)
    assert b"Everything is fine" not in reader.read(path)
    room.publish(20)
    room.check(reader)
    with pytest.raises(VerifyError):
        room.reader("iva", stolen).refresh()
    room.check(reader)


def test_drill_a_thief_who_also_wrote_into_our_folder_is_thrown_out(room: Newsroom) -> None:
    reader = room.reader("iva")
    room.check(reader)
    forge(room, room.desk.folder.path)
    reader.refresh()
    room.finish(ceremony.prepare_online(room.desk, room.now), "ben", "cleo")
    room.publish(20)
    room.check(reader)
    assert b"Everything is fine" not in reader.read(make_story(3).path)


# What the rules refuse


def test_one_holder_alone_changes_nothing(room: Newsroom) -> None:
    before = (room.desk.folder.path / layout.TIMESTAMP).read_bytes()
    requests = [
        ceremony.prepare_online(room.desk, room.now),
        ceremony.prepare_site(room.desk, b'{"format":1}', room.now),
        ceremony.prepare_renewal(room.desk, room.now),
        sealed(room),
    ]
    for request in requests:
        with pytest.raises(CeremonyError, match="not enough holders signed"):
            room.finish(request, "anna")
        with pytest.raises(CeremonyError, match="not enough holders signed"):
            room.finish(request, "anna", "anna")
    assert (room.desk.folder.path / layout.TIMESTAMP).read_bytes() == before


def test_a_request_prepared_before_another_ceremony_is_refused(room: Newsroom) -> None:
    old = ceremony.prepare_renewal(room.desk, room.now)
    room.finish(ceremony.prepare_site(room.desk, b'{"format":1}', room.now), "anna", "ben")
    with pytest.raises(CeremonyError, match="prepare it again"):
        room.finish(old, "anna", "ben")


@pytest.mark.parametrize(
    "change",
    [
        lambda after: after["root"]["signed"]["roles"]["root"].update(threshold=1),
        lambda after: after["targets"]["signed"]["delegations"]["roles"][0].update(paths=["*"]),
        lambda after: after["targets"]["signed"].update(extra="word"),
        lambda after: after["root"]["signed"].update(consistent_snapshot=False),
        lambda after: after["root"]["signed"].update(version=7),
        lambda after: after["targets"]["signed"]["targets"]["site.json"].update(length=9999999),
    ],
)
def test_a_holder_signs_nothing_that_is_not_shown(room: Newsroom, change: object) -> None:
    request = ceremony.prepare_online(room.desk, room.now)
    after = msgspec.json.decode(msgspec.json.encode(request.after))
    change(after)  # type: ignore[operator]  # a table of functions
    with pytest.raises(CeremonyError):
        ceremony.sign(msgspec.structs.replace(request, after=after), room.holders["anna"])


def test_a_request_on_keys_that_were_never_in_force_is_refused(
    room: Newsroom, tmp_path: Path
) -> None:
    other = Newsroom(tmp_path / "other").found().build(3)
    request = ceremony.prepare_online(other.desk, other.now)
    with pytest.raises(CeremonyError, match="not one of the holders"):
        ceremony.sign(request, room.holders["anna"])
    request.before["root"]["signatures"] = request.before["root"]["signatures"][:1]
    with pytest.raises(CeremonyError, match="is not signed"):
        ceremony.sign(request, other.holders["anna"])


def test_the_words_name_what_changes(room: Newsroom) -> None:
    said = "\n".join(summary.words(ceremony.prepare_online(room.desk, room.now)))
    assert "signs nothing any more" in said
    said = "\n".join(
        summary.words(ceremony.prepare_holder(room.desk, "ben", new_key(room, "dora"), room.now))
    )
    assert "of ben counts no more" in said
    assert "of dora signs from now on" in said
    site = b'{"format":1,"name":"The Lantern","recipient":"age1x"}'
    said = "\n".join(summary.words(ceremony.prepare_site(room.desk, site, room.now)))
    assert 'recipient: – becomes "age1x"' in said
    request = msgspec.structs.replace(ceremony.prepare_site(room.desk, site, room.now), site="{}")
    with pytest.raises(CeremonyError, match="shows another"):
        ceremony.examine(request)
    assert "addresses, all up to edition 1" in "\n".join(summary.words(sealed(room)))


def test_request_files_that_are_damaged_say_so(room: Newsroom, tmp_path: Path) -> None:
    data = ceremony.prepare_renewal(room.desk, room.now).encode()
    for broken in (b"", b"{}", data[:200], data.replace(b'"root"', b'"toot"')):
        with pytest.raises(CeremonyError):
            ceremony.examine(Request.decode(broken, tmp_path / "request.json"))


def test_a_ceremony_that_was_cut_short_is_finished_by_the_next_run(
    room: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = room.reader("iva")
    room.check(reader)
    with monkeypatch.context() as patch:
        patch.setattr(Signer, "_publish", _fail)
        with pytest.raises(OSError, match="the disk"):
            room.finish(ceremony.prepare_online(room.desk, room.now), "anna", "ben")
    assert (room.desk.folder.path / PENDING).exists()
    reader.refresh()
    with pytest.raises(CeremonyError, match="not in force yet"):
        ceremony.prepare_renewal(room.desk, room.now)
    assert room.publish(20) == []
    assert not (room.desk.folder.path / PENDING).exists()
    room.check(reader)


def _fail(*_: object, **__: object) -> None:
    raise OSError("the disk")


# The archive


def test_sealing_empties_base_and_recent_and_readers_see_no_difference(room: Newsroom) -> None:
    reader = room.reader("iva")
    room.publish(20)
    room.check(reader)
    room.finish(sealed(room), "anna", "cleo")
    signed, archive = (
        room.desk.signer.signed(),
        room.desk.signer.archive(room.desk.signer.offline()),
    )
    assert signed is not None
    assert archive is not None
    assert (signed.recent.count, signed.base.count) == (0, 0)
    assert archive.count > 20
    assert archive.depth == depth_for(archive.count, PER_SHARD_SEALED)
    room.check(reader)
    room.check(room.reader("new"))


def test_what_changes_after_sealing_lies_over_the_archive_and_says_so(room: Newsroom) -> None:
    reader = room.reader("iva")
    room.finish(sealed(room), "anna", "cleo")
    room.now += timedelta(days=40)
    room.publish(3, version=2, headline="Corrected")
    room.publish(4, version=2, withdrawn=True)
    room.publish(20)
    room.check(reader)
    corrected, other = (reader.find(make_story(n).path) for n in (3, 7))
    assert corrected.changed_after_sealing
    assert corrected.slot is not None
    assert corrected.slot.day == layout.day_number(room.now)
    assert (other.index, other.changed_after_sealing) == ("archive", False)
    del room.stories[5]
    room.whole()
    room.check(reader)
    gone = reader.find(make_story(5).path)
    assert gone.slot is not None
    assert gone.slot.status == layout.GONE
    assert not gone.found
    room.finish(sealed(room), "ben", "cleo")
    room.check(reader)
    assert reader.find(make_story(5).path).slot is None


def test_publishing_goes_on_while_the_holders_sign(room: Newsroom) -> None:
    reader, request = room.reader("iva"), sealed(room)
    for number in range(20, 26):
        room.publish(number)
    room.check(reader)
    room.finish(request, "anna", "ben")
    room.check(reader)
    signed = room.desk.signer.signed()
    assert signed is not None
    assert 0 < signed.base.count < 60


def test_a_holder_computes_the_archive_from_a_copy(room: Newsroom, tmp_path: Path) -> None:
    request = sealed(room)
    record = Record.decode(bytes.fromhex(request.record))
    copy = room.copy("stick")
    recompute(copy, record)
    shard = next((copy / "shards" / record.root.hex()).rglob("00*1"))
    kept = shard.read_bytes()
    shard.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    with pytest.raises(TamperedError):
        recompute(copy, record)
    shutil.rmtree(shard.parent)
    with pytest.raises(TamperedError, match="lacks"):
        recompute(copy, record)


# Restoring


def test_a_paper_built_again_from_backups_goes_on_with_its_numbers(room: Newsroom) -> None:
    reader = room.reader("iva")
    room.finish(sealed(room), "anna", "cleo")
    for number in range(20, 24):
        room.publish(number)
    room.check(reader)
    kept = room.folder / "backup"
    paper = room.desk.folder.path
    for part in ("metadata", "targets", "shards"):
        shutil.copytree(paper / part, kept / part)
    shutil.rmtree(paper)
    shutil.copytree(kept, paper)
    room.whole()
    room.check(reader)


# Key files


def test_a_key_file_opens_with_its_passphrase_only(tmp_path: Path) -> None:
    key, path = keys.generate(), tmp_path / "anna.key"
    data = keys.seal(key, holder="anna", newsroom="The Lantern", passphrase="six words at random")
    keys.write_private(path, data)
    assert path.stat().st_mode & 0o777 == 0o600
    assert b"PRIVATE" not in data
    file = keys.read(path)
    assert keys.public_hex(keys.unseal(file, "six words at random")) == file.public
    with pytest.raises(KeyFileError, match="does not open"):
        keys.unseal(file, "six words at Random")
    with pytest.raises(KeyFileError, match="written over"):
        keys.write_private(path, data)
    swapped = msgspec.structs.replace(file, public=keys.public_hex(keys.generate()))
    with pytest.raises(KeyFileError, match="another key"):
        keys.unseal(swapped, "six words at random")
    for broken in (data[:50], b"[]", data.replace(file.keyid.encode(), b"0" * 16)):
        path.write_bytes(broken)
        with pytest.raises(KeyFileError):
            keys.read(path)


@pytest.mark.parametrize("name", ["", "../x", "Анна", "online", "a b", "x" * 40])
def test_names_that_are_no_file_names_are_refused(name: str) -> None:
    with pytest.raises(KeyFileError):
        keys.check_holder(name)


def test_a_newsroom_makes_its_keys_once(room: Newsroom) -> None:
    with pytest.raises(CeremonyError, match="already"):
        ceremony.found(room.desk, room.holders, b"{}", room.now)


def test_readers_begin_with_what_is_exported(room: Newsroom) -> None:
    exported = json.loads(roles.export(room.root, "The Lantern", "https://lantern.example"))
    root = json.dumps(exported["root"]).encode()
    reader: SignedReader = room.reader("new", root=root)
    room.check(reader)
    assert len(exported["keys"]) == 4
    assert "anna" not in json.dumps(exported), "holders' names are nobody's business"
