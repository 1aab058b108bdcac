# SPDX-License-Identifier: AGPL-3.0-or-later
"""What every kind of mirror promises, the fake too."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tamizdat.mirrors.ports import FOLDERS, Held, Outgoing, Target
from tests.mirrors.conftest import Place


@pytest.fixture
def target(place: Place) -> Iterator[Target]:
    with contextlib.closing(place.open()) as opened:
        opened.prepare()
        yield opened


def small(name: str, data: bytes) -> Outgoing:
    return Outgoing(name, data, len(data))


def from_disk(folder: Path, name: str, data: bytes) -> Outgoing:
    path = folder / "source" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return Outgoing(name, path, len(data))


def test_what_is_put_can_be_read(target: Target, tmp_path: Path) -> None:
    big = bytes(range(256)) * 9000
    target.put([
        small("metadata/current", b"one"),
        from_disk(tmp_path, "objects/aa/aa11", b"two"),
        from_disk(tmp_path, "objects/bb/bb22.br", big),
        small("objects/cc/empty", b""),
    ])  # fmt: skip
    assert target.read("metadata/current", 100) == b"one"
    assert target.read("objects/aa/aa11", 100) == b"two"
    assert target.read("objects/bb/bb22.br", len(big)) == big
    assert not target.read("objects/cc/empty", 10)


def test_what_is_not_there_is_none(target: Target) -> None:
    assert target.read("metadata/timestamp.json", 100) is None


def test_a_file_is_replaced(target: Target) -> None:
    target.put([small("metadata/current", b"old and longer")])
    target.put([small("metadata/current", b"new")])
    assert target.read("metadata/current", 100) == b"new"


def test_files_are_removed_twice_without_harm_and_others_stay(target: Target) -> None:
    names = [f"shards/ab/{n:02x}/{n:06x}" for n in range(5)]
    target.put([small(name, b"x") for name in [*names, "shards/ab/00/000100", "objects/aa/aa11"]])
    for _ in range(2):
        target.remove([*names, "objects/zz/never"])
    assert {held.name for held in target.names(FOLDERS)} == {
        "shards/ab/00/000100",
        "objects/aa/aa11",
    }


def test_a_file_is_replaced_by_another_of_the_same_length_and_time(
    target: Target, tmp_path: Path
) -> None:
    for data in (b"one", b"two"):
        file = from_disk(tmp_path, "metadata/timestamp.json", data)
        assert isinstance(file.source, Path)
        os.utime(file.source, (1_700_000_000, 1_700_000_000))
        target.put([file])
        assert target.read("metadata/timestamp.json", 100) == data


def test_no_empty_folders_of_shards_stay_behind(target: Target, place: Place) -> None:
    target.put([small("shards/ab/00/000000", b"x"), small("shards/cd/00/000000", b"x")])
    target.remove(["shards/ab/00/000000"])
    if place.folder is not None:
        assert [path.name for path in (place.folder / "shards").iterdir()] == ["cd"]


def test_it_tells_what_it_has(target: Target) -> None:
    files = {"metadata/1.root.json": b"12345", "objects/aa/aa11": b"x", "targets/live/a.b": b""}
    target.put([small(name, data) for name, data in files.items()])
    found = sorted(target.names(FOLDERS))
    assert found == sorted(Held(name, len(data)) for name, data in files.items())


def test_an_empty_mirror_has_nothing(target: Target) -> None:
    assert list(target.names(FOLDERS)) == []


def test_a_source_that_is_gone_is_said_so(target: Target, tmp_path: Path) -> None:
    gone = from_disk(tmp_path, "objects/aa/aa11", b"two")
    assert isinstance(gone.source, Path)
    gone.source.unlink()
    with pytest.raises(FileNotFoundError):
        target.put([gone])


def test_a_batch_of_hundreds_is_kept(target: Target) -> None:
    files = [small(f"objects/{n % 256:02x}/{n:064x}", b"x" * n) for n in range(300)]
    target.put(files)
    assert sum(held.length for held in target.names(["objects"])) == sum(range(300))


def test_a_closed_target_can_be_opened_again(place: Place) -> None:
    if place.folder is None:
        pytest.skip("the fake forgets")
    for _ in range(2):
        with contextlib.closing(place.open()) as target:
            target.prepare()
            target.put([small("metadata/current", b"one")])
            assert target.read("metadata/current", 100) == b"one"
