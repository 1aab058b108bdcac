# SPDX-License-Identifier: AGPL-3.0-or-later
"""An issue's mail as something that a browser shows on its own: nothing is fetched, nothing runs.

What always holds: pictures that travel inside the mail stand in the page as data; the page's own
policy allows styles and those pictures and nothing else; light or dark is as it was asked for,
whatever the screen of who looks.
"""

from __future__ import annotations

import base64

from tamizdat.desk.newsletter.checks import Form
from tamizdat.desk.newsroom.light import Light, lit

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; "
    # Links are to be looked at: they open beside the desk, never in place of it.
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)


def page(form: Form, light: Light) -> str:
    """The HTML part for a frame of the desk."""
    html = form.laid.html
    for file in form.content.files:
        data = form.files.get(file.sha256)
        if file.cid and data is not None:
            inline = f"data:{file.media_type};base64,{base64.b64encode(data).decode()}"
            html = html.replace(f"cid:{file.cid}", inline)
    return lit(html, light).replace("<head>", '<head><base target="_blank">', 1)
