# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sitemaps (sitemaps.org protocol 0.9), the news sitemap, robots.txt.

What always holds: addresses are whole and percent-encoded, dates are RFC 3339 (a W3C date).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache

from tamizdat.edition.paths import url
from tamizdat.edition.render.xml import text
from tamizdat.edition.site import Site
from tamizdat.edition.views import Card, SitemapEntry

_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'
_END = "</url>\n"
_SITEMAP = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


def sitemap(site: Site, entries: Sequence[SitemapEntry]) -> bytes:
    """Addresses of pages, each with its last change and its translations."""
    address = site.address
    urls = "".join(
        [
            _url(address, entry.path, entry.updated, tuple(entry.alternates.items()))
            for entry in entries
        ]
    )
    return (
        f'{_HEAD}<urlset {_SITEMAP} xmlns:xhtml="http://www.w3.org/1999/xhtml">\n{urls}</urlset>\n'
    ).encode()


@lru_cache(maxsize=8192)
def _url(address: str, path: str, updated: str, alternates: tuple[tuple[str, str], ...]) -> str:
    """Kept: most of a month's sitemap is what it was one story ago."""
    others = "".join(
        f'<xhtml:link rel="alternate" hreflang="{text(code)}" href="{text(address + url(other))}"/>'
        for code, other in alternates
    )
    return (
        f"<url><loc>{text(address + url(path))}</loc>"
        f"<lastmod>{text(updated)}</lastmod>{others}</url>\n"
    )


def spliced(
    site: Site,
    former: bytes,
    change: tuple[Collection[str], Sequence[tuple[int, SitemapEntry]], int],
) -> tuple[bytes, str] | None:
    """As ``Renderer.spliced_sitemap``: what stands there is not made anew, since a month of a
    large paper has hundreds of stories."""
    page, (gone, come, stories) = former.decode(), change
    start, end = page.find("<url>"), page.rfind("</urlset>")
    if not 0 <= start < end:
        return None
    address = site.address
    out = {text(address + url(path)) for path in gone}
    rows = [f"{row}{_END}" for row in page[start:end].split(_END)[:-1]]
    rows = [row for row in rows if _between(row, "loc") not in out]
    for place, entry in come:
        alternates = tuple(entry.alternates.items())
        rows.insert(place, _url(address, entry.path, entry.updated, alternates))
    if not rows or len(rows) != stories:
        return None
    updated = max(_between(row, "lastmod") for row in rows)
    return "".join((page[:start], *rows, page[end:])).encode(), updated


def _between(row: str, tag: str) -> str:
    return row.partition(f"<{tag}>")[2].partition("<")[0]


def index(site: Site, sitemaps: Sequence[tuple[str, str]]) -> bytes:
    """The sitemap of sitemaps: each with the date of its last change."""
    rows = "".join(
        f"<sitemap><loc>{text(site.address + url(path))}</loc>"
        + (f"<lastmod>{text(updated)}</lastmod>" if updated else "")
        + "</sitemap>\n"
        for path, updated in sitemaps
    )
    return f"{_HEAD}<sitemapindex {_SITEMAP}>\n{rows}</sitemapindex>\n".encode()


def news(site: Site, cards: Sequence[Card]) -> bytes:
    """The news sitemap: the last two days' stories; may be empty."""
    urls = "".join(_news(site, card) for card in cards)
    return (
        f"{_HEAD}<urlset {_SITEMAP} "
        f'xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">\n{urls}</urlset>\n'
    ).encode()


def _news(site: Site, card: Card) -> str:
    name = site.language(card.language).name
    return (
        f"<url><loc>{text(site.address + url(card.path))}</loc><news:news>"
        f"<news:publication><news:name>{text(name)}</news:name>"
        f"<news:language>{text(card.language)}</news:language></news:publication>"
        f"<news:publication_date>{text(card.published)}</news:publication_date>"
        f"<news:title>{text(card.headline)}</news:title></news:news></url>\n"
    )


def robots(site: Site) -> bytes:
    """Everybody may read everything; fragments are no pages."""
    return (
        "User-agent: *\nDisallow: /fragments/\n\n"
        f"Sitemap: {site.address}/sitemap.xml\nSitemap: {site.address}/news-sitemap.xml\n"
    ).encode()
