# SPDX-License-Identifier: AGPL-3.0-or-later
"""A list's own page made of the page as it was: a few stories out, a few in, the rest as it stands.

What always holds: what comes out is, byte for byte, what ``lists.listing`` makes of the same
stories, or None. Rows are found by the marks of ``listing.html`` and ``_card.html``; their words
are escaped, so that no mark stands in them.

What is not done here: deciding that nothing else of the page changed (``publishing``).
"""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import NamedTuple

from tamizdat.edition.render.furniture import Tongue
from tamizdat.edition.render.lists import FULL, own_line, own_teaser
from tamizdat.edition.render.templates import escaped
from tamizdat.edition.views import Card, Splice

_ROWS, _ROWS_END, _ROW_END = '<div class="rows">\n', "</div>\n", "</article>\n"
_REST, _LINES, _LINES_END, _LINE_END = 'id="rest">', "<ul>\n", "</ul>\n", "</li>\n"
CardAt = Callable[[str], Card | None]


class _Row(NamedTuple):
    """A story's row: its path as it is written there, the HTML, and in which form that is."""

    path: str
    html: str
    form: str


class _Stretch(NamedTuple):
    start: int
    end: int
    rows: list[str]


def spliced(former: bytes, splice: Splice, card_at: CardAt, tongue: Tongue) -> bytes | None:
    """The page with the stories changed; None where it must be made anew."""
    page = former.decode()
    teasers = _stretch(page, 0, _ROWS, _ROWS_END, _ROW_END)
    if teasers is None:
        return None
    at = page.find(_REST, teasers.end)
    lines = None if at < 0 else _stretch(page, at, _LINES, _LINES_END, _LINE_END)
    gone = {escaped(path) for path in splice.gone}
    old = _rows(teasers.rows, lines.rows if lines else [])
    rows: list[_Row | Card] = [row for row in old if row.path not in gone]
    for place, card in splice.come:
        rows.insert(place, card)
    if len(rows) != splice.stories or (len(rows) > FULL) != (lines is not None) or not rows:
        return None
    made = [_made(place, row, card_at, tongue) for place, row in enumerate(rows)]
    found = [row for row in made if row is not None]
    if len(found) != len(made):
        return None
    parts = [page[: teasers.start], *found[:FULL], page[teasers.end : lines and lines.start]]
    if lines:
        parts += [*found[FULL:], page[lines.end :]]
    return "".join(parts).encode()


def _stretch(page: str, at: int, begin: str, end: str, between: str) -> _Stretch | None:
    """The rows after a mark, each with its end."""
    start = page.find(begin, at)
    if start < 0:
        return None
    start += len(begin)
    stop = page.find(end, start)
    rows = page[start:stop].split(between)
    return _Stretch(start, stop, [row + between for row in rows[:-1]]) if not rows[-1] else None


def _rows(teasers: list[str], lines: list[str]) -> list[_Row]:
    found = []
    for place, row in enumerate([*teasers, *lines]):
        path = row.partition('href="')[2].partition('"')[0]
        found.append(_Row(path, row, _form(place)))
    return found


def _form(place: int) -> str:
    return "line" if place >= FULL else "teaser" if place else "first"


def _made(place: int, row: _Row | Card, card_at: CardAt, tongue: Tongue) -> str | None:
    """The row as it stands at a place: mostly as it stood."""
    if isinstance(row, _Row):
        if row.form == _form(place):
            return row.html
        found = card_at(html.unescape(row.path))
        if found is None:
            return None
        row = found
    return own_line(row, tongue) if place >= FULL else own_teaser(row, place, tongue)
