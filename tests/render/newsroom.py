# SPDX-License-Identifier: AGPL-3.0-or-later
"""An invented newsroom for tests of the theme: The Harbour Lamp, of the island of Meridova."""

from __future__ import annotations

import hashlib

from tamizdat.edition.site import Giving, Language, Letters, Newsletter, Page, Section, Site, Way
from tamizdat.edition.story import (
    AltId,
    InfoSource,
    Rendition,
    Story,
    Term,
    Text,
    ni_uri,
)
from tamizdat.giving.choice import Kind, Offer

EN_SECTIONS = ("News", "Politics", "Harbour", "Economy", "Courts", "Culture", "Letters")
RU_SECTIONS = ("Новости", "Политика", "Гавань", "Экономика", "Суд", "Культура", "Письма")
AR_SECTIONS = ("أخبار", "سياسة", "الميناء", "اقتصاد", "محاكم", "ثقافة", "رسائل")
SLUGS = ("news", "politics", "harbour", "economy", "courts", "culture", "letters")


def sections(titles: tuple[str, ...]) -> tuple[Section, ...]:
    return tuple(Section(slug=s, title=t) for s, t in zip(SLUGS, titles, strict=True))


def pages(about: str, policy: str, privacy: str) -> tuple[Page, ...]:
    text = "<h2>1</h2><p>{}</p><ul><li>1</li><li>2</li></ul>"
    return (
        Page(slug="about", title=about, html=text.format(about)),
        Page(slug="corrections", title=policy, html=text.format(policy)),
        Page(slug="privacy", title=privacy, html="<p>v1</p>", version=1, updated="2025-02-03"),
        Page(slug="privacy", title=privacy, html="<p>v2</p>", version=2, updated="2026-04-05"),
    )


def weekly(title: str, about: str, often: str, slug: str = "weekly") -> Newsletter:
    return Newsletter(slug=slug, title=title, about=about, often=often, privacy=2, policy="privacy")


def _offer(kind: Kind, currency: str, recommended: int, *others: int) -> Offer:
    amounts = tuple(sorted((recommended, *others)))
    least = {"JPY": 200, "KWD": 500}.get(currency, 200)
    return Offer(kind, currency, amounts, least, 1_000_000, recommended)


GIVING = Giving(
    offers=(
        _offer("once", "USD", 5000, 2500, 10000),
        _offer("monthly", "USD", 500, 200, 1500),
        _offer("annual", "USD", 6000, 3000, 12000),
        _offer("once", "EUR", 5000, 2500, 10000),
        _offer("monthly", "EUR", 500, 200, 1500),
        _offer("annual", "EUR", 6000, 3000, 12000),
    ),
    ways=(
        Way(via="stripe", methods=("card", "apple-pay", "sepa")),
        Way(via="btcpay", methods=("bitcoin", "lightning")),
    ),
    checkouts=("https://pay.example",),
    ask_again_days=90,
)

SITE = Site(
    address="https://lamp.example",
    timezone="Europe/Vilnius",
    organisation="The Harbour Lamp Foundation",
    contact="desk@lamp.example",
    letters=Letters(
        drops=("https://drop.lamp.example", "https://letters.friends.example"),
        recipient="age1xmwwc06ly3ee5rytxm9mflaz2u56jjj36s0mypdrwsvlul66mv4q47ryef",
    ),
    giving=GIVING,
    languages=(
        Language(
            code="en",
            name="The Harbour Lamp",
            tagline="Printed over there, read at home",
            description="News of Meridova by reporters who had to leave it.",
            sections=sections(EN_SECTIONS),
            pages=pages("About us", "Corrections policy", "Privacy policy"),
            newsletters=(
                weekly(
                    "The week in Meridova",
                    "What our reporters would tell you first: news, features and analysis, "
                    "picked by hand.",
                    "Every Friday.",
                ),
                weekly("Court calendar", "Who is tried where.", "On the first.", "courts"),
            ),
        ),
        Language(
            code="ru",
            name="Портовый фонарь",
            tagline="Напечатано там, прочитано дома",
            description="Новости Меридовы от журналистов, которым пришлось уехать.",
            sections=sections(RU_SECTIONS),
            pages=pages("О нас", "Правила исправлений", "Политика конфиденциальности"),
            newsletters=(
                weekly(
                    "Неделя на Меридове",
                    "То, что наши журналисты рассказали бы вам в первую очередь: новости, "
                    "репортажи и анализ, отобранные вручную.",
                    "Каждую пятницу.",
                ),
            ),
        ),
        Language(
            code="ar",
            name="مصباح الميناء",
            tagline="تُطبع هناك وتُقرأ في الوطن",
            sections=sections(AR_SECTIONS),
            pages=pages("من نحن", "سياسة التصحيح", "سياسة الخصوصية"),
            newsletters=(
                weekly(
                    "الأسبوع في ميريدوفا",
                    "ما كان مراسلونا ليخبروك به أولاً: أخبار وتقارير وتحليلات مختارة باليد.",
                    "كل يوم جمعة.",
                ),
            ),
        ),
    ),
)


def rendition(kind: str, width: int, height: int, seed: str) -> Rendition:
    digest = hashlib.sha256(f"{seed} {kind} {width}".encode()).hexdigest()
    return Rendition(
        name=f"{kind.split('/')[1]}-{width}",
        href=ni_uri(digest),
        content_type=kind,
        width=width,
        height=height,
    )


def photo(uri: str, rel: str, caption: str, alt: str, credit: str, *, ratio: float = 1.5) -> Story:
    kinds = ("image/avif", "image/webp", "image/jpeg")
    return Story(
        uri=uri,
        rel=rel,
        name=caption,
        type="picture",
        by=credit,
        language="en",
        descriptions=[Text(role="caption", value=caption), Text(role="alt", value=alt)],
        renditions=[
            rendition(kind, width, round(width / ratio), uri)
            for kind in kinds
            for width in (320, 640, 960, 1280)
        ],
    )


def correction(day: str, text: str) -> Story:
    return Story(
        uri=f"urn:newsroom:correction:{day}",
        rel="correction",
        name="correction",
        version_created=f"{day}T09:30:00+02:00",
        bodies=[Text(role="main", content_type="text/plain", value=text)],
    )


def _words() -> dict[str, object]:
    """What it says."""
    return {
        "headlines": [
            Text(role="main", value="Ferry owners knew of the crack for a year, records show"),
            Text(role="kicker", value="The Selva inquiry"),
        ],
        "descriptions": [
            Text(
                role="standfirst",
                value="Inspectors reported a damaged hull three times before the Selva sank "
                "with 41 people aboard. Each report was signed, filed and forgotten.",
            )
        ],
        "bodies": [
            Text(
                role="main",
                content_type="text/html",
                value="<p>The first report is two pages long.</p><h2>Three signatures</h2>"
                '<p>The second was <a href="/en/2026/11/20/hull/">longer</a>.</p>',
            )
        ],
    }


def _filing() -> dict[str, object]:
    """Who made it, and what it is filed under."""
    return {
        "by": "Nika Orel and Ivo Lant",
        "people": [
            Term(rel="author", name="Nika Orel", literal="nika-orel", uri="urn:person:1"),
            Term(rel="author", name="Ivo Lant", literal="ivo-lant", uri="urn:person:2"),
            Term(rel="photographer", name="Tamar Wick", literal="tamar-wick"),
        ],
        "subjects": [
            Term(rel="section", name="Harbour", literal="harbour"),
            Term(rel="topic", name="Shipping", literal="shipping"),
            Term(rel="topic", name="Public records", literal="public-records"),
            Term(rel="series", name="The Selva inquiry", literal="selva"),
        ],
        "places": [Term(name="Port Selva", literal="port-selva")],
        "located": "Port Selva",
        "slugline": "ferry-crack",
    }


def _sources_and_pictures() -> dict[str, object]:
    """Who reported it; its photo, and a correction."""
    return {
        "info_sources": [
            InfoSource(
                name="Maritime Register of Meridova",
                role="document",
                uri="https://register.example/hull/411",
                literal="The three inspection reports",
            ),
            InfoSource(name="Two former inspectors", role="witness", literal="How they were filed"),
            InfoSource(name="Northwind", role="agency", uri="https://northwind.example/"),
        ],
        "associations": [
            photo(
                "urn:newsroom:photo:1",
                "lead-photo",
                "The Selva in dry dock last spring.",
                "A white ferry on blocks, a dark line along its hull",
                "Tamar Wick",
            ),
            correction(
                "2026-11-22",
                "An earlier version gave the number of people aboard as 44. It was 41.",
            ),
        ],
    }


def story(**changes: object) -> Story:
    """A story with everything a story can have; ``changes`` replace its properties."""
    facts: dict[str, object] = {
        "uri": "urn:newsroom:story:ferry",
        "type": "text",
        "version": "2",
        "language": "en",
        "pub_status": "usable",
        "first_created": "2026-11-22T12:05:00+00:00",
        "version_created": "2026-11-22T15:20:00+00:00",
        **_words(),
        **_filing(),
        **_sources_and_pictures(),
        "alt_ids": [
            AltId(role="path", value="/en/2026/11/22/ferry-crack/"),
            AltId(role="translation-of", value="ferry"),
        ],
    }
    return Story(**{**facts, **changes})  # type: ignore[arg-type]  # Decoded and checked by use.
