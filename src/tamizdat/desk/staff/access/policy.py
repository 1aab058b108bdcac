# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the newsroom demands of a log-in (``[desk]`` in tamizdat.toml)."""

from __future__ import annotations

from django.conf import settings


def passkeys_only() -> bool:
    """Whether nothing but a passkey opens the desk."""
    return bool(settings.STAFF_PASSKEYS_ONLY)


def second_factor_required() -> bool:
    """Whether a password alone does not open the desk."""
    return passkeys_only() or settings.STAFF_SECOND_FACTOR == "required"
