# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whatever instant a builder dies at, readers have one whole paper and the next run goes on."""

from __future__ import annotations

import hashlib
import os
import random
import re
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tamizdat.edition import BusyError, Edition, Story
from tamizdat.edition import paper as papers_module
from tamizdat.edition.paths import tree_file
from tests.edition.papers import SITE, Files, Stories, edition, make_story, tree_of, uri_of, whole

START = 40
Step = Callable[[Edition], object]


class Newsroom:
    """Steps that change a paper: each publishes a story, corrects one, withdraws one or gives one
    another address; every sixth builds the whole paper."""

    def __init__(self, media: Files) -> None:
        self.media = media
        self.photo = media.add(b"a photo of the quay")
        self.stories = {n: self._story(n) for n in range(START)}

    def _story(self, number: int, **changes: object) -> Story:
        options: dict[str, object] = {
            "related": [uri_of(number - 1)],
            "topics": ("ferries", f"t{number % 5}"),
            "photos": [self.photo] if number % 4 == 0 else [],
        }
        return make_story(number, **(options | changes))  # type: ignore[arg-type]  # options of make_story

    def step(self, number: int) -> Step:
        """The change of this step. Doing it twice is doing it once."""
        new, old = START + number, number % START
        was = self.stories[old]
        changed = self._story(
            old,
            version=int(was.version or 0) + 1,
            headline=f"Corrected in {number}",
            withdrawn=number % 5 == 4,
            slug=f"moved-{number}" if number % 3 == 0 else "",
            former=[was.path],
        )
        stories = [self._story(new), changed]
        self.stories |= {new: stories[0], old: stories[1]}
        everything = list(self.stories.values())
        if number % 6 == 5:
            return lambda paper: paper.build(Stories(everything), SITE)
        return lambda paper: paper.publish(stories, SITE)


def unnumbered(data: bytes) -> bytes:
    """Without the edition's number, which a front shows."""
    return re.sub(rb'"edition":\d+', b"", data)


def digest(folder: Path) -> str:
    """One value for all that readers can find, but for the edition's number on the fronts."""
    found = hashlib.sha256()
    for path, (status, to, media_type, data) in sorted(whole(folder).items()):
        data = unnumbered(data)
        found.update(f"{path} {status} {to} {media_type} {len(data)}\n".encode() + data)
    return found.hexdigest()


def kill_during(work: Callable[[], object], seconds: float) -> bool:
    """Do work in a process of its own and kill it after a time; False where it was done by then."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def patiently(work: Callable[[], object]) -> None:
    """Workers of a killed builder hold its lock until they see that it is gone."""
    deadline = time.monotonic() + 30
    while True:
        try:
            work()
        except BusyError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


def crash(quick: Path, points: int, chance: random.Random) -> None:
    media = Files(quick / "media")
    room, twin = Newsroom(media), quick / "twin"
    reference, paper = (edition(f, media=media, tree=True) for f in (twin, quick / "paper"))
    for one in (reference, paper):
        one.build(Stories(room.stories.values()), SITE)
    killed = number = 0
    while killed < points:
        step = room.step(number)
        before, known = digest(twin), {unnumbered(d) for *_, d in whole(twin).values()}
        began = time.monotonic()
        step(reference)
        took = time.monotonic() - began
        after = digest(twin)
        known |= {unnumbered(d) for *_, d in whole(twin).values()}
        killed += kill_during(lambda: step(paper), took * chance.uniform(0, 1.3))  # noqa: B023
        assert digest(paper.folder) in (before, after)
        assert set(map(unnumbered, tree_of(paper.folder).values())) <= known
        patiently(lambda: step(paper))  # noqa: B023
        assert digest(paper.folder) == after
        published = {tree_file(path): data for path, (*_, data) in whole(paper.folder).items()}
        assert tree_of(paper.folder) == published
        number += 1


def test_a_killed_builder_leaves_a_whole_paper(quick: Path) -> None:
    crash(quick, 15, random.Random(7))


def test_a_killed_builder_with_workers_leaves_a_whole_paper(
    quick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(papers_module, "_FEW", 10)
    crash(quick, 3, random.Random(11))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(4))
def test_two_hundred_killed_builders_leave_a_whole_paper(quick: Path, seed: int) -> None:
    crash(quick, 55, random.Random(seed))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_many_killed_builders_with_workers_leave_a_whole_paper(
    quick: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(papers_module, "_FEW", 10)
    crash(quick, 25, random.Random(5))
