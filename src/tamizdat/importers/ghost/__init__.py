# SPDX-License-Identifier: AGPL-3.0-or-later
"""Ghost's JSON export, versions 1 to 5, and the older form without ``db``.

``export`` types the file · ``cards`` renders what both editors share · ``lexical`` and
``mobiledoc`` render their documents where the export holds no HTML · ``taking`` makes stories.
"""

from __future__ import annotations

from tamizdat.importers.ghost.taking import GhostImporter

__all__ = ["GhostImporter"]
