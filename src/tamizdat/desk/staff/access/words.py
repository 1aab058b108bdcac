# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sentences that several pages of the log-in say."""

from __future__ import annotations

import math

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

ACTIONS = {
    "staff.passkey_added": "Passkey added",
    "staff.passkey_removed": "Passkey removed",
    "staff.passkey_copied": "Passkey refused: its counter went back, as with a copy",
    "staff.app_added": "App with codes added",
    "staff.app_removed": "App with codes removed",
    "staff.codes_made": "Recovery codes made anew",
    "staff.session_ended": "Session ended",
    "staff.sessions_ended": "Sessions ended",
    "staff.recovered": "Account closed and given a new one-time link",
}


def too_many(seconds: float) -> str:
    """How long somebody has to wait, rounded up to minutes."""
    minutes = max(1, math.ceil(seconds / 60))
    said = ngettext(
        "Too many attempts. Try again in %(minutes)d minute.",
        "Too many attempts. Try again in %(minutes)d minutes.",
        minutes,
    )
    return said % {"minutes": minutes}


def wrong_code() -> str:
    return _("This code is not right, or it was used already. Wait for the next one and try again.")


def wrong_password() -> str:
    return _("This is not the password.")


def passkeys_alone() -> str:
    return _("This newsroom is opened by passkeys only.")


def ask_operator() -> str:
    return _("Ask your newsroom's operator for a one-time link.")


def took_too_long() -> str:
    return _("That took too long. Sign in again.")


def now_sign_in() -> str:
    return _("Your new password is set. Sign in with it.")


def passkey_there() -> str:
    return _("This account has a passkey already: sign in with it.")
