# SPDX-License-Identifier: AGPL-3.0-or-later
"""What machines read on a page: schema.org as JSON-LD.

What always holds: the text cannot end the script element it stands in (``<`` is escaped), and it
is valid JSON whatever a headline holds.
"""

from __future__ import annotations

from typing import Any

import msgspec
from markupsafe import Markup

from tamizdat.edition.render.templates import trusted

_encode = msgspec.json.Encoder().encode


def json_in_html(value: object) -> Markup:
    """JSON that may stand in a ``<script>``: no ``<``, ``>`` or ``&`` in it."""
    text = _encode(value).decode()
    safe = text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    return trusted(safe)  # No character of markup is left.


def publisher(*, name: str, address: str, front: str, corrections: str) -> dict[str, Any]:
    """The newsroom as a ``NewsMediaOrganization``. Addresses are whole."""
    facts: dict[str, Any] = {
        "@type": "NewsMediaOrganization",
        "name": name,
        "url": front,
        "logo": {"@type": "ImageObject", "url": f"{address}/assets/icon-512.png"},
    }
    if corrections:
        facts["correctionsPolicy"] = corrections
    return facts


class Article(msgspec.Struct, omit_defaults=True, kw_only=True):
    """A ``NewsArticle``, its facts in the order in which they are written; those that are empty
    are left out. Addresses are whole, dates RFC 3339."""

    context: str = msgspec.field(name="@context")
    kind: str = msgspec.field(name="@type")
    headline: str = ""
    description: str = ""
    url: str = ""
    published: str = msgspec.field(default="", name="datePublished")
    modified: str = msgspec.field(default="", name="dateModified")
    author: list[Any] | dict[str, str]
    section: str = msgspec.field(default="", name="articleSection")
    image: tuple[str] | None = None
    language: str = msgspec.field(default="", name="inLanguage")
    free: bool = msgspec.field(name="isAccessibleForFree")
    keywords: list[str] = []
    publisher: msgspec.Raw
    corrections: list[dict[str, str]] = msgspec.field(default_factory=list, name="correction")
