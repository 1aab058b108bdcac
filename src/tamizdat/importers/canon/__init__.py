# SPDX-License-Identifier: AGPL-3.0-or-later
"""Any HTML to the canonical body (docs/format/body.md), with photos in the short form.

What always holds: what comes out is what ``edition.body.clean`` returns; every photo named in it
is in ``Body.photos``; whatever was taken away or changed in a way that a reader could miss is in
``Body.notes``, each once. Bounded: nesting beyond ``MAX_DEPTH`` keeps only its words.

What is not done here: finding a photo's file (``Pictures``), network.
"""

from __future__ import annotations

from tamizdat.importers.canon.blocks import MAX_DEPTH, Body, canonical
from tamizdat.importers.canon.pictures import NoPictures, Pictures

__all__ = ["MAX_DEPTH", "Body", "NoPictures", "Pictures", "canonical"]
