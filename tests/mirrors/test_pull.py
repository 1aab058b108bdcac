# SPDX-License-Identifier: AGPL-3.0-or-later
"""A volunteer's copy: whole and proven, or the last one that was."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tamizdat.edition.signed import layout
from tamizdat.edition.signed.errors import (
    MissingError,
    RollbackError,
    TamperedError,
    TooLongError,
    UnknownSignerError,
    UnreachableError,
    VerifyError,
)
from tamizdat.edition.signed.fetch import FolderFetcher, HttpFetcher
from tamizdat.mirrors import pull as pulling
from tamizdat.mirrors.errors import BusyError, MisconfiguredError
from tamizdat.mirrors.pull import Pulled, pull
from tests.mirrors import servers
from tests.mirrors.paper import Paper, page, whole


class Cut:
    """A copy that breaks off, or lies, at a request. Real files otherwise."""

    def __init__(self, folder: Path) -> None:
        self._real = FolderFetcher(folder)
        self.asked: list[str] = []
        self.answer: Callable[[str, bytes], bytes] = lambda name, data: data

    def fetch(self, name: str, limit: int) -> bytes:
        self.asked.append(name)
        data = self.answer(name, self._real.fetch(name, limit))
        if len(data) > limit:
            raise TooLongError(f"{name} is too long")
        return data


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return tmp_path / "copy"


@pytest.fixture
def source(paper: Paper) -> Cut:
    return Cut(paper.folder)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulling.time, "sleep", lambda seconds: None)


def first(source: Cut, paper: Paper, copy: Path) -> Pulled:
    return pull(source, copy, paper.root, clock=lambda: paper.now)


def test_a_copy_is_whole_and_proven(paper: Paper, source: Cut, copy: Path, tmp_path: Path) -> None:
    report = first(source, paper, copy)
    assert (report.edition, report.new, report.stale) == (1, True, False)
    assert whole(paper.reader(copy, tmp_path / "a")) == whole(
        paper.reader(paper.folder, tmp_path / "b")
    )
    for name in ("timestamp.json", "current", "1.root.json"):
        ours, theirs = (folder / "metadata" / name for folder in (paper.folder, copy))
        assert ours.read_bytes() == theirs.read_bytes()


def test_a_copy_can_be_pulled_from_in_its_turn(
    paper: Paper, source: Cut, copy: Path, tmp_path: Path
) -> None:
    first(source, paper, copy)
    second = tmp_path / "second"
    pull(FolderFetcher(copy), second, paper.root)
    assert whole(paper.reader(second, tmp_path / "a")) == whole(paper.reader(copy, tmp_path / "b"))


def test_nothing_new_costs_two_requests(paper: Paper, source: Cut, copy: Path) -> None:
    first(source, paper, copy)
    source.asked.clear()
    report = pull(source, copy)
    assert not report.new
    assert sorted(source.asked) == ["metadata/2.root.json", layout.CURRENT]


def test_only_what_changed_is_fetched(paper: Paper, source: Cut, copy: Path) -> None:
    first(source, paper, copy)
    paper.publish({"/en/7/": page("Seven, corrected")})
    source.asked.clear()
    report = pull(source, copy)
    assert report.edition == 2
    assert sum(name.startswith("objects/") for name in source.asked) == 1
    assert len(source.asked) <= 8


def test_what_was_replaced_is_removed_two_editions_later(
    paper: Paper, source: Cut, copy: Path, tmp_path: Path
) -> None:
    first(source, paper, copy)
    old = copy / layout.object_name(paper.entries["/en/7/"].sha256)
    for n in range(3):
        assert old.exists()
        paper.publish({"/en/7/": page(f"Seven {n}")})
        pull(source, copy)
    assert not old.exists()
    assert whole(paper.reader(copy, tmp_path / "a"))


def test_pulled_through_nginx_over_the_network(paper: Paper, copy: Path, tmp_path: Path) -> None:
    with servers.nginx(paper.folder, tmp_path / "nginx") as url:
        fetch = HttpFetcher(url)
        report = pull(fetch, copy, paper.root)
        fetch.close()
    assert report.files > 40
    assert whole(paper.reader(copy, tmp_path / "a"))


def test_cut_off_at_any_request_the_copy_is_the_old_or_the_new_edition(
    paper: Paper, source: Cut, copy: Path, tmp_path: Path
) -> None:
    first(source, paper, copy)
    old = whole(paper.reader(copy, tmp_path / "old"))
    paper.publish({f"/en/{n}/": page(f"Second {n}") for n in range(6)})
    new = whole(paper.reader(paper.folder, tmp_path / "new"))
    before = tmp_path / "before"
    shutil.copytree(copy, before)
    count = 0
    while True:
        count += 1
        shutil.rmtree(copy)
        shutil.copytree(before, copy)
        left = [count]

        def broken(name: str, data: bytes, left: list[int] = left) -> bytes:
            left[0] -= 1
            if left[0] <= 0:
                raise UnreachableError(f"cut off at {name}")
            return data

        source.answer = broken
        try:
            pull(source, copy)
        except UnreachableError:
            assert whole(paper.reader(copy, tmp_path / f"r{count}")) in (old, new)
        else:
            break
    assert count > 8
    source.answer = lambda name, data: data
    pull(source, copy)
    assert whole(paper.reader(copy, tmp_path / "r-end")) == new


def test_a_pull_that_was_cut_off_goes_on_where_it_was(
    paper: Paper, source: Cut, copy: Path
) -> None:
    left = [30]

    def broken(name: str, data: bytes) -> bytes:
        left[0] -= 1
        if left[0] <= 0:
            raise UnreachableError("cut off")
        return data

    source.answer = broken
    with pytest.raises(UnreachableError):
        first(source, paper, copy)
    had = {name for name in source.asked if (copy / name).exists() and "objects" in name}
    assert len(had) > 10
    assert not (copy / layout.TIMESTAMP).exists()
    source.answer = lambda name, data: data
    source.asked.clear()
    assert pull(source, copy).edition == 1
    assert not had & set(source.asked)


def _altered(name: str, data: bytes) -> bytes:
    return data[:-1] + b"?" if name.startswith("objects/") else data


def _longer(name: str, data: bytes) -> bytes:
    return data + b" " * 100 if name.startswith("objects/") else data


def _shorter(name: str, data: bytes) -> bytes:
    return data[:10] if name.startswith("objects/") else data


def _other_shard(name: str, data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1]) if name.startswith("shards/") else data


def _not_there(name: str, data: bytes) -> bytes:
    if name.startswith("objects/"):
        raise MissingError(f"{name} is not there")
    return data


@pytest.mark.parametrize(
    ("lie", "error"),
    [
        (_altered, TamperedError),
        (_longer, (TamperedError, TooLongError)),
        (_shorter, TamperedError),
        (_other_shard, VerifyError),
        (_not_there, MissingError),
    ],
)
def test_a_copy_that_lies_changes_nothing_that_readers_see(
    lie: Callable[[str, bytes], bytes],
    error: type[Exception],
    paper: Paper,
    source: Cut,
    copy: Path,
    tmp_path: Path,
) -> None:
    first(source, paper, copy)
    old = whole(paper.reader(copy, tmp_path / "old"))
    paper.publish({f"/en/{n}/": page(f"Second {n}") for n in range(6)})
    source.answer = lie
    with pytest.raises(error):
        pull(source, copy)
    assert whole(paper.reader(copy, tmp_path / "again")) == old
    source.answer = lambda name, data: data
    assert pull(source, copy).edition == 2


def test_it_never_goes_back(paper: Paper, source: Cut, copy: Path, tmp_path: Path) -> None:
    older = tmp_path / "older"
    paper.copy_to(older)
    paper.publish({"/en/7/": page("Seven, corrected")})
    first(source, paper, copy)
    shown = (copy / layout.TIMESTAMP).read_bytes()
    with pytest.raises(RollbackError):
        pull(FolderFetcher(older), copy)
    assert (copy / layout.TIMESTAMP).read_bytes() == shown


def test_another_newsrooms_edition_is_refused(
    paper: Paper, source: Cut, copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.mirrors import paper as papers

    strangers = ([papers.keys.generate() for _ in range(3)], papers.keys.generate())
    monkeypatch.setattr(papers, "all_keys", lambda: strangers)
    (tmp_path / "other").mkdir()
    other = Paper(tmp_path / "other" / "edition")
    other.publish({"/en/": page("Not ours")})
    with pytest.raises((UnknownSignerError, VerifyError)):
        pull(FolderFetcher(other.folder), copy, paper.root)
    assert not (copy / layout.TIMESTAMP).exists()
    first(source, paper, copy)
    with pytest.raises(MisconfiguredError, match="another root"):
        pull(source, copy, other.root)


def test_an_edition_whose_signatures_are_past_their_time_is_shown_and_said_to_be_old(
    paper: Paper, source: Cut, copy: Path
) -> None:
    paper.now += timedelta(days=60)
    report = first(source, paper, copy)
    assert report.stale
    assert report.as_of == "2026-11-22T12:10:00Z"


def test_without_a_root_there_is_no_first_pull(source: Cut, copy: Path) -> None:
    with pytest.raises(MisconfiguredError, match="--root"):
        pull(source, copy)


def test_two_pulls_into_one_folder_do_not_meet(paper: Paper, source: Cut, copy: Path) -> None:
    def again(name: str, data: bytes) -> bytes:
        with pytest.raises(BusyError):
            pull(FolderFetcher(paper.folder), copy, paper.root)
        return data

    source.answer = again
    assert first(source, paper, copy).edition == 1


def test_a_file_that_was_lost_here_is_fetched_again_with_the_next_edition(
    paper: Paper, source: Cut, copy: Path, tmp_path: Path
) -> None:
    first(source, paper, copy)
    for path in [*copy.glob("objects/0*/*"), *copy.glob("shards/*/0*/*")]:
        path.unlink()
    paper.publish({"/en/7/": page("Seven, corrected")})
    pull(source, copy)
    assert whole(paper.reader(copy, tmp_path / "a"))


def test_nothing_but_the_edition_and_our_memory_is_left_in_the_folder(
    paper: Paper, source: Cut, copy: Path
) -> None:
    first(source, paper, copy)

    def names() -> Iterator[str]:
        yield from (path.name for path in copy.iterdir())

    assert set(names()) == {"metadata", "targets", "shards", "objects", pulling.PRIVATE}
    assert not list(copy.rglob("*.new"))
