# SPDX-License-Identifier: AGPL-3.0-or-later
"""The words and dates of a mail, in its language; English where there are none in it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib import resources

import msgspec

from tamizdat.edition.site import RTL_LANGUAGES
from tamizdat.mail.errors import LayoutError
from tamizdat.theme.words import Calendar, Words

_FALLBACK = "en"


@cache
def words(language: str) -> Mapping[str, str]:
    """Every mail's own words; each language has the same keys (tested)."""
    folder = resources.files("tamizdat.mail.layout") / "locales"
    for code in (language, language.partition("-")[0], _FALLBACK):
        if (file := folder / f"{code}.json").is_file():
            return msgspec.json.decode(file.read_bytes(), type=dict[str, str])
    raise AssertionError("mail has no English words")


def minutes(language: str, n: int) -> str:
    """“6 minutes to read”, as the paper says it."""
    return _theme(language).count("minutes", n)


def day(language: str, when: str) -> str:
    """“Friday, 27 November 2026”. ``when`` is RFC 3339; its own offset says which day it is."""
    try:
        return _calendar(language).weekday(date.fromisoformat(when[:10]))
    except ValueError as error:
        raise LayoutError(f"“{when}” is no day: write it as 2026-11-27") from error


def is_rtl(language: str) -> bool:
    return language.partition("-")[0].lower() in RTL_LANGUAGES


@cache
def _theme(language: str) -> Words:
    return Words(language)


@cache
def _calendar(language: str) -> Calendar:
    return Calendar(_theme(language).locale, "UTC")
