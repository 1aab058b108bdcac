# SPDX-License-Identifier: AGPL-3.0-or-later
"""Invented newsletters and their issues."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import msgspec

from tamizdat.edition.site import Letters, Newsletter, Site
from tamizdat.edition.story import ISSUE, AltId, Story, Term, Text

from .papers import NOW, SITE, make_story, uri_of

RECIPIENT = "age1xmwwc06ly3ee5rytxm9mflaz2u56jjj36s0mypdrwsvlul66mv4q47ryef"
WEEKLY = Newsletter(
    slug="weekly",
    title="The week",
    about="A selection by hand.",
    often="Every Friday.",
    privacy=2,
    policy="privacy",
)
DAILY = msgspec.structs.replace(WEEKLY, slug="daily", title="The day")
DROPS = ("https://drop.example",)
NUMBER_OF_FILES = 8
"""Written when an issue is sent: its page, that of the one before it, the newsletter's own, its two
feeds, the page of all newsletters, the sitemap of issues, the index of sitemaps."""


def with_newsletters(
    *newsletters: Newsletter, drops: tuple[str, ...] = DROPS, site: Site = SITE
) -> Site:
    """The paper with these newsletters in English."""
    english = msgspec.structs.replace(site.languages[0], newsletters=newsletters)
    letters = Letters(drops=drops, recipient=RECIPIENT) if drops else Letters()
    return msgspec.structs.replace(site, languages=(english, *site.languages[1:]), letters=letters)


def make_issue(
    number: int,
    picks: Sequence[int] = (1, 2),
    *,
    newsletter: Newsletter = WEEKLY,
    version: int = 1,
    withdrawn: bool = False,
    elsewhere: str = "",
) -> Story:
    """One a week, the newest with the highest number. The first story is news, the others are
    features; ``elsewhere`` is an address out of the paper that it ends with."""
    when = (NOW - timedelta(weeks=500 - number)).isoformat()
    chosen = [_pick(n, "News" if n == picks[0] else "Features") for n in picks]
    if elsewhere:
        named = [Text(value="From elsewhere", role="main")]
        chosen.append(Story(uri=elsewhere, rel="pick", headlines=named))
    return Story(
        uri=f"urn:lantern:issue:{newsletter.slug}:{number}",
        type="composite",
        profile=ISSUE,
        version=str(version),
        language="en",
        first_created=when,
        version_created=when,
        pub_status="canceled" if withdrawn else "usable",
        headlines=[Text(value=f"Week {number}", role="main")],
        descriptions=[
            Text(value="It was not so.", role="withdrawal")
            if withdrawn
            else Text(value="Ships and grain.", role="standfirst")
        ],
        bodies=[Text(value="<p>Dear readers.</p>", role="main", content_type="text/html")],
        by="Ada Quill",
        subjects=[Term(rel="newsletter", literal=newsletter.slug, name=newsletter.title)],
        associations=chosen,
        alt_ids=[AltId(role="path", value=f"/en/newsletter/{newsletter.slug}/{number}/")],
    )


def _pick(number: int, heading: str) -> Story:
    return Story(
        uri=uri_of(number),
        rel="pick",
        headlines=[Text(value=f"Pick {number}", role="main")],
        descriptions=[Text(value=f"Blurb {number}.", role="standfirst")],
        subjects=[Term(rel="heading", name=heading)],
        alt_ids=[AltId(role="path", value=make_story(number).path)],
    )
