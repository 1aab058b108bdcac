# SPDX-License-Identifier: AGPL-3.0-or-later
"""Codes that somebody types: from an app (TOTP, RFC 6238), or one of the recovery codes.

What always holds: a code of the app is taken once, and none older than the last one taken (also by
another process); the clocks may differ by one step of 30 s. A recovery code is taken once.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.utils import decrypt
from django.db import transaction
from django.utils import timezone

from tamizdat.desk.staff.models import User

LAST = "last_step"


def matching_steps(secret: str, code: str) -> Iterator[int]:
    """The steps of time, around now, whose code this is."""
    for step in totp.yield_hotp_counters_from_time():
        expected = totp.format_hotp_value(totp.hotp_value(secret, step))
        if compare_user_code(actual=code, expected=expected):
            yield step


@transaction.atomic
def take_code(user: User, code: str) -> Authenticator | None:
    """What the code belongs to, if it is right; it is then used up."""
    rows = Authenticator.objects.select_for_update().filter(user=user)
    app = rows.filter(type=Authenticator.Type.TOTP).first()
    if app is not None and _take_from_app(app, code):
        return app
    recovery = rows.filter(type=Authenticator.Type.RECOVERY_CODES).first()
    if recovery is not None and RecoveryCodes(recovery).validate_code(code):
        return recovery
    return None


def _take_from_app(app: Authenticator, code: str) -> bool:
    last = app.data.get(LAST, -1)
    fresh = [step for step in matching_steps(decrypt(app.data["secret"]), code) if step > last]
    if not fresh:
        return False
    app.data[LAST] = min(fresh)
    app.last_used_at = today()
    app.save(update_fields=["data", "last_used_at"])
    return True


def today() -> datetime:
    """When, as finely as it is kept: the day."""
    return timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
