# SPDX-License-Identifier: AGPL-3.0-or-later
"""Stripe's exceptions in our words.

What always holds: every exception of the library has its place in ``KINDS`` (a test counts them);
what is said names a code and the number of the request, by which Stripe's own log finds it, and
nothing of its text, which may name a person or a part of a key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import stripe
from stripe import oauth_error

from tamizdat.giving.errors import (
    AccountError,
    EventError,
    ForgedEventError,
    GivingError,
    NotFoundError,
    RefusedError,
    UnreachableError,
)

KINDS: Final[Mapping[Any, type[GivingError]]] = {
    stripe.StripeError: RefusedError,
    stripe.StripeErrorWithParamCode: RefusedError,
    stripe.APIConnectionError: UnreachableError,
    stripe.APIError: UnreachableError,
    stripe.RateLimitError: UnreachableError,
    stripe.AuthenticationError: AccountError,
    stripe.PermissionError: AccountError,
    stripe.CardError: RefusedError,
    stripe.IdempotencyError: RefusedError,
    stripe.InvalidRequestError: RefusedError,
    stripe.SignatureVerificationError: ForgedEventError,
    stripe.AlreadyCanceledError: RefusedError,
    stripe.BlockedByStripeError: RefusedError,
    stripe.CannotProceedError: RefusedError,
    stripe.CapabilityNotEnabledError: AccountError,
    stripe.ControlledByAlternateResourceError: RefusedError,
    stripe.FeatureNotEnabledError: AccountError,
    stripe.FinancialAccountNotOpenError: AccountError,
    stripe.FxQuoteNeedsRefreshError: RefusedError,
    stripe.InsufficientFundsError: RefusedError,
    stripe.InvalidPaymentMethodError: RefusedError,
    stripe.InvalidPayoutMethodError: RefusedError,
    stripe.InvalidVaultedCredentialError: RefusedError,
    stripe.NotCancelableError: RefusedError,
    stripe.QuotaExceededError: UnreachableError,
    stripe.RecipientNotNotifiableError: RefusedError,
    stripe.TemporarySessionExpiredError: RefusedError,
    stripe.VerificationAttemptFailedError: RefusedError,
    stripe.VerificationExpiredError: RefusedError,
    stripe.VerificationNotInitiatedError: RefusedError,
    oauth_error.OAuthError: AccountError,
    oauth_error.InvalidClientError: AccountError,
    oauth_error.InvalidGrantError: AccountError,
    oauth_error.InvalidRequestError: AccountError,
    oauth_error.InvalidScopeError: AccountError,
    oauth_error.UnsupportedGrantTypeError: AccountError,
    oauth_error.UnsupportedResponseTypeError: AccountError,
}
_KEY_CODES: Final = ("api_key_expired", "account_invalid", "secret_key_required", "testmode_")
_SAID: Final[Mapping[type[GivingError], str]] = {
    UnreachableError: "Stripe does not answer, or says “later”",
    RefusedError: "Stripe refused",
    NotFoundError: "Stripe does not know it",
    AccountError: "Stripe does not accept the key, or it lacks a right: see docs/operating/giving",
    ForgedEventError: "Stripe did not sign this event",
}


@contextmanager
def in_our_words() -> Iterator[None]:
    """What Stripe's library raises inside becomes a ``ProviderError``, and so does an object that
    it lists and that cannot be read: that is no fault of one event, somebody must look."""
    try:
        yield
    except EventError as error:
        raise RefusedError(str(error)) from None
    except stripe.StripeError as error:
        raise translated(error) from None


def translated(error: Any) -> GivingError:
    """What an exception of the library means."""
    kind = _kind(error)
    details = [one for one in (error.code, error.request_id) if one]
    return kind(_SAID[kind] + (f" ({', '.join(details)})" if details else ""))


def _kind(error: Any) -> type[GivingError]:
    code, status = error.code or "", error.http_status or 0
    if status == 409:  # The same wish is under way in another request.
        return UnreachableError
    if isinstance(error, stripe.InvalidRequestError):
        if status == 404 or code == "resource_missing":
            return NotFoundError
        if code.startswith(_KEY_CODES):
            return AccountError
    return KINDS.get(type(error), RefusedError)
