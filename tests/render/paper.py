# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every type of page of the invented paper, in every language, by its path."""

from __future__ import annotations

import hashlib
import io
from datetime import UTC, datetime, timedelta
from functools import cache

from tamizdat.edition.paths import index_path, issue_path, listing_path
from tamizdat.edition.render import PageRenderer
from tamizdat.edition.site import Language
from tamizdat.edition.story import ISSUE, AltId, Story, Term, Text
from tamizdat.edition.views import (
    ArticleFacts,
    Card,
    Front,
    FrontBlock,
    Link,
    Listing,
    ListingPage,
    Period,
)

from .newsroom import SITE, SLUGS, correction, photo, story
from .texts import BODY_AR, BODY_EN, BODY_RU, EXTRAS_EN, HEADLINES

BODIES = {"en": BODY_EN + EXTRAS_EN, "ru": BODY_RU, "ar": BODY_AR}
REASONS = {
    "en": "The document on which it rested was forged. We should have asked a second archive.",
    "ru": "Документ оказался поддельным. Нам следовало обратиться во второй архив.",
    "ar": "تبيّن أن الوثيقة التي استند إليها مزورة.",
}
TOPICS = ("Banks", "Borders", "Bread", "Censorship", "Courts", "Ferries", "Grain", "Harbours")


def renderer() -> PageRenderer:
    return PageRenderer(SITE)


def invented(code: str, number: int) -> Story:
    """Story ``number`` of a language: the first has everything, others less."""
    headline, kicker, standfirst = HEADLINES[code][number]
    section = SITE.language(code).sections[number % len(SLUGS)]
    when = datetime(2026, 11, 22, 15, 20, tzinfo=UTC) - timedelta(hours=number * 3)
    photos = []
    if number % 3 == 0:
        photos = [
            photo(f"urn:newsroom:photo:{10 + number}", "lead-photo", headline, kicker, "Tamar Wick")
        ]
    if number == 0:
        photos += [
            photo(f"urn:newsroom:photo:{n}", "photo", f"View {n}.", "A harbour", "Ivo Lant")
            for n in (2, 3, 4)
        ]
        photos += [correction("2026-11-22", "It was 41, not 44.")]
    body = BODIES[code] if number == 0 else BODIES[code].replace(EXTRAS_EN, "")
    return story(
        uri=f"urn:newsroom:story:{code}:{number}",
        language=code,
        headlines=[Text(role="main", value=headline), Text(role="kicker", value=kicker)],
        descriptions=[Text(role="standfirst", value=standfirst)],
        bodies=[Text(role="main", content_type="text/html", value=body)],
        first_created=when.isoformat(),
        version_created=(when + timedelta(hours=1)).isoformat(),
        subjects=[
            Term(rel="section", name=section.title, literal=section.slug),
            Term(rel="topic", name="Shipping", literal="shipping"),
        ],
        associations=photos,
    )


@cache
def paper() -> dict[str, bytes]:
    """The whole invented paper: pages, fragments and assets by path."""
    render = renderer()
    files = dict(render.assets())
    for language in SITE.languages:
        files |= _language(render, language)
    return files


def _language(render: PageRenderer, language: Language) -> dict[str, bytes]:
    code = language.code
    stories = [invented(code, n) for n in range(len(HEADLINES[code]))]
    cards = tuple(render.card(s, f"/{code}/2026/11/22/s{n}/") for n, s in enumerate(stories))
    others = tuple(
        Link(path=f"/{other.code}/", title=other.name, language=other.code)
        for other in SITE.languages
        if other.code != code
    )
    files = {
        card.path: render.article(
            item, card, ArticleFacts(related=cards[2:6], translations=() if number else others)
        )
        for number, (item, card) in enumerate(zip(stories, cards, strict=True))
    }
    files |= _fronts(render, language, cards, others)
    files |= _lists(render, language, cards)
    files |= _others(render, language, stories[3], cards)
    files |= _newsletters(render, language, cards)
    return files


NOTES = {
    "en": "<p>Dear readers,</p><p>the harbour froze on Tuesday, and with it the price of bread. "
    "Here is what we found out, and what we could not.</p>",
    "ru": "<p>Дорогие читатели!</p><p>Во вторник замёрзла гавань, а с нею и цена на хлеб. Вот что "
    "нам удалось выяснить и чего не удалось.</p>",
    "ar": "<p>قراءنا الأعزاء،</p><p>تجمّد الميناء يوم الثلاثاء، ومعه سعر الخبز.</p>",
}
HEADINGS = {
    "en": ("News", "Features"), "ru": ("Новости", "Репортажи"), "ar": ("أخبار", "تقارير")
}  # fmt: skip


def issue(language: Language, number: int, cards: tuple[Card, ...]) -> Story:
    """An issue with these stories, the last of which was withdrawn since."""
    code, letter = language.code, language.newsletters[0]
    when = datetime(2026, 11, 20, 16, 0, tzinfo=UTC) - timedelta(weeks=12 - number)
    headline, kicker, standfirst = HEADLINES[code][number % len(HEADLINES[code])]
    return Story(
        uri=f"urn:newsroom:issue:{code}:{number}",
        type="composite",
        profile=ISSUE,
        language=code,
        pub_status="usable",
        first_created=when.isoformat(),
        version_created=when.isoformat(),
        headlines=[Text(role="main", value=headline)],
        descriptions=[Text(role="standfirst", value=standfirst)],
        bodies=[Text(role="main", content_type="text/html", value=NOTES[code])],
        by="Nika Orel",
        subjects=[Term(rel="newsletter", literal=letter.slug, name=letter.title)],
        associations=[
            photo(f"urn:newsroom:photo:week{number}", "lead-photo", headline, kicker, "Ivo Lant"),
            *(_pick(card, HEADINGS[code][n > 2]) for n, card in enumerate(cards)),
        ],
        alt_ids=[AltId(role="path", value=issue_path(code, letter.slug, number))],
    )


def _pick(card: Card, heading: str) -> Story:
    return Story(
        uri=card.uri,
        rel="pick",
        headlines=[Text(role="main", value=card.headline), Text(role="kicker", value=card.kicker)],
        descriptions=[Text(role="standfirst", value=card.standfirst)],
        by=card.byline,
        subjects=[Term(rel="heading", name=heading)],
        alt_ids=[AltId(role="path", value=card.path)],
    )


def _newsletters(
    render: PageRenderer, language: Language, cards: tuple[Card, ...]
) -> dict[str, bytes]:
    code, (letter, *others) = language.code, language.newsletters
    issues = [issue(language, n, cards[:6]) for n in range(12, 3, -1)]
    shown = tuple(render.card(one, one.path) for one in issues)
    view = _listing(code, "newsletter", letter.slug, letter.title)
    page = ListingPage(listing=view, cards=shown, periods=_volumes(view.path))
    beside = Link(path=shown[1].path, title=shown[1].headline)
    facts = ArticleFacts(related=cards[:5], older=beside)
    files = {
        view.path: render.newsletter(page),
        shown[0].path: render.article(issues[0], shown[0], facts),
        f"/{code}/newsletter/": render.newsletters(code, {letter.slug: shown[0]}),
    }
    for other in others:
        none = _listing(code, "newsletter", other.slug, other.title)
        files[none.path] = render.newsletter(ListingPage(listing=none, cards=()))
    return files


def _listing(code: str, kind: str, slug: str, title: str) -> Listing:
    path = listing_path(kind, code, slug)  # type: ignore[arg-type]  # One of the kinds.
    return Listing(kind=kind, language=code, slug=slug, title=title, path=path)  # type: ignore[arg-type]


def _months(path: str) -> tuple[Period, ...]:
    return tuple(Period(label=f"2026-{m:02}", path=f"{path}2026/{m:02}/") for m in range(11, 0, -1))


def _years(path: str) -> tuple[Period, ...]:
    return tuple(Period(label=f"{y}", path=f"{path}{y}-01/") for y in range(2025, 2005, -1))


def _volumes(path: str) -> tuple[Period, ...]:
    return (
        Period(label="2024-02-11/2025-01-03", path=f"{path}2024-02/"),
        Period(label="2019-03-14/2024-02-09", path=f"{path}2019-03/"),
    )


def _fronts(
    render: PageRenderer, language: Language, cards: tuple[Card, ...], others: tuple[Link, ...]
) -> dict[str, bytes]:
    code = language.code
    blocks = tuple(
        FrontBlock(
            listing=_listing(code, "section", section.slug, section.title),
            cards=tuple(card for card in cards if card.section == section.slug),
        )
        for section in language.sections
    )
    front = Front(
        language=code,
        edition=214,
        updated=cards[0].updated,
        cards=cards,
        blocks=blocks,
        translations=others,
        months=_months(f"/{code}/"),
    )
    empty = Front(language=code, edition=0, updated="", cards=())
    return {f"/{code}/": render.front(front), f"/{code}/empty-front/": render.front(empty)}


def _lists(render: PageRenderer, language: Language, cards: tuple[Card, ...]) -> dict[str, bytes]:
    code = language.code
    section = _listing(code, "section", "news", language.sections[0].title)
    person = _listing(code, "person", "nika-orel", "Nika Orel")
    site = _listing(code, "site", "", language.name)
    month = ListingPage(
        listing=site,
        cards=cards,
        period=Period(label="2026-11", path=f"/{code}/2026/11/", part=2, parts=2),
        older=Link(path=f"/{code}/2026/10/", title="2026-10"),
        newer=Link(path=f"/{code}/2026/12/", title="2026-12"),
    )
    topic = _listing(code, "topic", "ferries", "Ferries")
    long = ListingPage(
        listing=topic,
        cards=cards * 2,
        older=Link(path=f"{topic.path}2024-02/", title=""),
        periods=_volumes(topic.path),
    )
    volume = ListingPage(
        listing=topic,
        cards=cards,
        period=_volumes(topic.path)[0],
        older=Link(path=f"{topic.path}2019-03/", title=""),
        newer=Link(path=topic.path, title=""),
    )
    topics = [Link(path=listing_path("topic", code, t.lower()), title=t) for t in TOPICS]
    return {
        section.path: render.listing(
            ListingPage(listing=section, cards=cards, periods=_years(section.path))
        ),
        person.path: render.listing(ListingPage(listing=person, cards=cards[:3])),
        f"/{code}/2026/11/": render.listing(month),
        topic.path: render.listing(long),
        f"{topic.path}2024-02/": render.listing(volume),
        f"/{code}/letters/": render.listing(
            ListingPage(listing=_listing(code, "section", "letters", "Letters"), cards=())
        ),
        index_path("topic", code): render.listing_index("topic", code, topics),
        index_path("place", code): render.listing_index("place", code, []),
    }


def _others(
    render: PageRenderer, language: Language, item: Story, cards: tuple[Card, ...]
) -> dict[str, bytes]:
    code = language.code
    about, corrections, first, second = language.pages
    gone = story(
        uri=item.uri,
        language=code,
        pub_status="canceled",
        headlines=item.headlines,
        descriptions=[Text(role="withdrawal", value=REASONS[code])],
    )
    return {
        f"/{code}/about/": render.page(about, code, ()),
        f"/{code}/corrections/": render.page(corrections, code, ()),
        f"/{code}/privacy/": render.page(
            second, code, [Link(path=f"/{code}/privacy/v1/", title=first.title)]
        ),
        f"/{code}/privacy/v1/": render.page(
            first, code, [Link(path=f"/{code}/privacy/v2/", title=second.title)]
        ),
        f"/{code}/write/": render.write(code),
        f"/{code}/support/": render.support(code),
        f"/{code}/support/thanks/": render.thanks(code),
        f"/fragments/{code}/thanks.html": b"",
        f"/{code}/404.html": render.not_found(code),
        f"/{code}/gone/": render.tombstone(gone, cards[3]),
        f"/{code}/moved/": render.redirect(f"/{code}/", code),
        f"/{code}/manifest.webmanifest": render.manifest(code),
        f"/fragments/{code}/latest.html": render.latest_fragment(code, cards[:8]),
        f"/fragments/{code}/message.html": b"",
        f"/fragments/{code}/ribbon.html": b"",
    }


def pages() -> list[str]:
    """Paths of whole pages: one of every type in every language, and three articles."""
    articles = ("/s0/", "/s1/", "/s3/")
    return sorted(
        path
        for path in paper()
        if path.endswith(("/", "404.html")) and ("/22/s" not in path or path.endswith(articles))
    )


@cache
def picture(path: str) -> bytes:
    """An invented photo for an address under ``/media/``: a ship on a sea, in its format."""
    from PIL import Image, ImageDraw

    seed = hashlib.sha256(path.encode()).digest()
    image = Image.new("RGB", (960, 640), (150 + seed[0] // 4, 140 + seed[1] // 4, 150))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 380, 960, 640), fill=(60, 70 + seed[4] // 5, 80 + seed[5] // 5))
    left = 100 + seed[6] * 2
    draw.polygon([(left, 400), (left + 380, 400), (left + 340, 470), (left + 50, 470)], "#ebe8e1")
    out = io.BytesIO()
    image.save(out, "avif" if path.endswith("avif") else "webp" if "webp" in path else "jpeg")
    return out.getvalue()
