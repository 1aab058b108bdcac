# SPDX-License-Identifier: AGPL-3.0-or-later
"""Laying out: a ``Content`` or a ``Notice`` becomes a mail's HTML and its plain text.

What always holds:

- nothing that a newsroom writes can break out of the layout: words are escaped, HTML is cleaned
  again, addresses that are not http, https or mailto are not links;
- nothing in the HTML is fetched from anywhere, unless the content's picture has ``src``;
- the placeholders of ``mail.content`` come out as they went in, wherever their addresses stand;
- equal contents give equal bytes.

What is not done here: choosing what is in an issue, making a message of it, addresses of readers.
"""

from __future__ import annotations

from tamizdat.mail.layout.pages import issue, notice, plain
from tamizdat.mail.layout.weighing import GMAIL_CLIPS_AT, Weight, weight

__all__ = ["GMAIL_CLIPS_AT", "Weight", "issue", "notice", "plain", "weight"]
