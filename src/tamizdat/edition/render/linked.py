# SPDX-License-Identifier: AGPL-3.0-or-later
"""What machines read on a page: schema.org as JSON-LD.

What always holds: the text cannot end the script element it stands in (``<`` is escaped), and it
is valid JSON whatever a headline holds.
"""

from __future__ import annotations

from collections.abc import Mapping
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


def article(facts: Mapping[str, Any]) -> Markup:
    """A ``NewsArticle``: facts that are empty are left out."""
    whole: dict[str, Any] = {"@context": "https://schema.org", "@type": "NewsArticle"}
    return json_in_html(whole | {name: value for name, value in facts.items() if value})
