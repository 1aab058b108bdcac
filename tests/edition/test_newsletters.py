# SPDX-License-Identifier: AGPL-3.0-or-later
"""Newsletters and their issues as parts of the paper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from tamizdat.edition.errors import SiteError, StoryError
from tamizdat.edition.paper import Edition, page_renderer
from tamizdat.edition.site import Section, Site
from tamizdat.edition.story import AltId, Story, Term

from .newsletters import DAILY, NUMBER_OF_FILES, WEEKLY, make_issue, with_newsletters
from .papers import SITE, Stories, built, make_story, whole

LETTERS = with_newsletters(WEEKLY)
STORIES = [make_story(n) for n in range(1, 5)]
HOME = "/en/newsletter/weekly/"


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}


def sent(paper: Edition, folder: Path, *issues: Story, site: Site = LETTERS) -> set[str]:
    """The paths that publishing these changes."""
    before = whole(folder)
    paper.publish(list(issues), site)
    return changed(before, whole(folder))


def text(folder: Path, path: str) -> str:
    return whole(folder)[path][3].decode()


@pytest.mark.parametrize("archive", [1, 40])
def test_an_issue_writes_eight_files_however_many_there_are(quick: Path, archive: int) -> None:
    issues = [make_issue(n) for n in range(1, archive + 1)]
    paper = built(quick, [*STORIES, *issues], LETTERS, renderer=page_renderer)
    assert sent(paper, quick, make_issue(archive + 1)) == {
        f"{HOME}{archive + 1}/",
        f"{HOME}{archive}/",
        HOME,
        f"{HOME}feed.xml",
        f"{HOME}feed.json",
        "/en/newsletter/",
        "/sitemaps/newsletters.xml",
        "/sitemap.xml",
    }
    assert NUMBER_OF_FILES == 8


def test_an_issue_is_in_no_list_but_its_newsletters(quick: Path) -> None:
    built(quick, [*STORIES, make_issue(1)], LETTERS, renderer=page_renderer)
    holding = {path for path, found in whole(quick).items() if b"Week 1" in found[3]}
    assert holding == {HOME, f"{HOME}1/", f"{HOME}feed.xml", f"{HOME}feed.json"}


def test_issue_by_issue_is_the_same_paper_as_one_build(tmp_path: Path) -> None:
    site = with_newsletters(WEEKLY, DAILY)
    one, two = tmp_path / "one", tmp_path / "two"
    final = [
        *STORIES[1:],
        make_story(1, version=2, withdrawn=True),
        *(make_issue(n) for n in (1, 2, 4)),
        make_issue(3, version=2, withdrawn=True),
        make_issue(1, newsletter=DAILY),
    ]
    paper = built(one, STORIES, LETTERS)
    for issue in (make_issue(2), make_issue(1), make_issue(3)):
        paper.publish([issue], LETTERS)
    paper.publish([make_issue(1, newsletter=DAILY), make_issue(4)], site)
    paper.publish([make_issue(3, version=2, withdrawn=True)], site)
    paper.publish([make_story(1, version=2, withdrawn=True)], site)
    built(two, final, site)
    fronts = {"/", "/en/", "/ru/"}  # They show the edition's number.
    assert changed(whole(one), whole(two)) <= fronts


def test_an_issue_leads_to_those_beside_it_as_they_come_and_go(quick: Path) -> None:
    issues = [make_issue(n) for n in (1, 2, 3)]
    paper = built(quick, [*STORIES, *issues], LETTERS, renderer=page_renderer)
    assert f'href="{HOME}3/" rel="next"' in text(quick, f"{HOME}2/")
    assert f'href="{HOME}1/" rel="prev"' in text(quick, f"{HOME}2/")
    paper.publish([make_issue(2, version=2, withdrawn=True)], LETTERS)
    assert whole(quick)[f"{HOME}2/"][0] == 410
    assert "It was not so." in text(quick, f"{HOME}2/")
    assert f'href="{HOME}3/" rel="next"' in text(quick, f"{HOME}1/")
    assert "Week 2" not in text(quick, HOME) + text(quick, f"{HOME}feed.xml")


def test_a_story_that_is_corrected_or_moved_later_is_led_to_and_the_issue_says_what_it_said(
    quick: Path,
) -> None:
    issue = make_issue(1, elsewhere="https://archive.example/1")
    paper = built(quick, [*STORIES, issue], LETTERS, renderer=page_renderer)
    before = text(quick, f"{HOME}1/")
    corrected = make_story(1, version=2, headline="Another headline", slug="moved")
    paper.publish([corrected], LETTERS)
    after = text(quick, f"{HOME}1/")
    assert "Another headline" not in after
    assert f'<a href="{corrected.path}">Pick 1</a>' in after
    assert after.replace(corrected.path, make_story(1).path) == before
    assert '<a href="https://archive.example/1">From elsewhere</a>' in after


def test_a_story_that_is_withdrawn_later_is_named_without_link_and_blurb(quick: Path) -> None:
    paper = built(quick, [*STORIES, make_issue(1)], LETTERS, renderer=page_renderer)
    paper.publish([make_story(1, version=2, withdrawn=True)], LETTERS)
    page = text(quick, f"{HOME}1/")
    assert "<h3>Pick 1</h3>" in page
    assert "withdrawn since" in page
    assert make_story(1).path not in page
    assert "Blurb 1." not in page
    assert "Blurb 2." in page


def test_the_pages_come_and_go_with_newsletters_and_drops(quick: Path) -> None:
    paper = built(quick, STORIES, LETTERS, renderer=page_renderer)
    pages = {HOME, f"{HOME}feed.xml", f"{HOME}feed.json", "/en/newsletter/"}
    assert {p for p in whole(quick) if "newsletter" in p} == pages
    for site in (with_newsletters(), with_newsletters(WEEKLY, drops=())):
        paper.build(Stories(STORIES), site)
        assert {p for p, found in whole(quick).items() if "newsletter" in p} == set()
        assert b"/newsletter/" not in b"".join(found[3] for found in whole(quick).values())


def test_what_was_sent_stays_when_nobody_can_sign_up_any_more(quick: Path) -> None:
    paper = built(quick, [*STORIES, make_issue(1)], LETTERS)
    paper.publish([], with_newsletters(DAILY))
    there = set(whole(quick))
    assert {HOME, f"{HOME}1/", "/en/newsletter/daily/", "/en/newsletter/"} <= there
    paper.publish([], SITE)
    assert {p for p in whole(quick) if "newsletter" in p} == {
        HOME, f"{HOME}1/", f"{HOME}feed.xml", f"{HOME}feed.json", "/sitemaps/newsletters.xml",
    }  # fmt: skip
    page = text(quick, HOME)
    assert "Week 1" in page


def test_another_drop_or_policy_changes_the_pages_to_sign_up_on_and_no_article(quick: Path) -> None:
    paper = built(quick, STORIES, LETTERS, renderer=page_renderer)
    before = whole(quick)
    older = msgspec.structs.replace(WEEKLY, privacy=1)
    paper.publish([], with_newsletters(older, drops=("https://other.example",)))
    touched = changed(before, whole(quick))
    assert {HOME, "/en/newsletter/"} <= touched
    assert make_story(1).path not in touched
    page = text(quick, HOME)
    assert 'action="https://other.example/v1/subscribe"' in page
    assert 'name="privacy" value="1"' in page
    assert 'href="/en/privacy/v1/"' in page


def test_a_renamed_newsletter_is_renamed_wherever_it_is_named(quick: Path) -> None:
    paper = built(quick, [*STORIES, make_issue(1)], LETTERS, renderer=page_renderer)
    renamed = with_newsletters(msgspec.structs.replace(WEEKLY, title="The fortnight"))
    assert paper.needs_build(renamed)
    assert not paper.needs_build(LETTERS)


def test_a_long_archive_is_cut_into_pages_that_stay(quick: Path) -> None:
    issues = [make_issue(n, (1,)) for n in range(1, 131)]
    paper = built(quick, [*STORIES, *issues], LETTERS, renderer=page_renderer)
    volumes = {p for p in whole(quick) if p.startswith(HOME) and p.count("-")}
    assert len(volumes) == 1
    shown = text(quick, HOME) + text(quick, *volumes)
    assert all(f'href="{HOME}{n}/"' in shown for n in range(1, 131))
    [volume] = volumes
    assert f'href="{volume}"' in text(quick, HOME)
    assert volume not in sent(paper, quick, make_issue(131, (1,)))


def test_a_section_keeps_the_address_until_its_language_has_a_newsletter(quick: Path) -> None:
    section = Section(slug="newsletter", title="Letters")
    english = msgspec.structs.replace(SITE.languages[0], sections=(section,))
    site = msgspec.structs.replace(SITE, languages=(english, *SITE.languages[1:]))
    built(quick, [make_story(1, section="newsletter")], site)
    assert make_story(1).path in text(quick, "/en/newsletter/")
    with pytest.raises(SiteError, match="sign up for newsletters"):
        with_newsletters(WEEKLY, site=site).check()


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        ({"slug": "Weekly"}, "address of a newsletter"),
        ({"slug": "12"}, "address of a newsletter"),
        ({"slug": "a/b"}, "address of a newsletter"),
        ({"title": ""}, "no title"),
        ({"privacy": 0}, "no privacy policy"),
        ({"privacy": 3}, "does not have"),
        ({"policy": "nothing"}, "does not have"),
    ],
)
def test_newsletters_that_cannot_be_are_refused(bad: dict[str, Any], says: str) -> None:
    with pytest.raises(SiteError, match=says):
        with_newsletters(msgspec.structs.replace(WEEKLY, **bad)).check()
    with pytest.raises(SiteError, match="share the address"):
        with_newsletters(WEEKLY, WEEKLY).check()


@pytest.mark.parametrize(
    "path",
    [
        "/en/newsletter/daily/1/",
        "/ru/newsletter/weekly/1/",
        "/en/newsletter/weekly/0/",
        "/en/newsletter/weekly/",
        "/en/2026/11/22/week/",
        "",
    ],
)
def test_an_issue_lies_under_its_newsletter_and_nowhere_else(quick: Path, path: str) -> None:
    paper = built(quick, STORIES, LETTERS)
    issue = make_issue(1)
    issue.alt_ids = [AltId(role="path", value=path)]
    with pytest.raises(StoryError, match="address of an issue"):
        paper.publish([issue], LETTERS)
    story = make_story(9)
    story.alt_ids = make_issue(1).alt_ids
    story.subjects = [*story.subjects, Term(rel="newsletter", literal="weekly")]
    with pytest.raises(StoryError, match="cannot be its address"):
        paper.publish([story], LETTERS)
