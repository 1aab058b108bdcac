# SPDX-License-Identifier: AGPL-3.0-or-later
"""Bytes to text, whatever the encoding: byte order mark, UTF-8, what the page declares, a guess.

What always holds: some text comes back, control characters are gone, and the name of the encoding
that was used is told. Binary data is refused with ``DamagedError``.
"""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from tamizdat.importers.errors import DamagedError, RefusedError
from tamizdat.importers.words import without_control

MAX_TEXT = 64 << 20
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DECLARED = re.compile(rb"(?:charset|encoding)\s*=\s*[\"']?\s*([A-Za-z0-9._-]+)", re.IGNORECASE)


def read_text(path: Path) -> tuple[str, str]:
    """The file's text and its encoding. Raises ``RefusedError`` above ``MAX_TEXT`` bytes."""
    size = path.stat().st_size
    if size > MAX_TEXT:
        raise RefusedError(
            f"{path}: {size >> 20} MB is more than one page or item can be ({MAX_TEXT >> 20} MB)"
        )
    return decode(path.read_bytes(), str(path))


def decode(raw: bytes, where: str) -> tuple[str, str]:
    """The text and the name of its encoding."""
    for mark, name in _BOMS:
        if raw.startswith(mark):
            return without_control(raw.decode(name, "replace")), name
    if raw[:400:2].count(0) > len(raw[:400]) // 8 or raw[1:400:2].count(0) > len(raw[:400]) // 8:
        name = "utf-16-be" if raw[:400:2].count(0) > raw[1:400:2].count(0) else "utf-16-le"
        if _readable(text := raw.decode(name, "replace")):
            return without_control(text), name
    if raw[:4000].count(0) > 0:
        raise DamagedError(f"{where}: this is binary data, no text")
    try:
        return without_control(raw.decode("utf-8")), "utf-8"
    except UnicodeDecodeError:
        return _other(raw)


def _other(raw: bytes) -> tuple[str, str]:
    """Neither marked nor UTF-8: as declared, else Russian or Western by its letters."""
    declared = _DECLARED.search(raw[:3000])
    if declared:
        try:
            name = codecs.lookup(declared[1].decode()).name
            if name != "utf-8":
                return without_control(raw.decode(name, "replace")), name
        except LookupError:
            pass  # A name nobody knows: the letters decide.
    russian = raw.decode("cp1251", "replace")
    letters = [c for c in russian[:20000] if c.isalpha() and ord(c) > 127]
    cyrillic = sum("а" <= c <= "я" for c in letters)
    if letters and cyrillic > 0.7 * len(letters) and len(letters) > 0.2 * len(russian[:20000]):
        return without_control(russian), "cp1251"
    damaged = raw.decode("utf-8", "replace")
    if damaged.count("�") < len(damaged) // 200 + 2:
        return without_control(damaged), "utf-8, damaged"
    return without_control(raw.decode("cp1252", "replace")), "cp1252"


def _readable(text: str) -> bool:
    start = text[:2000]
    return sum(c.isprintable() or c.isspace() for c in start) > 0.9 * len(start)


def language_of(text: str) -> str:
    """``ru``, ``ar`` or ``en`` by the letters alone; empty where there are none."""
    start = text[:5000]
    cyrillic = sum("\u0400" <= c <= "\u04ff" for c in start)
    arabic = sum("\u0600" <= c <= "\u06ff" for c in start)
    latin = sum(c.isascii() and c.isalpha() for c in start)
    if not cyrillic + arabic + latin:
        return ""
    return max((latin, "en"), (cyrillic, "ru"), (arabic, "ar"))[1]
