# SPDX-License-Identifier: AGPL-3.0-or-later
"""An issue's mail as something that a browser shows on its own: nothing is fetched, nothing runs.

What always holds: pictures that travel inside the mail stand in the page as data; the page's own
policy allows styles and those pictures and nothing else; light or dark is as it was asked for,
whatever the screen of who looks.
"""

from __future__ import annotations

import base64
import re
from typing import Literal

from tamizdat.desk.newsletter.checks import Form

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; "
    # Links are to be looked at: they open beside the desk, never in place of it.
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
Light = Literal["light", "dark"]
_DARK = re.compile(r"\(\s*prefers-color-scheme\s*:\s*dark\s*\)", re.IGNORECASE)
_SCHEME = re.compile(r"(?<!prefers-)(color-schemes?\s*:)\s*[^;}]+", re.IGNORECASE)
_META = re.compile(
    r"(<meta name=\"(?:supported-)?color-schemes?\" content=\")[^\"]*", re.IGNORECASE
)


def page(form: Form, light: Light) -> str:
    """The HTML part for a frame of the desk."""
    html = form.laid.html
    for file in form.content.files:
        data = form.files.get(file.sha256)
        if file.cid and data is not None:
            inline = f"data:{file.media_type};base64,{base64.b64encode(data).decode()}"
            html = html.replace(f"cid:{file.cid}", inline)
    html = _META.sub(rf"\g<1>{light}", _SCHEME.sub(rf"\1 {light}", html))
    # A width that is always or never there stands for the question about the screen.
    html = _DARK.sub("(min-width: 0)" if light == "dark" else "(max-width: 0)", html)
    return html.replace("<head>", '<head><base target="_blank">', 1)
