# SPDX-License-Identifier: AGPL-3.0-or-later
"""A web page that somebody saved, as HTML or as plain text: the article alone.

What always holds: what a page is made of is told by features of its blocks (``furniture``), never
by the words of one site; nothing is fetched; what was dropped is counted in the notes.

``html`` reads saved HTML (metadata first, then trafilatura) · ``text`` reads plain text ·
``furniture`` tells article from furniture · ``sources`` finds who reported it.
"""

from __future__ import annotations

from tamizdat.importers.page.reader import PageImporter

__all__ = ["PageImporter"]
