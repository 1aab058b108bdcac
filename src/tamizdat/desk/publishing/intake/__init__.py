# SPDX-License-Identifier: AGPL-3.0-or-later
"""Stories that others wrote, into the desk.

``take_in`` is the whole of it: an importer's results in batches into articles, photos, people,
sections; published or as drafts; safe to run twice. ``report`` is what it tells.
"""

from __future__ import annotations

from tamizdat.desk.publishing.intake.report import Report
from tamizdat.desk.publishing.intake.run import Options, take_in

__all__ = ["Options", "Report", "take_in"]
