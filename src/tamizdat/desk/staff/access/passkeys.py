# SPDX-License-Identifier: AGPL-3.0-or-later
"""The ceremonies of WebAuthn, by django-allauth and fido2, with what they leave open.

What always holds, beyond what they check (challenge used once, signature, relying party): a passkey
lies on the device with its account's name (discoverable) and asks for finger, face or PIN each
time; only a page of exactly this origin may show it; a counter that does not go up is a copy's.
Must run inside a request (``AccountMiddleware``). Rows are written by ``actions``.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from allauth.core import context
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from tamizdat.desk.staff.access.errors import CopiedPasskeyError, PasskeyError
from tamizdat.desk.staff.models import User

_Result = TypeVar("_Result")
LONGEST = 16_384
COUNT = "sign_count"


def options_to_add(user: User) -> dict[str, Any]:
    """What ``navigator.credentials.create`` is asked."""
    return auth.begin_registration(user, True)


def options_to_show(user: User | None) -> dict[str, Any]:
    """What ``navigator.credentials.get`` is asked; without a user, any passkey of this desk."""
    return auth.begin_authentication(user)


def read_new(answer: str) -> tuple[dict[str, Any], int]:
    """The new credential, checked, and where its counter stands. Raises ``PasskeyError``."""
    credential = _parse(answer)
    parsed = _checked(lambda: auth.parse_registration_response(credential))
    _same_origin(parsed.response.client_data.origin)
    binding = _checked(lambda: auth.complete_registration(credential))
    if not binding.is_user_verified():
        raise PasskeyError(unknown())
    return credential, binding.counter


def read_shown(answer: str, *, user: User | None) -> tuple[Authenticator, int]:
    """Which passkey was shown, and its counter. Raises ``PasskeyError``.

    Without ``user`` the passkey says whose it is. ``CopiedPasskeyError`` carries the row.
    """
    credential = _parse(answer)
    parsed = _checked(lambda: auth.parse_authentication_response(credential))
    _same_origin(parsed.response.client_data.origin)
    owner = user or _checked(lambda: auth.extract_user_from_response(credential))
    row = _checked(lambda: auth.complete_authentication(owner, credential))
    if not parsed.response.authenticator_data.is_user_verified():
        raise PasskeyError(unknown())
    return row, parsed.response.authenticator_data.counter


def is_copy(row: Authenticator, count: int) -> bool:
    """Whether this counter was seen before. Passkeys that do not count say 0 always."""
    last = row.data.get(COUNT, 0)
    return bool(count or last) and count <= last


def refuse_copy() -> CopiedPasskeyError:
    return CopiedPasskeyError(
        _(
            "This passkey was refused: somebody seems to have a copy of it. Come in another way, "
            "remove it and tell your operator."
        )
    )


def _parse(answer: str) -> dict[str, Any]:
    if len(answer) > LONGEST:
        raise PasskeyError(unknown())
    try:
        credential = json.loads(answer)
    except (ValueError, RecursionError):
        raise PasskeyError(unknown()) from None
    if not isinstance(credential, dict):
        raise PasskeyError(unknown())
    return credential


def _checked(step: Callable[[], _Result]) -> _Result:
    """A step of a ceremony over what a stranger sent: whatever is wrong with it, it is refused."""
    try:
        return step()
    except (ValidationError, ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        raise PasskeyError(unknown()) from error


def _same_origin(origin: str) -> None:
    request = context.request
    if origin != f"{request.scheme}://{request.get_host()}":
        raise PasskeyError(unknown())


def unknown() -> str:
    return _("This passkey was not accepted. Try again, or come in another way.")
