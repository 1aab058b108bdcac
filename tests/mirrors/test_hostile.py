# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who serves a volunteer false files, or sits behind a mirror that we push to."""

from __future__ import annotations

import contextlib
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from tuf.api.metadata import Metadata, Root

from tamizdat.edition.signed import keys, layout, roles
from tamizdat.edition.signed.errors import UnreachableError, VerifyError
from tamizdat.edition.signed.fetch import FolderFetcher
from tamizdat.mirrors import pull as pulling
from tamizdat.mirrors.errors import AheadError, FullError
from tamizdat.mirrors.folder import FolderTarget
from tamizdat.mirrors.manifest import Manifest
from tamizdat.mirrors.pull import pull
from tamizdat.mirrors.push import Push
from tamizdat.mirrors.source import Source
from tests.mirrors.paper import Paper, all_keys, page, whole
from tests.mirrors.test_pull import Cut


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulling.time, "sleep", lambda seconds: None)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return tmp_path / "copy"


def second_root(paper: Paper) -> bytes:
    """The holders sign another root; returns the first."""
    first = paper.root
    root = Metadata[Root].from_bytes(first)
    root.signed.version, root.signed.expires = 2, paper.now + timedelta(days=900)
    root.signatures.clear()
    for key in all_keys()[0][:2]:
        root.sign(key, append=True)
    paper.signer.folder.write("metadata/2.root.json", roles.encode(root))
    return first


def test_a_copy_begun_with_a_newer_root_offers_the_older_ones_too(
    paper: Paper, copy: Path, tmp_path: Path
) -> None:
    first = second_root(paper)
    pull(FolderFetcher(paper.folder), copy, (paper.folder / "metadata/2.root.json").read_bytes())
    assert (copy / "metadata/1.root.json").read_bytes() == first
    assert whole(paper.reader(copy, tmp_path / "state", first))


@pytest.mark.parametrize("false", ["timestamp", "unsigned", "renumbered", "long", "junk"])
def test_a_false_older_root_is_not_shown(
    paper: Paper, copy: Path, tmp_path: Path, false: str
) -> None:
    """Also one that names the holders' own keys, which are no secret, and a thief's beside them."""
    first = second_root(paper)
    second = (paper.folder / "metadata/2.root.json").read_bytes()
    forged = Metadata[Root].from_bytes(first)
    thief = keys.generate()
    forged.signed.add_key(thief.public_key, "timestamp")
    forged.signatures.clear()
    forged.sign(thief)
    lies = {
        "timestamp": (paper.folder / layout.TIMESTAMP).read_bytes(),
        "unsigned": roles.encode(forged),
        "renumbered": second,
        "long": first + b" " * layout.ROOT_LIMIT,
        "junk": b"\xff" * 9,
    }
    source = Cut(paper.folder)
    source.answer = lambda name, data: lies[false] if name == "metadata/1.root.json" else data
    pull(source, copy, second)
    assert not (copy / "metadata/1.root.json").exists()
    assert whole(paper.reader(copy, tmp_path / "state", second))


def test_a_pull_that_is_never_finished_leaves_nothing_for_ever(paper: Paper, copy: Path) -> None:
    """Each edition is cut off amid its shards; what came of it is removed in the end."""
    source = Cut(paper.folder)
    pull(source, copy, paper.root)
    for number in range(6):
        came = 0

        def cut(name: str, data: bytes) -> bytes:
            nonlocal came
            came += name.startswith("shards/")
            if came > 4:
                raise UnreachableError("cut off")
            return data

        paper.publish({f"/en/{n}/": page(f"Edition {number}") for n in range(3)}, full=True)
        source.answer = cut
        with pytest.raises(UnreachableError):
            pull(source, copy)
    source.answer = lambda name, data: data
    for number in range(3):
        paper.publish({"/en/0/": page(f"Later {number}")})
        pull(source, copy)
    assert len(list((copy / "shards").iterdir())) <= 4, "no index but those of two editions"


def test_what_a_killed_pull_left_half_written_goes_with_its_name(paper: Paper, copy: Path) -> None:
    source = Cut(paper.folder)
    pull(source, copy, paper.root)
    sha256 = next(iter(paper.entries.values())).sha256
    half = copy / layout.object_name(sha256).replace(sha256, f".{sha256}.new")
    half.write_bytes(b"half")
    path = next(iter(paper.entries))
    for number in range(4):
        paper.publish({path: page(f"Another {number}")})
        pull(source, copy)
    assert not half.exists()


def test_a_damaged_compressed_file_is_replaced_by_the_plain_one(
    paper: Paper, copy: Path, tmp_path: Path
) -> None:
    source = Cut(paper.folder)
    source.answer = lambda name, data: b"\x00" * 9 if name.endswith(".br") else data
    pull(source, copy, paper.root)
    assert whole(paper.reader(copy, tmp_path / "state"))


def test_a_first_pull_with_a_mistaken_root_can_be_made_again(
    paper: Paper, copy: Path, tmp_path: Path
) -> None:
    stranger = Metadata[Root].from_bytes(paper.root)
    stranger.signed.roles["timestamp"].keyids = []
    with pytest.raises(VerifyError):
        pull(FolderFetcher(paper.folder), copy, roles.encode(stranger))
    assert pull(FolderFetcher(paper.folder), copy, paper.root).edition == 1
    (copy / pulling.PRIVATE / "root.json").write_bytes(b"")
    with pytest.raises(VerifyError):
        pull(FolderFetcher(paper.folder), copy)


def test_notes_that_cannot_be_written_are_said_in_words(
    paper: Paper, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull(FolderFetcher(paper.folder), copy, paper.root)
    paper.publish({"/en/7/": page("More")})

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(Manifest, "need_all", full)
        with pytest.raises(FullError, match="full"):
            pull(FolderFetcher(paper.folder), copy)
    assert pull(FolderFetcher(paper.folder), copy).edition == 2


def push(paper: Paper, place: Path, *, anew: bool = False) -> None:
    with (
        contextlib.closing(Manifest(place.with_suffix(".sqlite3"))) as noted,
        contextlib.closing(FolderTarget(place)) as target,
    ):
        Push(target, noted, Source(paper.folder)).run(anew=anew)


@pytest.mark.parametrize(
    "there",
    [b"", b"\xff\xfe", b"[" * 3_900, b'{"x":' + b"[" * 3_900, b'{"signed":{"version":1e999}}'],
)
def test_whatever_a_mirror_has_for_a_timestamp_it_is_made_whole(
    paper: Paper, tmp_path: Path, there: bytes
) -> None:
    place = tmp_path / "mirror"
    push(paper, place)
    (place / layout.TIMESTAMP).write_bytes(there)
    push(paper, place)
    ours = (paper.folder / layout.TIMESTAMP).read_bytes()
    assert (place / layout.TIMESTAMP).read_bytes() == ours


def test_metadata_of_a_thief_under_our_names_is_replaced(paper: Paper, tmp_path: Path) -> None:
    """The thief published on a mirror in our name; we begin again from a backup."""
    place = tmp_path / "mirror"
    push(paper, place)
    paper.publish({"/en/7/": page("Ours")})
    names = [f"metadata/2.{role}.json" for role in ("live", "snapshot")]
    for name in names:
        (place / name).write_bytes(b"?" * (paper.folder / name).stat().st_size)
    (place / layout.TIMESTAMP).write_bytes(b'{"signed":{"version":9}}')
    with pytest.raises(AheadError):
        push(paper, place)
    push(paper, place, anew=True)
    for name in names:
        assert (place / name).read_bytes() == (paper.folder / name).read_bytes()
