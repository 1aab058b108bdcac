# SPDX-License-Identifier: AGPL-3.0-or-later
"""The theme's words, dates and lists in one language.

What always holds: every language has the same keys (tested); a language without a file of its own
speaks English, with its own dates where Babel knows them. Everything is worked out once: nothing
here asks Babel twice for the same day.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, tzinfo
from functools import cache, lru_cache, partial
from html import escape
from importlib import resources
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, get_timezone_location, parse_pattern

FALLBACK = "en"
_FIELD = re.compile(r"%\((\w+)\)s")
_FIELDS = frozenset(["d", "dd", "M", "MM", "MMM", "MMMM", "y", "EEE", "EEEE"])
_DAYS = 12_000  # 32 years: an archive asks for them in no order
# English dates as most of the world writes them: 22 November 2026.
_DATE_LOCALES = {"en": "en_GB"}


def _locale(code: str) -> Locale:
    for name in (code, code.split("-")[0], FALLBACK):
        try:
            return Locale.parse(name, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    raise AssertionError("Babel has no English")


@cache
def _read(code: str) -> Mapping[str, str | dict[str, str]]:
    folder = resources.files("tamizdat.theme") / "locales"
    for name in (code, code.split("-")[0], FALLBACK):
        file = folder / f"{name}.json"
        if file.is_file():
            words: Mapping[str, str | dict[str, str]] = json.loads(file.read_text("utf-8"))
            return words
    raise AssertionError("the theme has no English words")


@cache
def giving_words(language: str) -> Mapping[str, Mapping[str, str]]:
    """What is said of giving: ``support``, ``methods``, ``thanks`` and ``ask``."""
    folder = resources.files("tamizdat.theme") / "locales" / "giving"
    for name in (language, language.split("-")[0], FALLBACK):
        file = folder / f"{name}.json"
        if file.is_file():
            words: Mapping[str, Mapping[str, str]] = json.loads(file.read_text("utf-8"))
            return words
    raise AssertionError("the theme has no English words for giving")


@cache
def endonym(code: str) -> str:
    """What a language calls itself: “English”, “Русский”; its code where Babel does not know."""
    try:
        name = Locale.parse(code, sep="-").get_display_name(code.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        name = None
    return name[:1].upper() + name[1:] if name else code


class Words:
    """The words of one language: ``words["key"]``, ``words.fill("key", title="…")``."""

    def __init__(self, language: str) -> None:
        self.locale = _locale(language)
        self._all = _read(language)
        self.plain: dict[str, str] = {k: v for k, v in self._all.items() if isinstance(v, str)}
        self._plural = self.locale.plural_form
        if self._all is _read(FALLBACK):
            self._plural = Locale(FALLBACK).plural_form
        patterns = self._list_patterns()
        self._pair = patterns["2"].split("{0}")[1].split("{1}")[0]
        self._comma = patterns["middle"].split("{0}")[1].split("{1}")[0]
        self._last = patterns["end"].split("{0}")[1].split("{1}")[0]

    def _list_patterns(self) -> dict[str, str]:
        locale = Locale.parse(_DATE_LOCALES.get(str(self.locale), str(self.locale)))
        return dict(locale.list_patterns["standard"])

    def __getitem__(self, key: str) -> str:
        return self.plain[key]

    def fill(self, key: str, **values: object) -> str:
        """The words with values put in, as plain text."""
        return self.plain[key].format(**values)

    @cache  # noqa: B019 - words live as long as the process.
    def around(self, key: str) -> tuple[str, str]:
        """What stands before and after ``{names}``, as HTML."""
        before, _, after = escape(self.plain[key], quote=False).partition("{names}")
        return before, after

    @cache  # noqa: B019 - the same; numbers are small.
    def count(self, key: str, n: int) -> str:
        """The form that this many things take, with ``{n}`` filled in."""
        forms = self._all[key]
        assert isinstance(forms, dict)  # noqa: S101 - the keys are the theme's own, tested.
        return forms.get(self._plural(n), forms["other"]).format(n=n)

    def join(self, parts: Sequence[str]) -> str:
        """“A”, “A and B”, “A, B and C”, as the language writes it; of text or of HTML."""
        if len(parts) < 3:
            return self._pair.join(parts)
        return f"{self._comma.join(parts[:-1])}{self._last}{parts[-1]}"


class Calendar:
    """Dates of one language in one time zone, each day formatted once."""

    def __init__(self, locale: Locale, timezone: str) -> None:
        self.zone: tzinfo = ZoneInfo(timezone)
        self.place = get_timezone_location(self.zone, locale=locale, return_city=True)
        self._locale = Locale.parse(_DATE_LOCALES.get(str(locale), str(locale)))
        # The full date without its year, and without the words that belong to the year.
        full = self._locale.date_formats["full"].pattern
        self._yearless = re.sub(r",?\s*y+(?:\s*'[^']*'\.?|年)?\s*", " ", full).strip()
        self._long = writer(self._locale.date_formats["long"].pattern, self._locale)
        self._full = writer(full, self._locale)
        self._short = writer(self._yearless, self._locale)
        self.day = lru_cache(maxsize=_DAYS)(self._day)
        self.weekday = lru_cache(maxsize=_DAYS)(self._weekday)
        self.day_label = lru_cache(maxsize=_DAYS)(self._day_label)
        self.month = lru_cache(maxsize=1024)(self._month)
        self.month_within = lru_cache(maxsize=1024)(self._month_within)

    def local(self, value: str) -> datetime:
        """Read an RFC 3339 date and move it to the paper's time zone."""
        return datetime.fromisoformat(value).astimezone(self.zone)

    def _day(self, day: date) -> str:
        return _bare(self._long(day))

    def _weekday(self, day: date) -> str:
        words = _bare(self._full(day))
        return words[:1].upper() + words[1:]

    def _day_label(self, day: date) -> str:
        """“Sunday 22 November”: where the year is said above."""
        words = self._short(day)
        return words[:1].upper() + words[1:]

    def _month(self, year: int, month: int) -> str:
        """“November 2026”, or “2026” where the month is 0."""
        if not month:
            return str(year)
        words = self.month_within(year, month)
        return words[:1].upper() + words[1:]

    def _month_within(self, year: int, month: int) -> str:
        """A month after other words: “ноябрь 2026” in languages that write months small."""
        return _bare(format_skeleton("yMMMM", date(year, month, 1), locale=self._locale))


def writer(pattern: str, locale: Locale) -> Callable[[date], str]:
    """Writes dates as Babel's ``format_date`` does in this pattern (CLDR's). Babel reads the
    pattern anew for each date; here it is read once, and its words are asked for once."""
    parsed = str(parse_pattern(pattern).format)
    fields = set(_FIELD.findall(parsed))
    if not fields <= _FIELDS:
        return partial(format_date, format=pattern, locale=locale)
    # Days that fall on all months and all weekdays: 2001 began with a Monday.
    months = {m: _named(date(2001, m, 1), fields & {"MMM", "MMMM"}, locale) for m in range(1, 13)}
    weekdays = {d: _named(date(2001, 1, d + 1), fields & {"EEE", "EEEE"}, locale) for d in range(7)}

    def write(day: date) -> str:
        number, month = day.day, day.month
        numbers = {"d": number, "dd": f"{number:02}", "M": month, "MM": f"{month:02}"}
        named = {**months[month], **weekdays[day.weekday()]}
        return parsed % {**numbers, "y": day.year, **named}

    return write


def _named(day: date, fields: set[str], locale: Locale) -> dict[str, str]:
    return {field: format_date(day, field, locale=locale) for field in fields}


def _bare(words: str) -> str:
    """Russian and its neighbours write “г.” after the year in letters, not in newspapers."""
    return re.sub(r"\s(?:г|р|ж)\.$", "", words)
