# SPDX-License-Identifier: AGPL-3.0-or-later
"""The open sessions of an account, in words. Nothing is changed here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.contrib.auth import HASH_SESSION_KEY
from django.utils import timezone

from tamizdat.desk.staff.models import Session, User


@dataclass(frozen=True)
class OpenSession:
    """``key`` is the hashed one: it ends a session and opens none."""

    key: str
    device: str
    opened: date | None
    used: date | None
    here: bool


def open_sessions(user: User, *, own: str = "") -> list[OpenSession]:
    """Those that still open the desk, this one first; ones of an older password do not."""
    rows = Session.objects.filter(user=user, expire_date__gt=timezone.now())
    valid = {user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()}
    found = [
        OpenSession(row.session_key, row.device, row.opened, row.used, row.session_key == own)
        for row in rows.order_by("-used", "-opened")
        if row.get_decoded().get(HASH_SESSION_KEY) in valid
    ]
    return sorted(found, key=lambda session: not session.here)
