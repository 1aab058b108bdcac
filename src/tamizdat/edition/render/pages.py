# SPDX-License-Identifier: AGPL-3.0-or-later
"""The newsroom's own pages, and pages that say what happened: withdrawn, moved, not found."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markupsafe import Markup

from tamizdat.edition import body
from tamizdat.edition.errors import StoryError
from tamizdat.edition.paths import issue_of, page_path, url
from tamizdat.edition.render.articles import name_of
from tamizdat.edition.render.furniture import Tongue
from tamizdat.edition.render.templates import environment
from tamizdat.edition.site import Page
from tamizdat.edition.story import Story
from tamizdat.edition.views import Card, Link

_PAGE = environment.get_template("page.html")
_NOTICE = environment.get_template("notice.html")
_REDIRECT = environment.get_template("redirect.html")
_VERSION = re.compile(r"/v(\d+)/\Z")


def page(page: Page, tongue: Tongue, former: Sequence[Link]) -> bytes:
    """One of the newsroom's own pages, with links to its other versions."""
    present = page_path(tongue.code, page.slug)
    return _PAGE.render(
        f=tongue.furniture("page"),
        t=tongue.words.plain,
        title=f"{page.title} · {tongue.language.name}",
        description="",
        canonical=tongue.site.address + url(present),
        alternates=(),
        feeds=(),
        linked_data="",
        languages=tongue.language_links(_same_page(page.slug, tongue)),
        page=page,
        version=_version(page, tongue),
        body=Markup(body.clean(page.html)),  # noqa: S704 - cleaned.
        former=[(link.path, _title(link, tongue)) for link in former],
        outdated=_outdated(page, tongue, present),
    ).encode()


def _same_page(slug: str, tongue: Tongue) -> dict[str, str]:
    """The page with the same address in the paper's other languages."""
    return {
        language.code: page_path(language.code, slug)
        for language in tongue.site.languages
        if any(page.slug == slug for page in language.pages)
    }


def _version(page: Page, tongue: Tongue) -> str:
    words = tongue.words
    date = tongue.day(page.updated) if "T" in page.updated else page.updated
    if page.updated and "T" not in page.updated:
        date = tongue.day(f"{page.updated}T12:00:00+00:00")
    if page.version and date:
        return words.fill("version_dated", number=page.version, date=date)
    if page.version:
        return words.fill("version", number=page.version)
    return words.fill("updated", date=date) if date else ""


def _title(link: Link, tongue: Tongue) -> str:
    found = _VERSION.search(link.path)
    return tongue.words.fill("version", number=found[1]) if found else link.title


def _outdated(page: Page, tongue: Tongue, present: str) -> Link | None:
    """Where the present version is, on the page of a former one."""
    newest = max((p.version for p in tongue.language.pages if p.slug == page.slug), default=0)
    if page.version >= newest:
        return None
    return Link(path=present, title=tongue.words["outdated"])


def tombstone(story: Story, card: Card, tongue: Tongue) -> bytes:
    """What stands where a withdrawn story stood, or an issue of a newsletter: that it was, when,
    and why."""
    reason = story.withdrawal_reason
    if not reason:
        raise StoryError(f"{name_of(story)} was withdrawn without a reason: readers are owed one")
    words, issue = tongue.words, story.is_issue
    said = {"date": tongue.day(card.published), "headline": card.headline}
    when = words.fill(
        "issue_gone_on" if issue else "withdrawn_on", date=tongue.moment(card.updated)
    )
    what = (
        words.fill("issue_gone_title", **said, **_issue(story, card))
        if issue
        else words.fill("withdrawn_title", **said)
    )
    heading = words["issue_gone" if issue else "withdrawn"]
    advice = words["issue_gone_do" if issue else "withdrawn_do"]
    ways = [Link(path=tongue.front, title=words["to_front"])]
    if tongue.corrections_policy:
        ways.insert(0, Link(path=tongue.corrections_policy, title=words["corrections_policy"]))
    return _notice(tongue, heading, [when, what], advice, ways, reason=reason)


def _issue(story: Story, card: Card) -> dict[str, object]:
    """Which issue it was, of which newsletter."""
    slug, number = issue_of(card.path) or ("", 0)
    term = story.newsletter
    return {"number": number, "newsletter": (term.name if term else "") or slug}


def not_found(tongue: Tongue) -> bytes:
    """The page at addresses that have none."""
    words = tongue.words
    ways = [Link(path=tongue.front, title=words["to_front"])]
    return _notice(tongue, words["not_found"], [], words["not_found_do"], ways)


def _notice(
    tongue: Tongue,
    heading: str,
    sentences: Sequence[str],
    advice: str,
    ways: Sequence[Link],
    reason: str = "",
) -> bytes:
    return _NOTICE.render(
        f=tongue.furniture("page"),
        t=tongue.words.plain,
        title=f"{heading} · {tongue.language.name}",
        description="",
        canonical="",
        alternates=(),
        feeds=(),
        linked_data="",
        languages=tongue.language_links({}),
        heading=heading,
        sentences=sentences,
        advice=advice,
        reason=reason,
        ways=ways,
    ).encode()


def redirect(to_path: str, tongue: Tongue) -> bytes:
    """A page that leads on by itself, without script, and by a plain link."""
    return _REDIRECT.render(
        language=tongue.language,
        t=tongue.words.plain,
        to=url(to_path),
        canonical=tongue.site.address + url(to_path),
    ).encode()
