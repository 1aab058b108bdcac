# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which addresses may be links in a mail: http, https and mailto, nothing else."""

from __future__ import annotations

import re
from urllib.parse import urljoin

_ADDRESS = re.compile(
    r"(?:https?://[^\s/<>\"'\\]|mailto:[^\s<>\"'\\])[^\s<>\"\\]*\Z", re.IGNORECASE
)
ADDRESS_IN_TEXT = re.compile(
    r"(https?://[^\s<>\"\\]*[^\s<>\"\\.,;:!?)\]»”’']|[A-Za-z0-9][\w.+-]*@[\w-]+(?:\.[\w-]+)+)",
    re.ASCII,
)


def address(url: str) -> str:
    """The address, or nothing where it must not be a link."""
    url = url.strip()
    return url if _ADDRESS.match(url) else ""


def absolute(base: str, href: str) -> str:
    """An address of an article as a whole one: those inside the paper start with ``/``."""
    try:
        return address(urljoin(base, href.strip()))
    except ValueError:
        return ""
