# SPDX-License-Identifier: AGPL-3.0-or-later
"""Newsletters: the pages to sign up on, issues as readers got them.

What always holds: a form is only where there is a letterbox. An issue's text stays as it was sent;
a story that was withdrawn since is named without a link, every other link leads to what it is now.

What is not done here: which issues there are (``compose``), what becomes of an address that was
given (``tamizdat.drop``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from markupsafe import Markup, escape

from tamizdat.edition import body
from tamizdat.edition.paths import issue_of, listing_path, newsletters_path, page_path, url
from tamizdat.edition.render import linked
from tamizdat.edition.render.bymail import box
from tamizdat.edition.render.furniture import Tongue
from tamizdat.edition.render.letters import elsewhere, form_words, words
from tamizdat.edition.render.lists import period_words
from tamizdat.edition.render.photo import IN_TEXT, Photo
from tamizdat.edition.render.templates import environment, trusted
from tamizdat.edition.site import Newsletter
from tamizdat.edition.story import Story
from tamizdat.edition.views import ArticleFacts, Card, FeedItem, Link, ListingPage

_SIGN_UP = environment.get_template("newsletter.html")
_ISSUE = environment.get_template("issue.html")


class Pick(NamedTuple):
    """A story as an issue shows it; ``href`` is empty where it was withdrawn."""

    headline: str
    href: str
    kicker: str
    blurb: str
    by: str
    gone: bool


# Pages to sign up on


def newsletter(page: ListingPage, tongue: Tongue) -> bytes:
    """A newsletter's own page: what it is, the form, its latest issue, those before it."""
    shown, site = page.listing, tongue.site
    letter = next((n for n in tongue.newsletters if n.slug == shown.slug), None)
    rows = [_row(card, tongue) for card in page.cards]
    return _sign_up(
        tongue,
        path=shown.path,
        title=shown.title,
        description=shown.description,
        often=letter.often if letter else "",
        label=_all(tongue) if len(tongue.newsletters) > 1 else "",
        letters=[letter] if letter else [],
        feeds=_feeds(shown.path),
        latest=rows[:1],
        earlier=rows[1:],
        older=page.older,
        periods=[(one.path, period_words(one, tongue)) for one in page.periods],
        linked_data=_periodical(tongue, shown.title, site.address + url(shown.path)),
    )


def newsletters(tongue: Tongue, latest: Mapping[str, Card]) -> bytes:
    """All newsletters of a language, of which readers choose."""
    letters = tongue.newsletters
    paths = {n.slug: listing_path("newsletter", tongue.code, n.slug) for n in letters}
    samples = {n.slug: latest[n.slug].path if n.slug in latest else "" for n in letters}
    said = words(tongue.code)["subscribe"]
    return _sign_up(
        tongue,
        path=newsletters_path(tongue.code),
        title=tongue.words["newsletters"],
        description=said["lead"],
        often="",
        label="",
        letters=letters,
        chosen=[(n, paths[n.slug], samples[n.slug]) for n in letters],
        translations=_other_languages(tongue),
    )


def _sign_up(
    tongue: Tongue,
    *,
    path: str,
    title: str,
    letters: Sequence[Newsletter],
    translations: Mapping[str, str] | None = None,
    **values: Any,
) -> bytes:
    said, site = words(tongue.code)["subscribe"], tongue.site
    done = {name: said[name] for name in ("done", "done_text", "again", "address", "choose")}
    values = {
        "chosen": (), "feeds": (), "latest": (), "earlier": (), "older": None, "periods": (),
        "linked_data": "", **values,
    }  # fmt: skip
    return _SIGN_UP.render(
        f=tongue.furniture("newsletter"),
        t=tongue.words.plain,
        said=said,
        heading=title,
        title=f"{title} · {tongue.language.name}",
        canonical=site.address + url(path),
        alternates=(),
        languages=tongue.language_links(translations or {}),
        offered=letters,
        letters=site.letters,
        language=tongue.code,
        words={**form_words(tongue.code, **done), "button": said["button"]},
        agree=_agree(letters[0], tongue, said["agree"]) if letters else "",
        privacy=letters[0].privacy if letters else 0,
        elsewhere=elsewhere(tongue, said, "subscribe") if letters else "",
        **values,
    ).encode()


def _agree(letter: Newsletter, tongue: Tongue, said: str) -> Markup:
    """What signing up means, with a link to that version of the privacy policy."""
    name = words(tongue.code)["subscribe"]["policy"].format(n=letter.privacy)
    policy = escape(name)
    if letter.policy:
        path = page_path(tongue.code, letter.policy, letter.privacy)
        policy = Markup('<a href="{}">{}</a>').format(path, name)
    return trusted(escape(said).replace("{policy}", policy))  # Escaped.


def _other_languages(tongue: Tongue) -> dict[str, str]:
    """The same page in the languages that have newsletters."""
    languages = tongue.site.languages
    return {one.code: newsletters_path(one.code) for one in languages if one.newsletters}


def _all(tongue: Tongue) -> Markup:
    return Markup('<a href="{}">{}</a>').format(
        newsletters_path(tongue.code), tongue.words["newsletters"]
    )


def _row(card: Card, tongue: Tongue) -> tuple[Card, str, str]:
    """An issue in the archive: its card, its number in words, its day."""
    return card, _number(card.path, tongue), tongue.day(card.published)


def _number(path: str, tongue: Tongue) -> str:
    _, number = issue_of(path) or ("", 0)
    return tongue.words.fill("issue", number=number)


def _feeds(path: str) -> list[tuple[str, str]]:
    return [
        (f"{path}feed.json", "application/feed+json"),
        (f"{path}feed.xml", "application/rss+xml"),
    ]


def _periodical(tongue: Tongue, title: str, address: str) -> Markup:
    return linked.json_in_html(
        {
            "@context": "https://schema.org",
            "@type": "Periodical",
            "name": title,
            "url": address,
            "inLanguage": tongue.code,
            "publisher": tongue.publisher,
        }
    )


# Issues


def issue(story: Story, card: Card, facts: ArticleFacts, tongue: Tongue) -> bytes:
    """The page of an issue: the note, the picture, the stories under their headings."""
    term = story.newsletter
    slug, number = issue_of(card.path) or ("", 0)
    title = (term.name if term else "") or slug
    home = listing_path("newsletter", tongue.code, slug)
    canonical = tongue.site.address + url(card.path)
    live = {one.uri: one.path for one in facts.related}
    runs = _runs(story, live)
    photo = Photo(story.lead_photo) if story.lead_photo else None
    return _ISSUE.render(
        f=tongue.furniture("issue"),
        t=tongue.words.plain,
        title=f"{card.headline} · {title} · {tongue.language.name}",
        description=card.standfirst,
        canonical=canonical,
        alternates=(),
        feeds=_feeds(home),
        linked_data=_publication(story, card, title, canonical, number, tongue),
        languages=tongue.language_links({}),
        newsletter=Link(path=home, title=title),
        number=tongue.words.fill("issue", number=number),
        card=card,
        day=tongue.day(card.published),
        note=trusted(body.clean(story.body_html)),  # Cleaned.
        signed=story.by or "",
        photo=_picture(photo, tongue.code),
        runs=runs,
        older=facts.older,
        newer=facts.newer,
        box=box(tongue),
        message=tongue.message,
    ).encode()


def _picture(photo: Photo | None, language: str) -> Markup:
    if photo is None:
        return Markup("")
    html = photo.figure(IN_TEXT, eager=False, data_photo=False, language=language)
    return trusted(html)  # Escaped by figure.


def _runs(story: Story, live: Mapping[str, str]) -> list[tuple[str, list[Pick]]]:
    """The stories under their headings, as they follow each other."""
    return [
        (heading, [_pick(one, live) for one in run])
        for heading, run in groupby(story.picks, key=_heading)
    ]


def _heading(pick: Story) -> str:
    return next((s.name or "" for s in pick.subjects if s.rel == "heading"), "")


def _pick(pick: Story, live: Mapping[str, str]) -> Pick:
    """Where the story is now; what is not the paper's own stays where it was."""
    href = live.get(pick.uri, "" if pick.path else pick.uri)
    gone = not href
    return Pick(
        headline=pick.headline,
        href=href if href.startswith(("/", "https://", "http://")) else "",
        kicker=pick.kicker,
        blurb="" if gone else pick.standfirst,
        by="" if gone else pick.by or "",
        gone=gone,
    )


def _publication(
    story: Story, card: Card, title: str, canonical: str, number: int, tongue: Tongue
) -> Markup:
    return linked.json_in_html(
        {
            "@context": "https://schema.org",
            "@type": "PublicationIssue",
            "issueNumber": number,
            "name": card.headline,
            "url": canonical,
            "datePublished": card.published,
            "inLanguage": tongue.code,
            "isAccessibleForFree": True,
            "isPartOf": {"@type": "Periodical", "name": title},
            "publisher": tongue.publisher,
        }
    )


def feed_item(story: Story, card: Card, tongue: Tongue) -> FeedItem:
    """An issue as a feed carries it: the note, then the stories as they were sent."""
    there = {pick.uri: pick.path for pick in story.picks if pick.path}
    parts = [body.clean(story.body_html)]
    parts += [f"<p>{escape(story.by)}</p>"] if story.by else []
    parts.append(str(_picture(Photo(story.lead_photo), tongue.code)) if story.lead_photo else "")
    for heading, picks in _runs(story, there):
        parts.append(f"<h2>{escape(heading)}</h2>" if heading else "")
        parts += [_feed_pick(pick) for pick in picks]
    return FeedItem(card=card, html="".join(parts), authors=(story.by,) if story.by else ())


def _feed_pick(pick: Pick) -> str:
    return f'<h3><a href="{escape(pick.href)}">{escape(pick.headline)}</a></h3>' + (
        f"<p>{escape(pick.blurb)}</p>" if pick.blurb else ""
    )
