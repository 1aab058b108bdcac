# SPDX-License-Identifier: AGPL-3.0-or-later
"""Colours, letters and sizes of a mail: the paper's own, in px, since mail programs know no rem.

What always holds: the accent can be read on the paper in light and dark (``theme.style``).
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import NamedTuple

from markupsafe import Markup

from tamizdat.mail.errors import LayoutError
from tamizdat.theme.style import PAPER, PAPER_DARK, minify, readable

LIGHT = {"PAPER": PAPER, "INK": "#1c1a17", "SOFT": "#5d574e", "LINE": "#d9d4c9"}
DARK = {"PAPER": PAPER_DARK, "INK": "#ddd7cd", "SOFT": "#a39c90", "LINE": "#3b3833"}
_SANS = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', Arial, sans-serif"
_SERIF = "Charter, 'Bitstream Charter', 'Iowan Old Style', Georgia, 'Noto Serif', serif"
_CYRILLIC = "Georgia, 'PT Serif', 'Noto Serif', 'Liberation Serif', serif"
_ARABIC = "'Noto Naskh Arabic', 'Geeza Pro', 'Sakkal Majalla', 'Traditional Arabic', Georgia, serif"
_ARABIC_SANS = "system-ui, 'Segoe UI', 'Noto Sans Arabic', Arial, sans-serif"
_CYRILLIC_LANGUAGES = frozenset(["ru", "uk", "be", "bg", "sr", "mk", "kk", "ky"])
# Sizes in px: of the text, headlines, labels, and the lines they stand on.
_SIZES = {
    "SIZE": 18,
    "LINEHEIGHT": 28,
    "SPACE": 16,
    "TITLELINE": 44,
    "TITLE": 40,
    "SMALLTITLELINE": 36,
    "SMALLTITLE": 32,
    "LABELLINE": 20,
    "LABEL": 14,
    "CREDIT": 12,
    "ENTRY": 24,
    "HEADLINE": 28,
    "HEAD": 23,
    "LARGELINE": 34,
    "LARGE": 29,
    "SMALLLARGELINE": 30,
    "SMALLLARGE": 26,
    "STANDLINE": 28,
    "STAND": 20,
    "PULLLINE": 32,
    "PULL": 24,
}
_SIZES_ARABIC = {
    **_SIZES,
    "SIZE": 19,
    "LINEHEIGHT": 34,
    "TITLELINE": 56,
    "SMALLTITLELINE": 46,
    "LABELLINE": 24,
    "LABEL": 15,
    "ENTRY": 30,
    "HEADLINE": 36,
    "LARGELINE": 44,
    "SMALLLARGELINE": 40,
    "STANDLINE": 34,
    "PULLLINE": 42,
}


class Look(NamedTuple):
    """``inlined`` goes into the elements, ``narrow`` and ``dark`` stay sheets."""

    serif: str
    sans: str
    ink: str
    paper: str
    size: int
    line: int
    inlined: str
    narrow: Markup
    dark: Markup


@cache
def look(language: str, direction: str, accent: str, accent_dark: str) -> Look:
    """Raises ``LayoutError`` where an accent is no colour."""
    sizes = _SIZES_ARABIC if direction == "rtl" else _SIZES
    serif, sans = _letters(language, direction)
    values = {**_sides(direction), **{k: str(v) for k, v in sizes.items()}, **LIGHT}
    values |= {f"DARK_{name}": colour for name, colour in DARK.items()}
    values |= {"SERIF": serif, "SANS": sans}
    values["ACCENT"] = readable(_colour(accent), PAPER)
    values["DARK_ACCENT"] = readable(_colour(accent_dark), PAPER_DARK)
    return Look(
        serif=serif,
        sans=sans,
        ink=LIGHT["INK"],
        paper=PAPER,
        size=sizes["SIZE"],
        line=sizes["LINEHEIGHT"],
        inlined=_sheet("mail", values),
        narrow=Markup(_sheet("narrow", values)),  # noqa: S704 - a file of ours.
        dark=Markup(_sheet("dark", values)),  # noqa: S704 - a file of ours, checked colours.
    )


def _letters(language: str, direction: str) -> tuple[str, str]:
    if direction == "rtl":
        return _ARABIC, _ARABIC_SANS
    cyrillic = language.partition("-")[0] in _CYRILLIC_LANGUAGES
    return (_CYRILLIC if cyrillic else _SERIF), _SANS


def _sides(direction: str) -> dict[str, str]:
    """Mail programs know left and right only. Arabic is neither slanted nor tracked."""
    if direction == "rtl":
        return {"START": "right", "END": "left", "SLANT": "normal", "TRACK": "normal"}
    return {"START": "left", "END": "right", "SLANT": "italic", "TRACK": "-.01em"}


def _colour(colour: str) -> str:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
        raise LayoutError(f"the colour “{colour}” must be like #8c1c13")
    return colour


def _sheet(name: str, values: dict[str, str]) -> str:
    css = (resources.files("tamizdat.mail.layout") / f"{name}.css").read_text("utf-8")
    longest_first = "|".join(sorted(values, key=len, reverse=True))
    return minify(re.sub(rf"(?<![A-Za-z_])({longest_first})", lambda m: values[m[1]], css))
