# SPDX-License-Identifier: AGPL-3.0-or-later
"""Feeds: RSS 2.0 with the whole text, and JSON Feed 1.1.

What always holds: every address in a feed is whole; text cannot end the CDATA or element that it
stands in, and holds no character that XML forbids.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.utils import format_datetime
from functools import lru_cache
from typing import Any

import msgspec

from tamizdat.edition.paths import url
from tamizdat.edition.render.furniture import Tongue
from tamizdat.edition.render.xml import cdata, text
from tamizdat.edition.views import FeedItem, Listing

_HREF = re.compile(r' (href|src)="(/[^"]*)"')
_SRCSET = re.compile(r' srcset="([^"]*)"')


@lru_cache(maxsize=128)
def absolute(html: str, address: str) -> str:
    """HTML of a body with whole addresses, for readers elsewhere. Kept: a story is in four feeds,
    and there again when the next one comes."""
    html = _HREF.sub(lambda m: f' {m[1]}="{address}{m[2]}"', html)
    return _SRCSET.sub(lambda m: f' srcset="{m[1].replace("/media/", f"{address}/media/")}"', html)


def rss(listing: Listing, items: Sequence[FeedItem], tongue: Tongue) -> bytes:
    """RSS 2.0 with ``content:encoded``, ``dc:creator`` and a link to itself."""
    address = tongue.site.address
    front = address + url(listing.path)
    built = max((item.card.updated for item in items), default="", key=tongue.calendar.local)
    date = f"<lastBuildDate>{_date(built, tongue)}</lastBuildDate>\n" if built else ""
    head = (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/">\n<channel>\n'
        f"<title>{text(_title(listing, tongue))}</title>\n<link>{text(front)}</link>\n"
        f"<description>{text(_description(listing, tongue))}</description>\n"
        f"<language>{text(tongue.code)}</language>\n{date}"
        f'<atom:link href="{text(front)}feed.xml" rel="self" type="application/rss+xml"/>\n'
    )
    body = "".join(_rss_item(item, tongue) for item in items)
    return f"{head}{body}</channel>\n</rss>\n".encode()


def _rss_item(item: FeedItem, tongue: Tongue) -> str:
    card, address = item.card, tongue.site.address
    link = text(address + url(card.path))
    creators = "".join(f"<dc:creator>{text(name)}</dc:creator>\n" for name in item.authors)
    topics = "".join(f"<category>{text(name)}</category>\n" for name in _categories(item))
    return (
        f"<item>\n<title>{text(card.headline)}</title>\n<link>{link}</link>\n"
        f'<guid isPermaLink="false">{text(card.uri)}</guid>\n'
        f"<pubDate>{_date(card.published, tongue)}</pubDate>\n{creators}{topics}"
        f"<description>{text(card.standfirst)}</description>\n"
        f"<content:encoded>{cdata(absolute(item.html, address))}</content:encoded>\n</item>\n"
    )


def json_feed(listing: Listing, items: Sequence[FeedItem], tongue: Tongue) -> bytes:
    """JSON Feed 1.1 with ``content_html``."""
    site = tongue.site
    front = site.address + url(listing.path)
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": _title(listing, tongue),
        "home_page_url": front,
        "feed_url": f"{front}feed.json",
        "description": _description(listing, tongue),
        "icon": f"{site.address}/assets/icon-512.png",
        "language": tongue.code,
        "items": [_json_item(item, site.address) for item in items],
    }
    return msgspec.json.encode(feed)


def _json_item(item: FeedItem, address: str) -> dict[str, Any]:
    card = item.card
    found: dict[str, Any] = {
        "id": card.uri,
        "url": address + url(card.path),
        "title": card.headline,
        "content_html": absolute(item.html, address) or f"<p>{text(card.standfirst)}</p>",
        "date_published": card.published,
        "date_modified": card.updated,
        "language": card.language,
    }
    if card.standfirst:
        found["summary"] = card.standfirst
    if card.photo:
        found["image"] = address + card.photo.path
    if item.authors:
        found["authors"] = [{"name": name} for name in item.authors]
    if tags := _categories(item):
        found["tags"] = tags
    return found


def _categories(item: FeedItem) -> list[str]:
    return [name for name in (item.card.section_title, *item.topics) if name]


def _title(listing: Listing, tongue: Tongue) -> str:
    name = tongue.language.name
    return name if listing.kind == "site" else f"{listing.title} · {name}"


def _description(listing: Listing, tongue: Tongue) -> str:
    language = tongue.language
    return listing.description or language.tagline or language.name


def _date(value: str, tongue: Tongue) -> str:
    """RFC 2822, as RSS wants it."""
    return format_datetime(tongue.calendar.local(value))
