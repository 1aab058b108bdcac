# SPDX-License-Identifier: AGPL-3.0-or-later
"""A list's own page and a month's sitemap are made of what they were, and nobody can tell."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tamizdat.edition import Story
from tamizdat.edition.paper import page_renderer
from tamizdat.edition.render import PageRenderer
from tamizdat.edition.render.lists import FULL
from tamizdat.edition.site import Pins, Site
from tamizdat.edition.views import Card, Splice
from tamizdat.edition.volumes import WHOLE
from tests.edition.papers import NOW, SITE, built, make_story, whole

FRONTS = ("/", "/en/", "/ru/")  # They show the number of the edition.
COUNT = FULL + 4
Draft = dict[str, object]


class Watched(PageRenderer):
    """The renderer that papers have, and what became of the pages it was asked to change."""

    made: list[bool]
    maps: list[bool]

    def spliced(
        self, former: bytes, splice: Splice, language: str, card_at: Callable[[str], Card | None]
    ) -> bytes | None:
        found = super().spliced(former, splice, language, card_at)
        self.made.append(found is not None)
        return found

    def spliced_sitemap(self, *change: Any) -> tuple[bytes, str] | None:
        found = super().spliced_sitemap(*change)
        self.maps.append(found is not None)
        return found


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    found: list[bool] = []
    monkeypatch.setattr(Watched, "made", found, raising=False)
    monkeypatch.setattr(Watched, "maps", [], raising=False)
    return found


def story(number: int, draft: Draft) -> Story:
    return make_story(number, topics=draft.get("topics", ("ferries",)), **_others(draft))  # type: ignore[arg-type]  # as a draft has them


def _others(draft: Draft) -> Draft:
    return {key: value for key, value in draft.items() if key != "topics"}


def told(folder: Path) -> dict[str, object]:
    return {path: found for path, found in whole(folder).items() if path not in FRONTS}


STEPS: list[tuple[str, int, Draft]] = [
    ("the newest story", 100, {}),
    ("a headline with marks in it", 100, {"headline": '</article>"href="&<ul>', "version": 2}),
    ("a correction of a row below", 1, {"headline": "Corrected", "version": 2}),
    ("an older story between others", 101, {"published": NOW - timedelta(days=400, hours=-3.5)}),
    ("one of the first goes, one moves up", 22, {"withdrawn": True, "version": 2}),
    ("the first goes", 100, {"withdrawn": True, "version": 3}),
    ("another address", 20, {"slug": "elsewhere", "version": 2}),
    ("out of the topic", 21, {"topics": ("weather",), "version": 2}),
    ("into the topic again", 21, {"version": 3}),
    ("among the first, as a new one", 102, {"published": NOW - timedelta(days=399, hours=4.5)}),
]


def test_lists_are_what_they_would_be_made_anew(quick: Path, made: list[bool]) -> None:
    drafts: dict[int, Draft] = {number: {} for number in range(COUNT)}
    paper = built(quick / "paper", (story(n, d) for n, d in drafts.items()), renderer=Watched)
    for step, (why, number, draft) in enumerate(STEPS):
        drafts[number] = draft
        made.clear()
        paper.publish([story(number, draft)], SITE)
        assert made.count(True) >= 3, why  # topic, person, section
        assert set(Watched.maps) == {True}, why
        anew = [story(n, d) for n, d in drafts.items()]
        built(quick / str(step), anew, renderer=page_renderer)
        assert told(quick / "paper") == told(quick / str(step)), why


def test_translations_that_come_and_go_stand_in_the_sitemaps_of_both(
    quick: Path, made: list[bool]
) -> None:
    drafts: dict[int, Draft] = {number: {} for number in range(6)}
    drafts |= {50: {"language": "ru", "section": "gavan"}, 60: {"published": NOW}}
    paper = built(quick / "paper", (story(n, d) for n, d in drafts.items()), renderer=Watched)
    russian: Draft = {"language": "ru", "section": "gavan", "translation": "t"}
    for step, (number, draft) in enumerate([
        (3, {"translation": "t", "version": 2}),
        (51, russian),
        (52, {**russian, "published": NOW - timedelta(hours=1)}),
        (51, {**russian, "version": 2, "withdrawn": True}),
        (3, {"version": 3, "slug": "elsewhere", "translation": "t"}),
        (52, {**russian, "version": 2, "published": NOW, "translation": ""}),
        (60, {"published": NOW, "version": 2, "withdrawn": True}),
    ]):  # fmt: skip
        drafts[number] = draft
        paper.publish([story(number, draft)], SITE)
        anew = [story(n, d) for n, d in drafts.items()]
        built(quick / str(step), anew, renderer=page_renderer)
        assert told(quick / "paper") == told(quick / str(step)), step
    assert all(Watched.maps)
    assert len(Watched.maps) >= 7


def test_several_at_once_and_few_stories_and_volumes(quick: Path, made: list[bool]) -> None:
    size = WHOLE - 2
    drafts: dict[int, Draft] = {number: {} for number in range(size)}
    paper = built(quick / "paper", (story(n, d) for n, d in drafts.items()), renderer=Watched)
    many: list[dict[int, Draft]] = [
        {3: {"headline": "Third", "version": 2}, 500: {}},
        {501: {}},  # A volume is closed.
        {502: {}, 4: {"headline": "Fourth", "version": 2}},
        {n: {"withdrawn": True, "version": 9} for n in range(30, size)},
        {n: {"withdrawn": True, "version": 9} for n in range(FULL, 30)},
        {503: {}},
    ]
    for step, batch in enumerate(many):
        drafts |= batch
        paper.publish([story(n, d) for n, d in batch.items()], SITE)
        built(quick / str(step), [story(n, d) for n, d in drafts.items()], renderer=page_renderer)
        assert told(quick / "paper") == told(quick / str(step)), step
    assert any(made)


def test_pinned_stories_and_another_site_make_lists_anew(quick: Path, made: list[bool]) -> None:
    stories = [make_story(n) for n in range(5)]
    pins = (Pins(section="harbour", stories=(stories[1].uri,)),)
    changed = _replace_language(SITE, pins)
    paper = built(quick / "paper", stories, renderer=Watched)
    for step, site in enumerate((changed, changed, SITE)):
        stories.append(make_story(10 + step))
        paper.publish(stories[-1:], site)
        built(quick / str(step), stories, site, renderer=page_renderer)
        assert told(quick / "paper") == told(quick / str(step)), step


def _replace_language(site: Site, pins: tuple[Pins, ...]) -> Site:
    first = msgspec.structs.replace(site.languages[0], pins=pins)
    return msgspec.structs.replace(site, languages=(first, *site.languages[1:]))


def test_a_page_that_is_damaged_is_made_anew(quick: Path) -> None:
    stories = [make_story(n) for n in range(3)]
    paper = built(quick / "paper", stories, renderer=page_renderer)
    found = paper.read("/en/topics/ferries/")
    assert found is not None
    name = next(f for f in (quick / "paper" / "objects").rglob("*") if _is(f, found.data))
    name.write_bytes(found.data.replace(b"Headline 1", b"Headline 9"))
    paper.publish([make_story(9)], SITE)
    built(quick / "anew", [*stories, make_story(9)], renderer=page_renderer)
    assert told(quick / "paper") == told(quick / "anew")


def _is(file: Path, data: bytes) -> bool:
    return file.is_file() and file.read_bytes() == data
