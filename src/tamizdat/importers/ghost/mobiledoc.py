# SPDX-License-Identifier: AGPL-3.0-or-later
"""Mobiledoc 0.3 documents (Ghost 1 to 4) as HTML.

Sections: ``[1, tag, markers]`` text · ``[2, src]`` image · ``[3, tag, [markers…]]`` list ·
``[10, card]``. A marker is ``[kind, opened markups, closed count, text or atom]``.
"""

from __future__ import annotations

import html as _html
from typing import Any

import msgspec

from tamizdat.importers.ghost import cards
from tamizdat.importers.ghost.cards import Note

_TAGS = frozenset("p h1 h2 h3 h4 h5 h6 blockquote aside pull-quote".split())  # noqa: SIM905
_MARKUPS = frozenset("strong b em i a s u code sub sup del".split())  # noqa: SIM905


class _Document(msgspec.Struct):
    sections: list[list[Any]] = []
    markups: list[list[Any]] = []
    atoms: list[list[Any]] = []
    cards: list[list[Any]] = []


def render(source: str, note: Note) -> str:
    """The document's HTML; empty where it cannot be read, which is noted."""
    try:
        document = msgspec.json.decode(source, type=_Document)
        return "".join(_section(s, document, note) for s in document.sections)
    except (msgspec.DecodeError, RecursionError, IndexError, TypeError, ValueError) as error:
        note(f"its text (Mobiledoc) cannot be read: {error}")
        return ""


def _section(section: list[Any], document: _Document, note: Note) -> str:
    kind = section[0]
    if kind == 1:
        tag = section[1] if section[1] in _TAGS else "p"
        inner = _markers(section[2], document)
        if tag in {"aside", "pull-quote"}:
            return f'<blockquote class="pull"><p>{inner}</p></blockquote>'
        return f"<{tag}>{inner}</{tag}>"
    if kind == 2:
        return f'<img src="{_html.escape(str(section[1]))}">'
    if kind == 3:
        tag = "ol" if section[1] == "ol" else "ul"
        items = "".join(f"<li>{_markers(m, document)}</li>" for m in section[2])
        return f"<{tag}>{items}</{tag}>"
    if kind == 10:
        name, payload = document.cards[section[1]][:2]
        return cards.render(str(name), payload if isinstance(payload, dict) else {}, note)
    note(f"a section of kind {kind}, not known here, was left out")
    return ""


def _markers(markers: list[Any], document: _Document) -> str:
    parts: list[str] = []
    open_tags: list[str] = []
    for kind, opened, closed, value in markers:
        for index in opened:
            tag, start = _markup(document.markups[index])
            open_tags.append(tag)
            parts.append(start)
        if kind == 1:
            atom = document.atoms[value]
            parts.append("<br>" if atom[0] == "soft-return" else _html.escape(str(atom[1])))
        else:
            parts.append(_html.escape(str(value), quote=False))
        for _ in range(min(closed, len(open_tags))):
            tag = open_tags.pop()
            parts.append(f"</{tag}>" if tag else "")
    return "".join(parts)


def _markup(markup: list[Any]) -> tuple[str, str]:
    """The tag that it opens (empty where we have none such) and its source."""
    tag = str(markup[0]).lower()
    if tag not in _MARKUPS:
        return "", ""
    if tag != "a":
        return tag, f"<{tag}>"
    pairs = markup[1] if len(markup) > 1 and isinstance(markup[1], list) else []
    found = dict(zip(pairs[::2], pairs[1::2], strict=False))
    return "a", f'<a href="{_html.escape(str(found.get("href", "")))}">'
