# SPDX-License-Identifier: AGPL-3.0-or-later
"""Everything that changes what opens an account, and who is signed in.

What always holds: whoever sets up a first factor or loses one, by themselves or by an operator, has
every other session of the account ended; each change stands in the log; no code and no key does.
"""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from allauth.mfa.webauthn.internal.auth import WebAuthn
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.log_actions import log

from tamizdat.desk.staff.access import passkeys, policy
from tamizdat.desk.staff.access.codes import LAST, today
from tamizdat.desk.staff.access.errors import LastFactorError
from tamizdat.desk.staff.access.factors import Kind, factors_of
from tamizdat.desk.staff.models import Session, User

NAME_LENGTH = 60


@transaction.atomic
def add_passkey(
    *, acting_user: User, name: str, credential: dict[str, Any], count: int, session_key: str
) -> None:
    """Let this credential, which was checked, open the account of who acts."""
    _end_unguarded(acting_user, but=session_key)
    row = WebAuthn.add(acting_user, name[:NAME_LENGTH], credential).instance
    row.data[passkeys.COUNT] = count
    row.created_at = today()
    row.save()
    log(acting_user, "staff.passkey_added", user=acting_user)


@transaction.atomic
def add_app(*, acting_user: User, secret: str, step: int, session_key: str) -> None:
    """Let codes made with this secret open the account, from the step after ``step``."""
    _end_unguarded(acting_user, but=session_key)
    row = TOTP.activate(acting_user, secret).instance
    row.data[LAST] = step
    row.created_at = today()
    row.save()
    log(acting_user, "staff.app_added", user=acting_user)


@transaction.atomic
def make_recovery_codes(*, acting_user: User) -> list[str]:
    """New recovery codes; the old ones open nothing any more."""
    Authenticator.objects.filter(user=acting_user, type=Kind.RECOVERY_CODES).delete()
    made = RecoveryCodes.activate(acting_user)
    log(acting_user, "staff.codes_made", user=acting_user)
    return made.generate_codes()


@transaction.atomic
def remove_factor(*, acting_user: User, row: Authenticator, session_key: str) -> None:
    """Take a passkey or the app away; all sessions but ``session_key`` end.

    Raises ``LastFactorError`` where the newsroom demands one and this is the last.
    """
    User.objects.select_for_update().get(pk=acting_user.pk)
    has = factors_of(acting_user)
    others = [p for p in (*has.passkeys, has.app) if p is not None and p.pk != row.pk]
    if policy.passkeys_only():
        others = [p for p in others if p.type == Kind.WEBAUTHN]
    if policy.second_factor_required() and not others:
        raise LastFactorError(_("This is your only one. Set up another first, then remove it."))
    row.delete()
    if not others:
        Authenticator.objects.filter(user=acting_user, type=Kind.RECOVERY_CODES).delete()
    kind = "staff.passkey_removed" if row.type == Kind.WEBAUTHN else "staff.app_removed"
    log(acting_user, kind, user=acting_user)
    _end(acting_user, but=session_key)


@transaction.atomic
def use_passkey(*, row: Authenticator, count: int) -> bool:
    """Remember where its counter stands; False where it is a copy, which is written down."""
    kept = Authenticator.objects.select_for_update().get(pk=row.pk)
    if passkeys.is_copy(kept, count):
        log(kept.user, "staff.passkey_copied", user=None)
        return False
    kept.data[passkeys.COUNT] = count
    kept.last_used_at = today()
    kept.save(update_fields=["data", "last_used_at"])
    return True


@transaction.atomic
def end_session(*, acting_user: User, session: Session) -> None:
    """Sign one browser out."""
    if session.user is None:
        return
    session.delete()
    log(session.user, "staff.session_ended", user=acting_user)


@transaction.atomic
def end_sessions(*, acting_user: User, user: User, but: str = "") -> int:
    """Sign every browser of ``user`` out, but the one whose hashed key is ``but``; how many."""
    ended = _end(user, but=but)
    if ended:
        log(user, "staff.sessions_ended", user=acting_user)
    return ended


@transaction.atomic
def close_account(*, acting_user: User | None, user: User) -> None:
    """Nothing opens it any more but a new one-time link: for who lost everything."""
    Authenticator.objects.filter(user=user).delete()
    user.set_unusable_password()
    user.save(update_fields=["password"])
    _end(user)
    log(user, "staff.recovered", user=acting_user)


def forget_expired() -> None:
    """Remove sessions whose time is over. They open nothing; this is house-keeping."""
    Session.objects.filter(expire_date__lt=timezone.now()).delete()


def _end_unguarded(user: User, *, but: str) -> None:
    """With the first factor, sessions that a password alone opened end."""
    if not factors_of(user).asked:
        _end(user, but=but)


def _end(user: User, but: str = "") -> int:
    ended, _of = Session.objects.filter(user=user).exclude(session_key=but).delete()
    return ended
