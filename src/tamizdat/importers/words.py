# SPDX-License-Identifier: AGPL-3.0-or-later
"""Small rules that every format needs: slugs, addresses, dates, text.

All are pure functions. ``slug`` follows ``edition.site.SLUG``: letters of any script, digits,
hyphens, at most 100 characters.
"""

from __future__ import annotations

import html as _html
import re
import unicodedata
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import unquote, urlsplit

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
_SPACE = re.compile(r"\s+")
_TAG = re.compile(r"<[^<>]*>")
_MONTHS = "january february march april may june july august september october november december"
_MONTHS_RU = "январ феврал март апрел ма июн июл август сентябр октябр ноябр декабр"


def without_control(text: str) -> str:
    """The text without characters that no document may hold."""
    return _CONTROL.sub("", text)


def plain(html: str) -> str:
    """The words of a short piece of HTML, on one line."""
    return squeeze(_html.unescape(_TAG.sub("", html)))


def squeeze(text: str) -> str:
    """The text with every run of white space as one space."""
    return _SPACE.sub(" ", without_control(text)).strip()


def slug(text: str, fallback: str = "story") -> str:
    """An address made of words: lower case, hyphens, any script."""
    words = unicodedata.normalize("NFC", unquote(text)).lower()
    made = re.sub(r"[\W_]+", "-", words).strip("-")[:100].strip("-")
    return made or fallback


def host(url: str) -> str:
    """The host of an address, without ``www.``; empty where it has none."""
    try:
        name = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    return name.removeprefix("www.")


def path_of(url: str) -> str:
    """The path of an address from the root, decoded, query kept; empty where it is only ``/``."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    path = without_control(unquote(parts.path)) + (f"?{parts.query}" if parts.query else "")
    return "" if path in {"", "/"} else "/" + path.lstrip("/")


def rfc3339(date: datetime) -> str:
    """The date as ninjs wants it; without an offset it is UTC."""
    aware = date if date.tzinfo else date.replace(tzinfo=UTC)
    return aware.isoformat(timespec="seconds").replace("+00:00", "Z")


def date(value: str) -> str:
    """Read a date as other systems write it. Returns RFC 3339, empty where it is none."""
    text = value.strip()
    if not text or text.startswith(("0000", "-")):
        return ""
    for read in (datetime.fromisoformat, parsedate_to_datetime, _written):
        try:
            found = read(text)
            if found.year < 1900:
                return ""
            return rfc3339(found)
        except (ValueError, TypeError, OverflowError):
            continue
    return ""


def _written(text: str) -> datetime:
    """Read ``November 2, 2015``, ``2 Nov. 2015`` or ``2 ноября 2015``, with a time if there."""
    words = [w.strip(".,") for w in text.lower().replace(",", " ").split()]
    month = next(
        (i for w in words for names in (_MONTHS, _MONTHS_RU) if (i := _month(w, names))), None
    )
    numbers = [int(n) for n in re.findall(r"\b\d{1,4}\b(?!:)(?<!:\d\d)", text)]
    day = next((n for n in numbers if n <= 31), None)
    year = next((n for n in numbers if n > 1900), None)
    if month is None or day is None or year is None:
        raise ValueError(text)
    clock = re.search(r"\b(\d{1,2}):(\d\d)\b", text)
    hour, minute = (int(clock[1]), int(clock[2])) if clock else (0, 0)
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def _month(word: str, names: str) -> int:
    for index, name in enumerate(names.split(), 1):
        if word == name[:3] or (word.startswith(name[: max(3, len(name) - 1)]) and len(word) >= 3):
            return index
    return 0
