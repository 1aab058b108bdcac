# SPDX-License-Identifier: AGPL-3.0-or-later
"""IPTC ninjs 3.1 items: our own export, and what agencies send.

``layout`` is how our export lies on disk · ``reader`` reads files, folders, lines and exports ·
``foreign`` makes a story of ours of what others wrote · ``writer`` writes the export.
"""

from __future__ import annotations

from tamizdat.importers.ninjs.reader import NinjsImporter
from tamizdat.importers.ninjs.writer import ExportWriter

__all__ = ["ExportWriter", "NinjsImporter"]
