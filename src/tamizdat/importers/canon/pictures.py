# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where a photo in the text comes from: the port that each format fills."""

from __future__ import annotations

from typing import Protocol
from urllib.parse import urljoin, urlsplit

from tamizdat.importers.port import PhotoFile


class Pictures(Protocol):
    """Finds the photo that an ``<img>`` shows. ``ref`` is its number in the old system."""

    def find(self, src: str, ref: str = "") -> PhotoFile | None:
        """The photo, or None where nothing can be known of it (a tracking pixel, ``data:``)."""
        ...


class NoPictures:
    """Photos known by their address alone; no bytes were given."""

    def __init__(self, base: str = "") -> None:
        self.base = base

    def find(self, src: str, ref: str = "") -> PhotoFile | None:
        url = absolute(self.base, src)
        if not url.startswith(("http://", "https://", "file:")):
            return None
        return PhotoFile(uri=uri_of(url), url=url)


def absolute(base: str, url: str) -> str:
    """The address seen from ``base``; what cannot be an address comes back as it is."""
    try:
        return urljoin(base, url.strip())
    except ValueError:
        return url.strip()


def uri_of(url: str) -> str:
    """The address as the uri of a photo: without query and without what an attribute can't hold."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "".join(c for c in url if c not in " \"'<>`")
    text = f"{parts.scheme}://{parts.netloc}{parts.path}"
    return "".join(c if c not in " \t\n\"'<>`" else f"%{ord(c):02X}" for c in text)[:2000]
