# SPDX-License-Identifier: AGPL-3.0-or-later
"""Lexical documents (Ghost 5) as HTML. Nesting beyond ``MAX_DEPTH`` is left out and noted."""

from __future__ import annotations

import html as _html
from typing import Any

import msgspec

from tamizdat.importers.ghost import cards
from tamizdat.importers.ghost.cards import Note

MAX_DEPTH = 60
_FORMATS = (
    (1, "strong"),
    (2, "em"),
    (4, "s"),
    (8, "u"),
    (16, "code"),
    (32, "sub"),
    (64, "sup"),
)
_BLOCKS = {"paragraph": "p", "quote": "blockquote", "listitem": "li"}


def render(source: str, note: Note) -> str:
    """The document's HTML; empty where it cannot be read, which is noted."""
    try:
        document = msgspec.json.decode(source)
    except (msgspec.DecodeError, RecursionError) as error:
        note(f"its text (Lexical) cannot be read: {error}")
        return ""
    root = document.get("root") if isinstance(document, dict) else None
    return _children(root, note, 0) if isinstance(root, dict) else ""


def _children(node: dict[str, Any], note: Note, depth: int) -> str:
    if depth > MAX_DEPTH:
        note("nesting deeper than any text needs was left out")
        return ""
    found = node.get("children")
    children = found if isinstance(found, list) else []
    return "".join(_node(c, note, depth + 1) for c in children if isinstance(c, dict))


def _node(node: dict[str, Any], note: Note, depth: int) -> str:
    kind = str(node.get("type") or "").removeprefix("extended-")
    if kind in {"text", "tab"}:
        return _text(node)
    if kind == "linebreak":
        return "<br>"
    if kind in {"link", "autolink", "at-link"}:
        return f'<a href="{cards.attribute(node, "url")}">{_children(node, note, depth)}</a>'
    if kind == "heading":
        tag = str(node.get("tag") or "h2")
        level = tag if tag in {"h1", "h2", "h3", "h4", "h5", "h6"} else "h2"
        return f"<{level}>{_children(node, note, depth)}</{level}>"
    if kind == "list":
        tag = "ol" if node.get("listType") == "number" else "ul"
        return f"<{tag}>{_children(node, note, depth)}</{tag}>"
    if kind == "aside":
        return f'<blockquote class="pull">{_children(node, note, depth)}</blockquote>'
    if kind in _BLOCKS:
        return f"<{_BLOCKS[kind]}>{_children(node, note, depth)}</{_BLOCKS[kind]}>"
    if "children" in node and kind not in {"toggle", "callout"}:
        return _children(node, note, depth)
    return cards.render(kind, node, note)


def _text(node: dict[str, Any]) -> str:
    words = _html.escape(str(node.get("text") or ""), quote=False)
    found = node.get("format")
    mask = found if isinstance(found, int) else 0
    for bit, tag in _FORMATS:
        if mask & bit:
            words = f"<{tag}>{words}</{tag}>"
    return words
