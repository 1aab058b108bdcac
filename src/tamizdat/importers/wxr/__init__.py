# SPDX-License-Identifier: AGPL-3.0-or-later
"""WordPress eXtended RSS, 1.0 to 1.2: posts and pages with their photos.

What always holds: the file is read as a stream, twice (first what others refer to, then the
posts), so memory does not grow with it; each ``<item>`` is parsed alone, without a document type
and with entities off, so that one broken item costs only itself.

``stream`` cuts the file into items · ``item`` types one · ``index`` holds what items refer to, on
disk · ``shortcodes`` and ``content`` make the body · ``taking`` decides what becomes of an item.
"""

from __future__ import annotations

from tamizdat.importers.wxr.taking import WxrImporter

__all__ = ["WxrImporter"]
