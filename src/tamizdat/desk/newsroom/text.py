# SPDX-License-Identifier: AGPL-3.0-or-later
"""Small rules about words: addresses made of headlines, names of stories.

What always holds: ``slug_from`` gives ASCII letters, digits and single hyphens, at most 80 of
them, never empty, never only digits (a number would look like a year in an address).
"""

from __future__ import annotations

import re
import uuid

from anyascii import anyascii

SLUG_LENGTH = 80


def slug_from(text: str, fallback: str = "story") -> str:
    """Make an address of a headline or name in any script: “Свет в окне” → ``svet-v-okne``."""
    plain = re.sub(r"['’ʹʺ`]", "", anyascii(text)).lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if len(slug) > SLUG_LENGTH:
        slug = slug[: SLUG_LENGTH + 1].rpartition("-")[0] or slug[:SLUG_LENGTH]
    slug = slug or fallback
    return f"{fallback}-{slug}" if slug.isdigit() else slug


def new_uri() -> str:
    """A name for a story or photo that is its own for ever: ``urn:uuid:…``."""
    return uuid.uuid4().urn
