# SPDX-License-Identifier: AGPL-3.0-or-later
"""However a paper came about, its stories alone decide what it is, byte for byte."""

from __future__ import annotations

import os
import re
import tempfile
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tamizdat.edition import Story, StoryError, builder, index, listings, parallel, volumes
from tamizdat.edition.reader import Reader
from tamizdat.edition.site import Pins, Profile, Site
from tests.edition.papers import (
    NOW,
    SITE,
    Stories,
    address,
    built,
    edition,
    make_story,
    tree_of,
    uri_of,
    whole,
)

# In memory where there is such a folder: hypothesis makes hundreds of papers.
QUICK = "/dev/shm" if Path("/dev/shm").is_dir() else None
EXAMPLES = int(os.environ.get("TAMIZDAT_EXAMPLES", "25"))
FRONTS = ("/", "/en/", "/ru/")
# Two days of 2025 and 2026 around a turn of the year, so that periods come and go.
TIMES = [NOW - timedelta(days=d, hours=h) for d in (0, 1, 20, 50, 300, 340) for h in (0, 5)]


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists of three a page and shards of four show at ten stories what others do at hundreds."""
    monkeypatch.setattr(listings, "PART", 3)
    monkeypatch.setattr(listings, "SPANS", 2)
    monkeypatch.setattr(volumes, "SHORTEST", 2)
    monkeypatch.setattr(volumes, "LONGEST", 4)
    monkeypatch.setattr(volumes, "WHOLE", 5)
    monkeypatch.setattr(listings, "FEED", 5)
    monkeypatch.setattr(listings, "LATEST", 3)
    monkeypatch.setattr(index, "SHARD", 4)


@dataclass
class Draft:
    """What hypothesis changes of a story."""

    number: int
    time: int = 0
    language: str = "en"
    slug: str = "s"
    section: str = "harbour"
    topics: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    related: tuple[int, ...] = ()
    translation: str = ""
    headline: str = "h"
    withdrawn: bool = False
    withheld: bool = False
    former: tuple[str, ...] = ()
    version: int = 1
    extra: str = field(default="")

    def story(self) -> Story:
        made = make_story(
            self.number,
            published=TIMES[self.time],
            language=self.language,
            slug=f"{self.slug}-{self.number}",
            section=self.section,
            topics=self.topics,
            people=self.people,
            related=[uri_of(n) for n in self.related],
            translation=self.translation,
            headline=self.headline,
            withdrawn=self.withdrawn,
            former=self.former,
            version=self.version,
            places=(self.extra,) if self.extra else (),
        )
        return msgspec.structs.replace(made, pub_status="withheld") if self.withheld else made


DRAFTS = st.builds(
    Draft,
    number=st.integers(0, 11),
    time=st.integers(0, len(TIMES) - 1),
    language=st.sampled_from(["en", "en", "ru"]),
    slug=st.sampled_from(["a", "b", "слово"]),
    section=st.sampled_from(["harbour", "court", "unlisted"]),
    topics=st.lists(st.sampled_from(["x", "y", "z"]), max_size=2, unique=True).map(tuple),
    people=st.lists(st.sampled_from(["p", "q"]), max_size=1).map(tuple),
    related=st.lists(st.integers(0, 11), max_size=3, unique=True).map(tuple),
    translation=st.sampled_from(["", "", "t1", "t2"]),
    headline=st.sampled_from(["h", "another", "слова"]),
    withdrawn=st.sampled_from([False, False, False, True]),
    withheld=st.sampled_from([False, False, False, False, True]),
    extra=st.sampled_from(["", "", "north-quay", "Север"]),
)
BATCHES = st.lists(st.lists(DRAFTS, min_size=1, max_size=3), min_size=1, max_size=6)


def told(found: dict[str, tuple[int, str, str, bytes]]) -> dict[str, object]:
    """A paper without the edition's number on its fronts."""
    for path in FRONTS:
        status, location, media_type, data = found[path]
        data = re.sub(rb'"edition":\d+', b"", data)
        found[path] = (status, location, media_type, data)
    return dict(found)


def with_history(present: dict[int, Draft], draft: Draft) -> Draft:
    """The draft as the next version of what is there: it keeps its day, language and addresses."""
    old = present.get(draft.number)
    if old is None:
        return draft
    draft.time, draft.language, draft.version = old.time, old.language, old.version + 1
    draft.former = old.former
    if draft.slug != old.slug:
        was = address(old.number, old.language, TIMES[old.time], f"{old.slug}-{old.number}")
        draft.former = (*(p for p in old.former if p != was), was)
    return draft


@pytest.mark.usefixtures("small_pages")
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(start=st.lists(DRAFTS, max_size=12), batches=BATCHES)
def test_publishing_bit_by_bit_makes_the_paper_that_one_build_makes(
    start: list[Draft], batches: list[list[Draft]]
) -> None:
    with tempfile.TemporaryDirectory(dir=QUICK) as name:
        folder = Path(name)
        present = {draft.number: draft for draft in start}
        paper = built(folder / "bits", [d.story() for d in present.values()], tree=True)
        for batch in batches:
            stories = []
            for draft in batch:
                present[draft.number] = with_history(present, draft)
                stories.append(present[draft.number].story())
            paper.publish(stories, SITE)
        built(folder / "once", [d.story() for d in present.values()], tree=True)
        bits, once = told(whole(folder / "bits")), told(whole(folder / "once"))
        assert sorted(bits) == sorted(once)
        assert {p for p in bits if bits[p] != once[p]} == set()
        assert sorted(tree_of(folder / "bits")) == sorted(tree_of(folder / "once"))
        assert tree_of(folder / "bits").keys() >= {"index.html", "en/index.html", "robots.txt"}


SITES = [
    SITE,
    msgspec.structs.replace(SITE, front_stories=2),
    msgspec.structs.replace(
        SITE,
        languages=(
            msgspec.structs.replace(
                SITE.languages[0],
                profiles=(Profile(kind="topic", slug="x", title="Everything of X"),),
                pins=(
                    Pins(section="", stories=(uri_of(3), uri_of(99))),
                    Pins(section="harbour", stories=(uri_of(1), uri_of(4))),
                ),
                pages=SITE.languages[0].pages[:2],
            ),
            SITE.languages[1],
        ),
    ),
]


@pytest.mark.usefixtures("small_pages")
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    drafts=st.lists(DRAFTS, min_size=1, max_size=10, unique_by=lambda d: d.number),
    sites=st.lists(st.sampled_from(SITES), min_size=1, max_size=3),
    more=DRAFTS,
)
def test_a_changed_site_ends_as_if_it_had_always_been_so(
    drafts: list[Draft], sites: list[Site], more: Draft
) -> None:
    with tempfile.TemporaryDirectory(dir=QUICK) as name:
        folder = Path(name)
        present = {draft.number: draft for draft in drafts}
        paper = built(folder / "bits", [d.story() for d in drafts])
        for site in sites[:-1]:
            paper.refresh(site)
        more = with_history(present, more)
        present[more.number] = more
        paper.publish([more.story()], sites[-1])
        built(folder / "once", [d.story() for d in present.values()], sites[-1])
        bits, once = told(whole(folder / "bits")), told(whole(folder / "once"))
        assert sorted(bits) == sorted(once)
        assert {p for p in bits if bits[p] != once[p]} == set()


def test_processes_make_the_paper_that_one_process_makes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stories = [
        make_story(
            n, related=[uri_of(n + 7)], translation=f"t{n // 2}", language=("en", "ru")[n % 2]
        )
        for n in range(620)
    ]
    built(tmp_path / "one", stories, workers=1, tree=True)
    built(tmp_path / "two", stories, workers=2, tree=True)
    assert whole(tmp_path / "one") == whole(tmp_path / "two")
    assert tree_of(tmp_path / "one") == tree_of(tmp_path / "two")
    monkeypatch.setattr(parallel, "can_fork", lambda: False)  # Workers that begin anew.
    built(tmp_path / "anew", stories, workers=2, tree=True)
    assert whole(tmp_path / "one") == whole(tmp_path / "anew")


def test_workers_are_copies_only_of_a_process_without_threads() -> None:
    over = threading.Event()
    beside = threading.Thread(target=over.wait, daemon=True)
    beside.start()
    assert not parallel.can_fork()
    over.set()
    beside.join()


def test_building_again_changes_nothing_but_the_number(tmp_path: Path) -> None:
    stories = [make_story(n) for n in range(30)]
    built(tmp_path, stories)
    first = whole(tmp_path)
    report = edition(tmp_path).build(_source(stories), SITE)
    assert (report.edition, report.removed) == (2, 0)
    assert report.files == 3  # the fronts, which show the number
    assert told(whole(tmp_path)) == told(first)


def test_the_order_of_stories_does_not_matter(tmp_path: Path) -> None:
    stories = [make_story(n, topics=("x", "y")) for n in range(20)]
    built(tmp_path / "a", stories)
    built(tmp_path / "b", stories[::-1])
    assert whole(tmp_path / "a") == whole(tmp_path / "b")


def test_a_story_that_cannot_be_published_changes_nothing(tmp_path: Path) -> None:
    paper = built(tmp_path, [make_story(n) for n in range(5)])
    before = whole(tmp_path)
    with pytest.raises(StoryError, match="urn:lantern:9"):
        paper.publish([make_story(8), make_story(9, body="unrenderable")], SITE)
    assert whole(tmp_path) == before
    report = paper.publish([make_story(8)], SITE)
    assert report.edition == 2


def _source(stories: list[Story]) -> object:
    from tests.edition.papers import Stories

    return Stories(stories)


@pytest.mark.usefixtures("small_pages")
def test_an_index_in_parts_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large papers' indexes are made in parts, each beside the same part of the last one."""
    first = [make_story(n) for n in range(12)]
    second = [make_story(n, headline="Another") if n == 3 else make_story(n) for n in range(1, 13)]
    found = []
    for name, streamed in (("whole", 4096), ("parts", 0)):
        monkeypatch.setattr(builder, "STREAMED", streamed)
        paper = edition(tmp_path / name)
        reports = [paper.build(Stories(stories), SITE) for stories in (first, second)]
        pointer = Reader(tmp_path / name).pointer()
        assert pointer is not None
        found.append((pointer.root, [(r.pages, r.files, r.removed) for r in reports]))
    assert found[0] == found[1]
    assert found[0][1][1][2] > 0
