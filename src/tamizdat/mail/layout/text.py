# SPDX-License-Identifier: AGPL-3.0-or-later
"""Plain text of text-shaped HTML: wrapped, headings underlined, addresses whole.

What always holds: no line is longer than ``COLUMNS``, unless it is an address, alone or behind its
number; an address is never broken.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterator

from inscriptis import get_text
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.html_properties import Display
from inscriptis.model.config import ParserConfig
from inscriptis.model.html_element import HtmlElement

COLUMNS = 72
# Marks before a heading's words, from the private use area; ``plainly`` takes them out of content.
TITLE, HEADING, RULE = "\ue000", "\ue001", "\ue002"
_UNDERLINES = {TITLE: "=", HEADING: "-"}
_MARKS = re.compile(r"[\ue000-\ue002]")
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_NUMBERED_LINK = re.compile(r"\s*\[\d+\] \S+")
_RIGHT_TO_LEFT = "\u200f"
_CSS = CSS_PROFILES["strict"].copy()
_CSS["blockquote"] = HtmlElement(display=Display.block, padding_inline=4)
_CONFIG = ParserConfig(css=_CSS)


def plainly(text: str) -> str:
    """Text without what no mail may hold: control characters, and our own marks."""
    return _MARKS.sub("", _CONTROLS.sub("", text))


def render(html: str, *, rtl: bool = False) -> str:
    """The text of a text-shaped document, each line at most ``COLUMNS`` wide."""
    lines = [line for raw in get_text(html, _CONFIG).splitlines() for line in _lines(raw.rstrip())]
    if rtl:
        lines = [_directed(line) for line in lines]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n"


def _lines(line: str) -> Iterator[str]:
    mark = line.lstrip()[:1]
    if mark == RULE:
        yield "-" * COLUMNS
    elif mark in _UNDERLINES:
        words = _wrapped(line.lstrip()[1:].strip())
        yield from words
        yield _UNDERLINES[mark] * min(COLUMNS, max(_width(one) for one in words))
    else:
        yield from _wrapped(line)


def _wrapped(line: str) -> list[str]:
    if len(line) <= COLUMNS or _NUMBERED_LINK.fullmatch(line):
        return [line]
    indent = line[: len(line) - len(line.lstrip())]
    bullet = re.match(r"(?:\* |\d+\. )", line.lstrip())
    return textwrap.wrap(
        line,
        COLUMNS,
        subsequent_indent=indent + " " * (len(bullet[0]) if bullet else 0),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _width(text: str) -> int:
    """Columns of a terminal: none for marks above letters, two for wide letters."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    marks = sum(unicodedata.category(letter) in ("Mn", "Me", "Cf") for letter in text)
    return len(text) + wide - marks


def _directed(line: str) -> str:
    """A line of a right-to-left text whose first letter would turn it round is told not to."""
    if not line.strip() or re.fullmatch(r"\s*https?://\S+", line):
        return line
    strong = next((c for c in map(unicodedata.bidirectional, line) if c in ("L", "R", "AL")), "")
    return line if strong in ("R", "AL") else _RIGHT_TO_LEFT + line
