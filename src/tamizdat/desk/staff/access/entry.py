# SPDX-License-Identifier: AGPL-3.0-or-later
"""From “the password was right” to an open desk.

What always holds: the key of a session changes when the password was right and again when the desk
opens, so a key that somebody else planted is worth nothing. Between the two, the session is
anonymous and knows only who still has to show a second factor, for ``PATIENCE`` seconds, and only
as long as the password stays the same. A session knows how it was opened and when its person last
proved who they are.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth import login as django_login
from django.http import HttpRequest
from django.utils import timezone

from tamizdat.desk.staff.access import actions
from tamizdat.desk.staff.access.devices import device_of
from tamizdat.desk.staff.access.store import DEVICE, OPENED, USED
from tamizdat.desk.staff.models import User

PENDING, HOW, PROVED, CLEARED = "entry_pending", "entry_how", "entry_proved", "entry_cleared"
PASSWORD, PASSKEY, CODE, LINK = "password", "passkey", "code", "link"
PATIENCE = 15 * 60
PROOF_LASTS = 10 * 60
BACKEND = "django.contrib.auth.backends.ModelBackend"


@dataclass(frozen=True)
class Pending:
    """Whose password was right, where they wanted to go, whether to be remembered."""

    user: User
    next: str
    remember: bool


def wait_for_second(request: HttpRequest, *, user: User, next_path: str, remember: bool) -> None:
    """Remember that the password was right."""
    request.session.cycle_key()
    request.session.set_expiry(PATIENCE)
    request.session[PENDING] = {
        "user": user.pk,
        "hash": user.get_session_auth_hash(),
        "at": time.time(),
        "next": next_path,
        "remember": remember,
    }


def pending(request: HttpRequest) -> Pending | None:
    """Who still has to show a second factor in this browser, if anybody."""
    kept = request.session.get(PENDING)
    if not kept or time.time() - kept["at"] > PATIENCE:
        return None
    user = User.objects.filter(pk=kept["user"], is_active=True).first()
    if user is None or user.get_session_auth_hash() != kept["hash"]:
        return None
    return Pending(user, kept["next"], kept["remember"])


def open_desk(request: HttpRequest, *, user: User, how: str, remember: bool) -> None:
    """Sign in. Without ``remember`` the session ends with the browser."""
    request.session.pop(PENDING, None)
    actions.forget_expired()
    django_login(request, user, backend=BACKEND)
    today = timezone.localdate().isoformat()
    request.session[DEVICE] = device_of(request.headers.get("User-Agent", ""))
    request.session[OPENED] = request.session[USED] = today
    request.session[HOW] = how
    request.session.set_expiry(settings.SESSION_COOKIE_AGE if remember else 0)
    prove(request)


def prove(request: HttpRequest) -> None:
    """Their person has just shown who they are."""
    request.session[PROVED] = time.time()


def proved(request: HttpRequest) -> bool:
    """Whether that was a moment ago."""
    return bool(time.time() - request.session.get(PROVED, 0) < PROOF_LASTS)
