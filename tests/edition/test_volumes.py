# SPDX-License-Identifier: AGPL-3.0-or-later
"""Lists are cut where their stories say, and what happens to one story stays near it."""

from __future__ import annotations

import random
import re
from bisect import bisect_left
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamizdat.edition import Edition, paths, volumes
from tamizdat.edition.paper import page_renderer
from tamizdat.edition.rows import rank
from tamizdat.edition.site import Language, Pins, Section, Site
from tamizdat.edition.story import Story, Text
from tamizdat.edition.volumes import LONGEST, SHORTEST, WHOLE, Volume
from tests.edition.papers import NOW, SITE, built, make_story, uri_of, whole

BERLIN = paths.zone("Europe/Berlin")
BEGAN = datetime(2006, 1, 1, tzinfo=UTC)


def ranks_of(days: Sequence[int]) -> list[int]:
    """A list's ranks: story ``n`` was published on day ``n``."""
    return sorted(rank(BEGAN + timedelta(days=day), f"urn:{day}") for day in days)


def reader(ranks: Sequence[int]) -> volumes.Read:
    return lambda start: ranks[(at := bisect_left(ranks, start)) : at + WHOLE]


def cut(ranks: Sequence[int]) -> list[Volume]:
    return volumes.named(((c.first, c.last) for c in volumes.cut(reader(ranks))), BERLIN)


def counter(ranks: Sequence[int]) -> volumes.Count:
    return lambda first, last: sum(first <= rank <= last for rank in ranks)


# A few here and there, or many beside one another.
DAYS = st.one_of(
    st.sets(st.integers(0, 900), max_size=4),
    st.builds(
        lambda first, size: set(range(first, min(first + size, 901))),
        st.integers(0, 900),
        st.integers(1, 300),
    ),
)


@given(st.integers(0, 900), st.integers(0, 9999), st.lists(DAYS, max_size=8))
def test_a_list_is_cut_alike_whatever_order_stories_came_in(
    size: int, seed: int, batches: list[set[int]]
) -> None:
    present = set(random.Random(seed).sample(range(901), size))
    known = cut(ranks_of(sorted(present)))
    for batch in batches:
        present ^= batch  # Those that are there go, the others come.
        ranks, moved = ranks_of(sorted(present)), ranks_of(sorted(batch))
        stands = bool(moved) and volumes.stands(known, moved, counter(ranks))
        before, known = known, volumes.named(volumes.recut(known, moved, reader(ranks)), BERLIN)
        assert known == cut(ranks)
        assert known == before or not stands


@given(st.integers(0, 2000), st.integers(1, 50), st.integers(0, 9999))
def test_volumes_are_neither_short_nor_long(size: int, spread: int, seed: int) -> None:
    ranks = ranks_of(random.Random(seed).sample(range(size * spread), size))
    found = cut(ranks)
    sizes = [bisect_left(ranks, v.last) - bisect_left(ranks, v.first) + 1 for v in found]
    assert all(SHORTEST <= size < LONGEST for size in sizes)
    rest = len(ranks) - sum(sizes)
    assert rest < WHOLE
    assert rest > WHOLE - LONGEST or not found
    assert len({volume.name for volume in found}) == len(found)


def test_where_most_of_the_newest_stories_go_at_once_older_volumes_open_too() -> None:
    ranks = ranks_of(range(1225, 1525))
    before = cut(ranks)
    for left in range(0, 300, 10):
        found = volumes.recut(before, ranks[left:], reader(ranks[:left]))
        assert volumes.named(found, BERLIN) == cut(ranks[:left]), left


def test_a_story_that_goes_changes_its_own_volume_and_hardly_another() -> None:
    ranks = ranks_of(range(6000))
    before = cut(ranks)
    changes = []
    for gone in range(30, 5800, 19):
        left = ranks[:gone] + ranks[gone + 1 :]
        after = volumes.named(volumes.recut(before, [ranks[gone]], reader(left)), BERLIN)
        changes.append(len(volumes.changed(before, after, [ranks[gone]])))
    assert sum(changes) / len(changes) < 1.5
    assert max(changes) < 10


def test_a_new_story_changes_no_volume_but_once_the_one_before_it() -> None:
    ranks = ranks_of(range(3000))
    known: list[Volume] = []
    for size in range(1, 1000):
        new = volumes.recut(known, [ranks[size - 1]], reader(ranks[:size]))
        named = volumes.named(new, BERLIN)
        assert named[: len(known)] == known
        # The new volume, and the one that now leads on to it and no more to the list's own page.
        assert len(volumes.changed(known, named, [ranks[size - 1]])) <= 2 * (named != known)
        # Nothing but counting is needed to see that it is no other.
        assert volumes.stands(known, [ranks[size - 1]], counter(ranks[:size])) == (named == known)
        known = named


def test_volumes_are_named_by_the_month_in_which_they_begin() -> None:
    days = [datetime(2019, 3, day, 23, 30, tzinfo=UTC) for day in (1, 20, 31)]
    pairs = [(rank(day, "a"), rank(day + timedelta(days=3), "b")) for day in days]
    named = volumes.named(pairs, BERLIN)
    assert [volume.name for volume in named] == ["2019-03", "2019-03-2", "2019-04"]
    assert volumes.span(named[0], BERLIN) == "2019-03-02/2019-03-05"


# In a paper

THREE = Site(
    address="https://lantern.example",
    timezone="Europe/Berlin",
    languages=tuple(
        Language(
            code=code,
            name=name,
            sections=(Section(slug="harbour", title=title),),
            pins=(Pins(section="harbour", stories=(uri_of(3 + n), uri_of(597 + n))),),
        )
        for n, (code, name, title) in enumerate(
            [
                ("en", "The Lantern", "Harbour"),
                ("ru", "Фонарь", "Гавань"),
                ("ar", "الفنار", "الميناء"),
            ]
        )
    ),
)
LISTS = ("harbour/", "topics/ferries/", "places/north-quay/", "people/anna-brandt/", "series/ice/")


def stories(count: int = 900, site: Site = THREE) -> list[Story]:
    return [
        make_story(
            n,
            published=NOW - timedelta(hours=31 * (count - n)),
            language=site.languages[n % len(site.languages)].code,
            places=("north-quay",),
            series=("ice",),
        )
        for n in range(count)
    ]


def links(html: str, form: str) -> list[str]:
    return re.findall(rf'href="({form})"', html)


def walk(paper: Edition, front: str) -> list[str]:
    """The pages of a list, as a reader comes to them by “older stories”."""
    found, path = [], front
    while path:
        answer = paper.read(path)
        assert answer is not None, path
        found.append(answer.data.decode())
        path = next(iter(re.findall(r'href="([^"]*)" rel="prev"', found[-1])), "")
    return found


@pytest.mark.parametrize("code", ["en", "ru", "ar"])
def test_every_story_is_reached_from_its_lists_and_stands_once_on_a_page(
    quick: Path, code: str
) -> None:
    paper = built(quick, stories(), THREE, renderer=page_renderer)
    why = [Text(value="It was not so.", role="withdrawal")]
    gone = msgspec.structs.replace(
        stories()[450], version="2", pub_status="canceled", descriptions=why
    )
    paper.publish([gone, make_story(901, language=code, published=NOW)], THREE)
    live = {s.path for s in stories() if s.language == code and s.uri != gone.uri}
    for name in LISTS:
        front = f"/{code}/{name}"
        shown = [
            links(re.sub(r'<a class="thumb".*?</a>', "", page), rf"/{code}/\d+/\d\d/\d\d/[^/]+/")
            for page in walk(paper, front)
        ]
        assert all(page and len(page) == len(set(page)) for page in shown)
        assert live <= {path for page in shown for path in page}
        assert len(shown) >= 4
        assert all(len(page) < LONGEST for page in shown[1:])
        first = paper.read(front)
        assert first is not None
        assert links(first.data.decode(), rf"{front}\d\d\d\d-\d\d(?:-\d+)?/")


def test_from_the_oldest_volume_readers_come_back_to_the_list(quick: Path) -> None:
    paper = built(quick, stories(), THREE, renderer=page_renderer)
    oldest = walk(paper, "/en/topics/ferries/")[-1]
    steps, path = 0, re.findall(r'href="([^"]*)" rel="next"', oldest)
    while path and path[0] != "/en/topics/ferries/":
        answer = paper.read(path[0])
        assert answer is not None
        steps, path = steps + 1, re.findall(r'href="([^"]*)" rel="next"', answer.data.decode())
    assert path == ["/en/topics/ferries/"]
    assert steps == len(walk(paper, "/en/topics/ferries/")) - 2


def test_a_list_of_few_stories_is_one_page(quick: Path) -> None:
    many = [make_story(n, section="court") for n in range(WHOLE - 1)]
    paper = built(quick, many)
    assert [p for p in whole(quick) if re.search(r"/\d{4}-\d\d/\Z", p)] == []
    assert len(walk(paper, "/en/topics/ferries/")) == 1
    paper.publish([make_story(WHOLE, section="court")], SITE)
    found = sorted(p for p in whole(quick) if re.search(r"/\d{4}-\d\d/\Z", p))
    assert [p.rpartition("/")[0].rpartition("/")[0] for p in found] == [
        "/en/court", "/en/people/anna-brandt", "/en/topics/ferries",
    ]  # fmt: skip


def test_withdrawing_an_old_story_rewrites_its_own_pages_alone(quick: Path) -> None:
    """Of each of its lists one volume, however many there are after it."""
    counts = []
    for size in (400, 1600):
        made = [make_story(n, places=("north-quay",)) for n in range(size)]
        paper = built(quick / str(size), made)
        before = whole(quick / str(size))
        paper.publish([make_story(70, places=("north-quay",), withdrawn=True, version=2)], SITE)
        after = whole(quick / str(size))
        counts.append(sum(before.get(p) != after.get(p) for p in before | after))
    assert counts[0] == counts[1]
    assert counts[0] < 20
