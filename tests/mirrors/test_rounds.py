# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pushing in the background: nobody waits for a slow or dead mirror, and none is pestered."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tamizdat.config import MirrorSettings, Newsroom
from tamizdat.edition.signed import layout
from tamizdat.mirrors import rounds, words
from tamizdat.mirrors.errors import (
    BusyError,
    FullError,
    MirrorError,
    RefusedError,
    UnreachableError,
)
from tamizdat.mirrors.push import Report
from tamizdat.mirrors.rounds import Rounds
from tamizdat.mirrors.state import Standing, State
from tamizdat.mirrors.work import Work
from tests.fakes.mirrors import MemoryTarget
from tests.mirrors.paper import Paper, page, whole

SETTINGS = 'name = "The Lamplighter"\naddress = "https://lamplighter.example"\n'


class Mirrors:
    """A newsroom with mirrors in memory, by name, and a clock."""

    def __init__(self, folder: Path, paper: Paper) -> None:
        self.folder = folder
        self.paper = paper
        self.targets: dict[str, MemoryTarget] = {}
        self.now = 1_000_000.0
        (folder / "run").mkdir(parents=True)
        (folder / "edition").symlink_to(paper.folder)

    def name(self, *names: str) -> None:
        for name in names:
            self.targets.setdefault(name, MemoryTarget())
        tables = [f'[[mirrors]]\nname = "{n}"\nkind = "folder"\ntarget = "/{n}"\n' for n in names]
        (self.folder / "tamizdat.toml.new").write_text(SETTINGS + "".join(tables))
        (self.folder / "tamizdat.toml.new").replace(self.folder / "tamizdat.toml")

    def work(self, newsroom: Newsroom) -> Work:
        def opened(mirror: MirrorSettings, secrets: Path, work: Path) -> MemoryTarget:
            return self.targets[mirror.name]

        return Work(newsroom, clock=lambda: self.now, open_target=opened)

    def push(self, name: str) -> Report:
        newsroom = Newsroom(self.folder)
        mirror = next(m for m in newsroom.settings.mirrors if m.name == name)
        return self.work(newsroom).push(mirror)

    @property
    def state(self) -> State:
        return State(self.folder / "run" / "mirrors")

    def has(self, name: str, edition: int) -> bool:
        return self.state.of(name).is_live(edition)


@pytest.fixture
def mirrors(tmp_path: Path, paper: Paper) -> Mirrors:
    return Mirrors(tmp_path / "newsroom", paper)


@pytest.fixture
def going(mirrors: Mirrors, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Rounds that are made until the test ends, with short pauses between looks."""
    monkeypatch.setattr(rounds, "POLL", 0.02)
    made = Rounds(mirrors.folder, clock=lambda: mirrors.now, work=mirrors.work)
    yield made.start
    made.stop()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)


def refuse(kind: str, name: str) -> None:
    raise RefusedError("the keys are refused: check them")


def silent(kind: str, name: str) -> None:
    raise UnreachableError("it does not answer")


def test_each_signed_edition_goes_to_every_mirror_by_itself(
    mirrors: Mirrors, going: Callable[[], None], paper: Paper, tmp_path: Path
) -> None:
    mirrors.name("oslo", "riga")
    going()
    until(lambda: mirrors.has("oslo", 1) and mirrors.has("riga", 1))
    paper.publish({"/en/7/": page("Seven, corrected")})
    until(lambda: mirrors.has("oslo", 2) and mirrors.has("riga", 2))
    found = whole(paper.reader(mirrors.targets["riga"], tmp_path / "s"))
    assert found == whole(paper.reader(paper.folder, tmp_path / "t"))


def test_a_mirror_that_hangs_and_one_that_is_dead_hold_up_nobody(
    mirrors: Mirrors, going: Callable[[], None], paper: Paper
) -> None:
    mirrors.name("hangs", "dead", "well")
    hanging = threading.Event()
    mirrors.targets["hangs"].before = lambda kind, name: bool(hanging.wait(30)) or None
    mirrors.targets["dead"].before = silent
    going()
    until(lambda: mirrors.has("well", 1))
    paper.publish({"/en/7/": page("Seven, corrected")})
    until(lambda: mirrors.has("well", 2))
    assert mirrors.state.of("dead").word == "no answer"
    hanging.set()
    until(lambda: mirrors.has("hangs", 2))


def test_a_mirror_that_comes_back_gets_the_newest_edition(
    mirrors: Mirrors, going: Callable[[], None], paper: Paper
) -> None:
    mirrors.name("oslo")
    mirrors.targets["oslo"].before = silent
    going()
    until(lambda: mirrors.state.of("oslo").attempts == 1)
    paper.publish({"/en/7/": page("Seven, corrected")})
    mirrors.targets["oslo"].before = lambda kind, name: None
    mirrors.now += 10
    until(lambda: mirrors.has("oslo", 2))
    assert mirrors.state.of("oslo").error == ""


def test_a_refusal_is_not_repeated_every_minute_and_not_with_every_edition(
    mirrors: Mirrors, going: Callable[[], None], paper: Paper
) -> None:
    mirrors.name("oslo", "witness")
    mirrors.targets["oslo"].before = refuse
    going()
    until(lambda: mirrors.state.of("oslo").attempts == 1)
    for n in range(3):
        mirrors.now += 600
        number = paper.publish({"/en/7/": page(f"Seven {n}")})
        until(lambda number=number: mirrors.has("witness", number))  # type: ignore[misc]  # bound now
    assert mirrors.state.of("oslo").attempts == 1
    mirrors.now += 3600
    until(lambda: mirrors.state.of("oslo").attempts == 2)


def test_mirrors_can_be_added_mended_and_removed_while_it_runs(
    mirrors: Mirrors, going: Callable[[], None], paper: Paper
) -> None:
    mirrors.name("oslo")
    going()
    until(lambda: mirrors.has("oslo", 1))
    mirrors.name("oslo", "riga")
    until(lambda: mirrors.has("riga", 1))
    mirrors.name("riga")
    until(lambda: "mirror-oslo" not in {one.name for one in threading.enumerate()})
    paper.publish({"/en/7/": page("Seven, corrected")})
    until(lambda: mirrors.has("riga", 2))
    assert not mirrors.has("oslo", 2)


def test_a_mirror_that_lost_its_files_is_noticed_within_the_hour(
    mirrors: Mirrors, going: Callable[[], None]
) -> None:
    mirrors.name("oslo")
    going()
    until(lambda: mirrors.has("oslo", 1))
    mirrors.targets["oslo"].files.clear()
    mirrors.now += 3601
    until(lambda: layout.CURRENT in mirrors.targets["oslo"].files)


def test_settings_that_cannot_be_read_leave_everything_as_it_was(
    mirrors: Mirrors, going: Callable[[], None], paper: Paper
) -> None:
    mirrors.name("oslo")
    going()
    until(lambda: mirrors.has("oslo", 1))
    (mirrors.folder / "tamizdat.toml").write_text("name = ")
    time.sleep(0.1)
    paper.publish({"/en/7/": page("Seven, corrected")})
    until(lambda: mirrors.has("oslo", 2))


def test_two_pushes_to_one_mirror_do_not_meet(mirrors: Mirrors) -> None:
    mirrors.name("oslo")
    met: list[Exception] = []

    def another(kind: str, name: str) -> None:
        mirrors.targets["oslo"].before = lambda kind, name: None
        try:
            mirrors.push("oslo")
        except BusyError as error:
            met.append(error)

    mirrors.targets["oslo"].before = another
    assert mirrors.push("oslo").edition == 1
    assert len(met) == 1
    assert mirrors.state.of("oslo").error == ""


# What is remembered


def test_pauses_grow_and_are_never_the_same_for_two(tmp_path: Path) -> None:
    state, draw = State(tmp_path), random.Random(7)
    pauses = []
    for _ in range(14):
        after = state.went_wrong("oslo", UnreachableError("no answer"), 1000.0, draw)
        pauses.append((after.next_try or 0) - 1000.0)
    assert 3.75 <= pauses[0] <= 6.25
    assert pauses[3] > pauses[0] * 3
    assert 675 <= pauses[-1] <= 1125
    assert len({round(pause, 3) for pause in pauses}) == len(pauses)
    assert state.of("oslo").failed_since == 1000.0


def test_what_a_person_must_mend_is_tried_once_an_hour(tmp_path: Path) -> None:
    after = State(tmp_path).went_wrong("oslo", RefusedError("no"), 0.0, random.Random(1))
    assert after.permanent
    assert 2700 <= (after.next_try or 0) <= 4500


def test_since_when_an_edition_is_live_outlasts_looking_again(tmp_path: Path) -> None:
    state = State(tmp_path)
    state.went_well("oslo", Report(7, "d", 10, 5000, 0, 0.5), 100.0)
    after = state.went_well("oslo", Report(7, "d", 0, 0, 0, 0.1), 900.0)
    assert (after.since, after.checked, after.files) == (100.0, 900.0, 10)
    after = state.went_well("oslo", Report(8, "e", 3, 10, 0, 0.1), 1000.0)
    assert after.since == 1000.0


def test_how_mirrors_stand_outlasts_the_process(tmp_path: Path) -> None:
    State(tmp_path).went_wrong("oslo", FullError("it is full"), 5.0, random.Random(1))
    assert State(tmp_path).of("oslo").error == "it is full"
    assert State(tmp_path).of("riga") == Standing(name="riga")


# In words


def well(name: str, edition: int = 9) -> Standing:
    return Standing(name=name, edition=edition, since=0.0)


def bad(name: str, error: type[MirrorError] = RefusedError) -> Standing:
    return Standing(
        name=name, edition=8, since=0.0, error="it says no", word=error.word, failed_since=842.0
    )


@pytest.mark.parametrize(
    ("standings", "said"),
    [
        ([], ""),
        ([well("a")], "Live on the mirror."),
        ([well("a"), well("b")], "Live on all 2 mirrors."),
        ([well("a"), well("b"), well("c"), bad("oslo")],
         "Live on 3 of 4 mirrors; oslo since 14:02: refused."),
        ([well("a"), well("b", 8)], "Live on 1 of 2 mirrors; on its way to 1."),
        ([well("a"), Standing(name="new")], "Live on 1 of 2 mirrors; on its way to 1."),
        ([bad(n, UnreachableError) for n in "abcde"],
         "Live on 0 of 5 mirrors; a since 14:02: no answer; b since 14:02: no answer; c since "
         "14:02: no answer; 2 more in trouble."),
    ],
)  # fmt: skip
def test_how_mirrors_stand_is_one_sentence(standings: list[Standing], said: str) -> None:
    def when(seconds: float) -> str:
        return f"{int(seconds) // 60:02}:{int(seconds) % 60:02}"

    assert words.summary(standings, 9, when) == said
