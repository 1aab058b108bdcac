# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pushing: what travels, in which order, what is removed when, and what a cut leaves behind."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tamizdat.edition.signed import layout
from tamizdat.mirrors.errors import (
    AheadError,
    MirrorError,
    SourceError,
    StoppedError,
    UnreachableError,
    UnsignedError,
)
from tamizdat.mirrors.manifest import HEADS, Manifest
from tamizdat.mirrors.push import Push, Report
from tamizdat.mirrors.source import Source
from tests.fakes.mirrors import MemoryTarget, failing_at
from tests.mirrors.paper import Paper, page, whole


@pytest.fixture
def paper(tmp_path: Path) -> Paper:
    made = Paper(tmp_path / "edition")
    made.publish({f"/en/{n}/": page(f"Story {n}") for n in range(40)})
    return made


class Pusher:
    """Our side of one mirror: its target, and what we noted of it."""

    def __init__(self, paper: Paper, folder: Path) -> None:
        self.paper = paper
        self.target = MemoryTarget()
        self.noted = folder / "noted.sqlite3"

    def push(self, **options: bool) -> Report:
        with self.manifest() as manifest:
            return Push(self.target, manifest, Source(self.paper.folder)).run(**options)

    @contextlib.contextmanager
    def manifest(self) -> Iterator[Manifest]:
        with contextlib.closing(Manifest(self.noted)) as manifest:
            yield manifest

    def journal(self) -> list[tuple[str, str]]:
        done, self.target.done = self.target.done, []
        return done


@pytest.fixture
def pusher(paper: Paper, tmp_path: Path) -> Pusher:
    return Pusher(paper, tmp_path)


def put(journal: list[tuple[str, str]]) -> list[str]:
    return [name for kind, name in journal if kind == "put"]


def contents(paper: Paper, tmp_path: Path) -> dict[str, bytes]:
    """What our own copy says, verified by a reader who never read before."""
    state = tmp_path / "ours"
    shutil.rmtree(state, ignore_errors=True)
    return whole(paper.reader(paper.folder, state))


def test_a_mirror_has_the_whole_edition_after_a_push(
    pusher: Pusher, paper: Paper, tmp_path: Path
) -> None:
    report = pusher.push()
    assert report.edition == 1
    assert whole(paper.reader(pusher.target, tmp_path / "s")) == contents(paper, tmp_path)
    assert len(contents(paper, tmp_path)) == 40


def test_only_what_changed_travels_and_the_number_of_files_does_not_grow(
    pusher: Pusher, paper: Paper, tmp_path: Path
) -> None:
    pusher.push()
    pusher.journal()
    paper.publish({"/en/7/": page("Story 7, corrected")})
    report = pusher.push()
    names = put(pusher.journal())
    assert sum(name.startswith("objects/") for name in names) == 2  # as it is, and compressed
    assert report.files == len(names) <= 12
    assert whole(paper.reader(pusher.target, tmp_path / "s")) == contents(paper, tmp_path)


def test_a_push_with_nothing_new_sends_nothing(pusher: Pusher) -> None:
    pusher.push()
    pusher.journal()
    assert pusher.push().files == 0
    assert pusher.journal() == [("read", layout.TIMESTAMP)]


def test_a_day_without_news_sends_the_timestamp_alone(pusher: Pusher, paper: Paper) -> None:
    pusher.push()
    pusher.journal()
    paper.sign_again()
    pusher.push()
    assert put(pusher.journal()) == [layout.TIMESTAMP, layout.CURRENT]


def test_objects_go_first_and_what_readers_ask_for_by_name_last(
    pusher: Pusher, paper: Paper
) -> None:
    pusher.push()
    pusher.journal()
    paper.publish({"/en/new/": page("New")})
    pusher.push()
    order = [name.partition("/")[0] for name in put(pusher.journal())]
    ranks = [("objects", "shards", "targets", "metadata").index(part) for part in order]
    assert ranks == sorted(ranks)
    pusher.target.files.clear()
    pusher.push()
    assert put(pusher.journal())[-3:] == ["metadata/1.root.json", *HEADS]


def test_what_is_replaced_stays_for_two_editions_and_goes_then(
    pusher: Pusher, paper: Paper, tmp_path: Path
) -> None:
    pusher.push()
    old = paper.entries["/en/3/"].sha256
    first = set(pusher.target.files)
    paper.publish({"/en/3/": page("Three, corrected")})
    pusher.push()
    paper.sign_again()
    pusher.push()
    assert first <= set(pusher.target.files), "readers in flight still need it"
    paper.publish({"/en/4/": page("Four, corrected")})
    pusher.push()
    assert layout.object_name(old) in pusher.target.files
    paper.publish({"/en/5/": page("Five, corrected")})
    report = pusher.push()
    assert report.removed > 0
    assert layout.object_name(old) not in pusher.target.files
    assert layout.object_name(old, brotli=True) not in pusher.target.files
    assert whole(paper.reader(pusher.target, tmp_path / "s")) == contents(paper, tmp_path)


def test_a_mirror_that_missed_many_editions_keeps_its_old_one_for_two_more(
    pusher: Pusher, paper: Paper
) -> None:
    pusher.push()
    old = paper.entries["/en/3/"].sha256
    for n in range(6):
        paper.publish({"/en/3/": page(f"Three {n}")})
    pusher.push()
    assert layout.object_name(old) in pusher.target.files


def test_bytes_that_two_paths_share_stay_while_one_of_them_needs_them(
    pusher: Pusher, paper: Paper, tmp_path: Path
) -> None:
    paper.publish({"/a/": page("The same"), "/b/": page("The same")})
    pusher.push()
    paper.publish({"/a/": page("Another")})
    for n in range(5):
        paper.publish({"/c/": page(f"News {n}")})
        pusher.push()
    assert whole(paper.reader(pusher.target, tmp_path / "s")) == contents(paper, tmp_path)


def test_bytes_that_two_paths_share_arrive_though_the_first_of_them_changed_meanwhile(
    pusher: Pusher, paper: Paper, tmp_path: Path
) -> None:
    paper.publish({"/a/": page("The same"), "/b/": page("The same")}, full=True)
    pusher.target.before = failing_at(3)
    with pytest.raises(MirrorError):
        pusher.push()
    pusher.target.before = lambda kind, name: None
    paper.publish({"/a/": page("Another")})
    pusher.push()
    assert whole(paper.reader(pusher.target, tmp_path / "s")) == contents(paper, tmp_path)


def test_after_many_editions_the_mirror_holds_no_more_than_ours_and_two_editions(
    pusher: Pusher, paper: Paper, tmp_path: Path
) -> None:
    for n in range(12):
        pages: dict[str, bytes | None] = {f"/en/{n}/": None, "/en/": page(f"Front {n}")}
        paper.publish(pages | {f"/en/more-{n}/": page(f"More {n}")}, full=n % 5 == 4)
        pusher.push()
        assert whole(paper.reader(pusher.target, tmp_path / "s")) == contents(paper, tmp_path)
    ours = {name for name in pusher.target.files if (paper.folder / name).exists()}
    left = {name for name in set(pusher.target.files) - ours if name.startswith("objects/")}
    assert len(left) <= 8


def test_a_lost_note_of_what_the_mirror_has_costs_a_listing_not_a_second_push(
    pusher: Pusher, paper: Paper, tmp_path: Path
) -> None:
    pusher.push()
    pusher.noted.unlink()
    pusher.target.files["objects/00/strange"] = b"left by somebody"
    pusher.target.files["notes/ours.txt"] = b"not of the paper"
    pusher.journal()
    paper.publish({"/en/7/": page("Story 7, corrected")})
    assert pusher.push().files <= 14
    assert ("names", "objects") in pusher.journal()
    for n in range(3):
        paper.publish({"/en/8/": page(f"Story 8, {n}")})
        pusher.push()
    assert "objects/00/strange" not in pusher.target.files
    assert "notes/ours.txt" in pusher.target.files
    assert whole(paper.reader(pusher.target, tmp_path / "s")) == contents(paper, tmp_path)


@pytest.mark.parametrize("damage", ["emptied", "half of it lost", "an older state", "cut file"])
def test_a_mirror_that_was_changed_behind_our_back_is_made_whole_again(
    damage: str, pusher: Pusher, paper: Paper, tmp_path: Path
) -> None:
    pusher.push()
    older = dict(pusher.target.files)
    paper.publish({"/en/7/": page("Story 7, corrected")})
    pusher.push()
    if damage == "emptied":
        pusher.target.files.clear()
    elif damage == "half of it lost":
        for name in sorted(pusher.target.files)[::2]:
            del pusher.target.files[name]
        pusher.target.files.pop(layout.TIMESTAMP, None)
    elif damage == "an older state":
        pusher.target.files = older
    else:
        name = next(name for name in pusher.target.files if name.startswith("objects/"))
        pusher.target.files[name] = pusher.target.files[name][:10]
        del pusher.target.files[layout.TIMESTAMP]
    pusher.push()
    assert whole(paper.reader(pusher.target, tmp_path / "s")) == contents(paper, tmp_path)


def test_a_mirror_with_a_newer_edition_than_ours_is_not_turned_back(
    pusher: Pusher, paper: Paper, tmp_path: Path
) -> None:
    backup = tmp_path / "backup"
    shutil.copytree(paper.folder, backup)
    paper.publish({"/en/7/": page("Story 7, corrected")})
    pusher.push()
    newest = dict(pusher.target.files)
    shutil.rmtree(paper.folder)
    shutil.copytree(backup, paper.folder)
    with pytest.raises(AheadError, match="restored from a backup"):
        pusher.push()
    assert pusher.target.files == newest
    pusher.push(anew=True)
    assert pusher.target.files[layout.TIMESTAMP] != newest[layout.TIMESTAMP]


def test_a_damaged_object_of_ours_is_not_sent(pusher: Pusher, paper: Paper) -> None:
    name = layout.object_name(paper.entries["/en/3/"].sha256)
    (paper.folder / name).write_bytes(b"rotten")
    with pytest.raises(SourceError, match="not the file that its name says"):
        pusher.push()
    assert name not in pusher.target.files
    assert layout.TIMESTAMP not in pusher.target.files


def test_an_object_of_ours_that_is_lost_is_said_so(pusher: Pusher, paper: Paper) -> None:
    (paper.folder / layout.object_name(paper.entries["/en/3/"].sha256)).unlink()
    with pytest.raises(SourceError, match="not whole"):
        pusher.push()


def test_before_anything_is_signed_nothing_is_pushed(tmp_path: Path) -> None:
    pusher = Pusher(Paper(tmp_path / "edition"), tmp_path)
    with pytest.raises(UnsignedError, match="keys init"):
        pusher.push()
    assert pusher.journal() == []


def test_an_edition_that_is_replaced_while_it_travels_gives_way_to_the_newest(
    pusher: Pusher, paper: Paper, tmp_path: Path
) -> None:
    pusher.push()
    paper.publish({f"/en/{n}/": page(f"Second {n}") for n in range(40)})
    left = [5]

    def publish_meanwhile(kind: str, name: str) -> None:
        left[0] -= kind == "put"
        if left[0] == 0:
            for n in range(4):
                paper.publish({f"/en/{m}/": page(f"Round {n}, {m}") for m in range(40)})

    pusher.target.before = publish_meanwhile
    assert pusher.push().edition == 6
    assert whole(paper.reader(pusher.target, tmp_path / "s")) == contents(paper, tmp_path)


def test_a_push_can_be_stopped_and_goes_on_where_it_was(
    pusher: Pusher, paper: Paper, tmp_path: Path
) -> None:
    with pusher.manifest() as manifest:
        calls = iter(range(10))
        push = Push(pusher.target, manifest, Source(paper.folder), stopped=lambda: next(calls) >= 1)
        with pytest.raises(StoppedError):
            push.run()
    sent = put(pusher.journal())
    assert sent
    pusher.push()
    assert not set(sent) & set(put(pusher.journal()))
    assert whole(paper.reader(pusher.target, tmp_path / "s")) == contents(paper, tmp_path)


# Cut off at every single operation


def _story(paper: Paper) -> None:
    paper.publish({"/en/7/": page("Story 7, corrected"), "/en/new/": page("New")})


def _whole_index(paper: Paper) -> None:
    paper.publish({"/en/7/": page("Seven"), "/en/9/": None}, full=True)


def _again(paper: Paper) -> None:
    paper.sign_again()


@pytest.mark.parametrize("change", [_story, _whole_index, _again])
def test_cut_off_at_any_operation_a_mirror_shows_the_old_or_the_new_edition_whole(
    change: object, pusher: Pusher, paper: Paper, tmp_path: Path
) -> None:
    pusher.push()
    for n in range(3):  # So that there is something to remove as well.
        paper.publish({"/en/7/": page(f"Seven {n}")})
        pusher.push()
    before, noted = dict(pusher.target.files), pusher.noted.read_bytes()
    old = contents(paper, tmp_path)
    assert callable(change)
    change(paper)
    new = contents(paper, tmp_path)
    count = 0
    while True:
        count += 1
        pusher.target.files = dict(before)
        for left in tmp_path.glob("noted.sqlite3-*"):
            left.unlink()
        pusher.noted.write_bytes(noted)
        pusher.target.before = failing_at(count)
        try:
            pusher.push()
        except UnreachableError:
            state = tmp_path / f"reader-{count}"
            assert whole(paper.reader(pusher.target, state)) in (old, new)
            pusher.target.before = lambda kind, name: None
            pusher.push()
            assert whole(paper.reader(pusher.target, state)) == new
        else:
            break
    assert count > 3


def test_a_push_that_was_cut_off_sends_only_the_rest(pusher: Pusher, paper: Paper) -> None:
    pusher.target.before = failing_at(60)
    with pytest.raises(MirrorError):
        pusher.push()
    pusher.target.before = lambda kind, name: None
    pusher.journal()
    pusher.push()
    again = put(pusher.journal())
    assert len(again) == len(set(again))


def test_what_a_cut_push_left_of_an_edition_that_never_came_is_removed_too(
    pusher: Pusher, paper: Paper, tmp_path: Path
) -> None:
    pusher.push()
    paper.publish({"/en/7/": page("Never seen"), "/en/ghost/": page("Ghost")})
    ghost = layout.object_name(paper.entries["/en/ghost/"].sha256)
    pusher.target.before = failing_at(6)
    with pytest.raises(MirrorError):
        pusher.push()
    pusher.target.before = lambda kind, name: None
    assert any((paper.folder / name).exists() and name not in HEADS for name in pusher.target.files)
    paper.publish({"/en/7/": page("Seen"), "/en/ghost/": None})
    for n in range(6):
        paper.publish({"/en/8/": page(f"News {n}")})
        pusher.push()
    assert ghost not in pusher.target.files
    assert whole(paper.reader(pusher.target, tmp_path / "s")) == contents(paper, tmp_path)
