# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a person gets to read: an export or a receipt as JSON, plain text or a page of HTML.

What always holds: the page is one file that loads nothing; everything in it is escaped. JSON has
the same content and is what a machine takes (GDPR Art. 20).
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from django.utils.html import format_html, format_html_join

from tamizdat.desk.readers.requests import Export, Receipt

Form = Literal["html", "text", "json"]
NOTHING = "We hold nothing about this address."
_STYLE = (
    "body{font:1rem/1.5 serif;max-width:42rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%;margin:0 0 1.5rem}"
    "th,td{text-align:start;vertical-align:top;padding:.25rem .75rem .25rem 0;"
    "border-bottom:1px solid;overflow-wrap:anywhere}"
)


def as_dict(found: Export | Receipt) -> dict[str, Any]:
    """Plain data, dates as text."""
    data: dict[str, Any] = msgspec.to_builtins(found)
    return data


def export_as(found: Export, form: str) -> str:
    """``form``: one of ``Form``."""
    if form == "json":
        return msgspec.json.format(msgspec.json.encode(found)).decode() + "\n"
    return export_as_html(found) if form == "html" else export_as_text(found)


def _said(record: dict[str, Any]) -> list[tuple[str, str]]:
    """What a record says, without what it leaves empty."""
    return [(name, str(value)) for name, value in record.items() if value not in (None, "")]


def export_as_text(found: Export) -> str:
    lines = [
        f"What {found.newsroom} holds about {found.address}",
        f"As of {found.day}",
        "",
    ]
    for part in found.parts:
        lines += [part.title, "=" * len(part.title), ""]
        for record in part.records:
            lines += [f"  {name}: {value}" for name, value in _said(record)] + [""]
    if not found.parts:
        lines += [NOTHING, ""]
    return "\n".join(lines)


def export_as_html(found: Export) -> str:
    parts = format_html_join(
        "\n",
        "<h2>{}</h2>\n{}",
        (
            (part.title, format_html_join("\n", "{}", ((_table(r),) for r in part.records)))
            for part in found.parts
        ),
    )
    return str(
        format_html(
            '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width">\n'
            "<title>{0}: your data</title>\n<style>{1}</style>\n"
            "<h1>What {0} holds about {2}</h1>\n<p>As of {3}</p>\n{4}\n</html>\n",
            found.newsroom,
            _STYLE,
            found.address,
            found.day,
            parts or NOTHING,
        )
    )


def _table(record: dict[str, Any]) -> str:
    rows = format_html_join("", "<tr><th scope=row>{}</th><td>{}</td></tr>", _said(record))
    return format_html("<table>{}</table>", rows)


def receipt_as_text(receipt: Receipt) -> str:
    lines = [f"{receipt.newsroom}: erasure of a person's data, {receipt.day}", ""]
    if not receipt.known:
        return "\n".join([*lines, NOTHING, ""])
    lines += ["Erased", "======", ""]
    lines += [f"  {part.title}: {part.count}" for part in receipt.erased] or ["  nothing was left"]
    if receipt.kept:
        lines += ["", "Kept", "====", ""]
        for kept in receipt.kept:
            until = f", until {kept.until}" if kept.until else ""
            lines += [f"  {kept.what}: {kept.count}{until}", f"    {kept.why}.", ""]
    lines += [
        "",
        "Copies in backups are not used, and go when those backups are overwritten in their turn.",
        "",
    ]
    return "\n".join(lines)
