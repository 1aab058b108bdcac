# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where things lie in the paper: addresses from the root, as Unicode.

What always holds: a path starts with ``/`` and is in NFC; a page's path ends with ``/``, a
file's with its name; the same facts give the same path in every process. ``url`` is the only
place that percent-encodes. What is not done here: deciding what exists (``compose``).
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from functools import lru_cache
from urllib.parse import quote, unquote, urlsplit
from zoneinfo import ZoneInfo

from tamizdat.edition.site import NEWSLETTER_SLUG, SUPPORT_SLUG, WRITE_SLUG, ListingKind

HTML = "text/html; charset=utf-8"
KIND_FOLDERS: dict[ListingKind, str] = {
    "topic": "topics",
    "place": "places",
    "person": "people",
    "series": "series",
}
MEDIA_EXTENSIONS = {
    "image/avif": "avif",
    "image/webp": "webp",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "audio/mpeg": "mp3",
    "audio/mp4": "m4a",
    "audio/ogg": "ogg",
    "audio/opus": "opus",
    "audio/wav": "wav",
    "video/mp4": "mp4",
    "video/webm": "webm",
    "application/pdf": "pdf",
    "application/zip": "zip",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.oasis.opendocument.text": "odt",
    "text/plain": "txt",
    "text/csv": "csv",
    "text/vtt": "vtt",
}
_TYPES = {extension: kind for kind, extension in MEDIA_EXTENSIONS.items()} | {
    "html": HTML,
    "xml": "application/xml",
    "json": "application/json",
    "webmanifest": "application/manifest+json",
    "txt": "text/plain; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "vtt": "text/vtt; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
    "ico": "image/x-icon",
    "jpeg": "image/jpeg",
}
_ARTICLE = re.compile(r"/[^/]+/\d{4}/\d{2}/\d{2}/[^/]+/\Z")
_ISSUE = re.compile(rf"/[^/]+/{NEWSLETTER_SLUG}/([a-z0-9][a-z0-9-]*)/([1-9]\d{{0,5}})/\Z")
_PLAIN = re.compile(r"[A-Za-z0-9_.~!$&'()*+,;=:@/-]*\Z")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\\?#]|/\.{1,2}(/|\Z)")
LONGEST_SEGMENT = 200  # bytes; file names may have 255, and “.br” and temporary names add some


@lru_cache(maxsize=8192)
def slugify(text: str) -> str:
    """Words joined by hyphens, in their own script: letters, marks and digits, at most 80
    characters and 200 bytes. Empty where the text has none of them."""
    kept = "".join(
        c if unicodedata.category(c)[0] in "LMN" else "-"
        for c in unicodedata.normalize("NFKC", text).lower()
    )
    slug = unicodedata.normalize("NFC", "-".join(filter(None, kept.split("-"))))
    while len(slug) > 80 or len(slug.encode()) > LONGEST_SEGMENT:
        slug = slug.rpartition("-")[0] if "-" in slug else slug[: len(slug) - 1]
    return slug


@lru_cache(maxsize=64)
def zone(timezone: str) -> ZoneInfo:
    return ZoneInfo(timezone)


def article_path(language: str, published: datetime, slug: str, timezone: str) -> str:
    """``/en/2026/11/22/slug/``: by the day of first publication in the paper's time zone."""
    day = published.astimezone(zone(timezone))
    return f"/{language}/{day:%Y/%m/%d}/{slugify(slug) or 'story'}/"


def is_article(path: str) -> bool:
    return _ARTICLE.match(path) is not None


def issue_path(language: str, newsletter: str, number: int) -> str:
    """``/en/newsletter/weekly/12/``: an issue of a newsletter."""
    return f"{newsletters_path(language)}{newsletter}/{number}/"


def issue_of(path: str) -> tuple[str, int] | None:
    """Newsletter and number of the issue with this address; None where it is no issue's."""
    found = _ISSUE.match(path)
    return (found[1], int(found[2])) if found else None


def newsletters_path(language: str) -> str:
    """Where readers choose among all newsletters of a language."""
    return f"/{language}/{NEWSLETTER_SLUG}/"


def is_safe(path: str) -> bool:
    """True where the path can be an address and a file's place: absolute, in NFC, no empty, dot
    or overlong segments, no control characters, backslashes or queries."""
    if not path.startswith("/") or path != unicodedata.normalize("NFC", path):
        return False
    if _UNSAFE.search(path) or "//" in path:
        return False
    if len(path.encode()) <= LONGEST_SEGMENT:
        return True
    return all(len(segment.encode()) <= LONGEST_SEGMENT for segment in path.split("/"))


def former(address: str) -> str | None:
    """The path of a former address (path or whole URL) that a redirect page can lie at, or None
    where it has none: the root, or addresses told apart by their query alone."""
    path = unicodedata.normalize("NFC", unquote(urlsplit(address).path))
    path = re.sub(r"/{2,}", "/", path)
    if "." not in path.rpartition("/")[2] and not path.endswith("/"):
        path += "/"
    return path if path != "/" and is_safe(path) else None


def front_path(language: str) -> str:
    return f"/{language}/"


def listing_path(kind: ListingKind, language: str, slug: str) -> str:
    if kind == "site":
        return f"/{language}/"
    if kind == "section":
        return f"/{language}/{slug}/"
    if kind == "newsletter":
        return f"{newsletters_path(language)}{slug}/"
    return f"/{language}/{KIND_FOLDERS[kind]}/{slug}/"


def index_path(kind: ListingKind, language: str) -> str:
    return f"/{language}/{KIND_FOLDERS[kind]}/"


def period_path(listing: str, month: int, part: int = 0) -> str:
    """``/en/2026/11/`` for 202611; older parts below it."""
    bare = f"{listing}{month // 100}/{month % 100:02}/"
    return f"{bare}{part}/" if part else bare


def period_label(month: int) -> str:
    return f"{month // 100}-{month % 100:02}"


def volume_path(listing: str, name: str) -> str:
    """``/en/topics/x/2019-03/``: no section, page, story or month has such an address."""
    return f"{listing}{name}/"


def sitemap_path(month: int) -> str:
    """``/sitemaps/2026-11.xml`` for 202611; for 0 that of the issues of newsletters."""
    if not month:
        return "/sitemaps/newsletters.xml"
    return f"/sitemaps/{period_label(month)}.xml"


def page_path(language: str, slug: str, version: int = 0) -> str:
    return f"/{language}/{slug}/v{version}/" if version else f"/{language}/{slug}/"


def write_path(language: str) -> str:
    """Where readers write to the desk."""
    return f"/{language}/{WRITE_SLUG}/"


def support_path(language: str) -> str:
    """Where readers give."""
    return f"/{language}/{SUPPORT_SLUG}/"


def thanks_path(language: str) -> str:
    """Where who gave comes back to."""
    return f"{support_path(language)}thanks/"


def ask_path(language: str, place: str) -> str:
    """The fragment with the messages of a place: ``ribbon``, ``message``, ``thanks``."""
    return f"/fragments/{language}/{place}.html"


@lru_cache(maxsize=16_384)
def media_path(sha256_hex: str, media_type: str) -> str:
    """``/media/ab/abcdef….avif``"""
    extension = MEDIA_EXTENSIONS.get(media_type.split(";")[0].strip().lower(), "bin")
    return f"/media/{sha256_hex[:2]}/{sha256_hex}.{extension}"


def media_sha256(path: str) -> str:
    """The sha-256 in hexadecimal of what lies at a ``media_path``."""
    return path.rpartition("/")[2].partition(".")[0]


def media_type(path: str) -> str:
    """The media type of what lies at a path of the paper."""
    name = path.rpartition("/")[2]
    if not name:
        return HTML
    if name == "feed.xml":
        return "application/rss+xml"
    if name == "feed.json":
        return "application/feed+json"
    return _TYPES.get(name.rpartition(".")[2].lower(), "application/octet-stream")


def url(path: str) -> str:
    """The path percent-encoded, for headers and links."""
    if _PLAIN.match(path):
        return path
    return quote(path, safe="/-._~!$&'()*+,;=:@")


def tree_file(path: str) -> str:
    """Where the path lies in the plain tree, without a leading slash."""
    return f"{path[1:]}index.html" if path.endswith("/") else path[1:]
