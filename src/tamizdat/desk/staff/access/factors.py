# SPDX-License-Identifier: AGPL-3.0-or-later
"""What an account has beside its password: passkeys, an app that shows codes, recovery codes.

What always holds: recovery codes alone are no second factor; in a newsroom of passkeys only a
passkey is one. Nothing is written here.
"""

from __future__ import annotations

from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes

from tamizdat.desk.staff.access import policy
from tamizdat.desk.staff.models import User

Kind = Authenticator.Type


@dataclass(frozen=True)
class Factors:
    """The rows of one account."""

    passkeys: tuple[Authenticator, ...] = ()
    app: Authenticator | None = None
    recovery: Authenticator | None = None

    @property
    def enough(self) -> bool:
        """Whether the account has what a second factor is here."""
        return bool(self.passkeys) or (self.app is not None and not policy.passkeys_only())

    @property
    def asked(self) -> bool:
        """Whether a right password is not yet enough to come in."""
        return bool(self.passkeys or self.app)

    @property
    def codes_left(self) -> int:
        if self.recovery is None:
            return 0
        return len(RecoveryCodes(self.recovery).get_unused_codes())


def factors_of(user: User) -> Factors:
    """Everything that this account has, oldest first."""
    rows = list(Authenticator.objects.filter(user=user).order_by("created_at", "pk"))
    only = {row.type: row for row in rows}
    return Factors(
        passkeys=tuple(row for row in rows if row.type == Kind.WEBAUTHN),
        app=only.get(Kind.TOTP),
        recovery=only.get(Kind.RECOVERY_CODES),
    )
