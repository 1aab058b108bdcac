# SPDX-License-Identifier: AGPL-3.0-or-later
"""Counts who signed in and out, and who failed to.

Django tells of these by signals and by nothing else: every way in (password, passkey, a link)
ends in its ``login``, so this is the one place where all are heard of. Nothing is decided here.
Kept are an account, a day and a number: no address, no browser, no hour, and never what was typed
where a name was asked for, as that may be a password.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed

from tamizdat.desk.audit import actions
from tamizdat.desk.audit.models import SignIns
from tamizdat.desk.staff.models import User


def connect() -> None:
    user_logged_in.connect(_in, dispatch_uid="audit.in")
    user_logged_out.connect(_out, dispatch_uid="audit.out")
    user_login_failed.connect(_failed, dispatch_uid="audit.failed")


def _in(*, user: User, **_: Any) -> None:
    actions.count_sign_in(account=user.pk, what=SignIns.What.IN)


def _out(*, user: User | None = None, **_: Any) -> None:
    if user is not None:
        actions.count_sign_in(account=user.pk, what=SignIns.What.OUT)


def _failed(*, credentials: dict[str, Any], **_: Any) -> None:
    typed = str(credentials.get("username") or "")[:150]
    account = User.objects.filter(username=typed).values_list("pk", flat=True).first()
    actions.count_sign_in(account=account or 0, what=SignIns.What.FAILED)
