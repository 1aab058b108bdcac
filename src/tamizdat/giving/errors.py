# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can go wrong with giving.

::

    GivingError
    ├── AmountError          an amount or a currency that cannot be given
    ├── ChoiceError          a choice that the newsroom does not offer
    ├── ForgedEventError     an event that the provider did not sign, or an old one repeated
    ├── EventError           an event of ours that cannot be read
    └── ProviderError        the provider refused or cannot be reached
        ├── UnreachableError     no answer: the same may be tried again
        ├── RefusedError         it said no, and why
        ├── NotFoundError        it does not know the object
        └── AccountError         the key, the account or its rights are wrong: somebody must look

``permanent`` says whether trying the same again can help. Messages name no person.
"""

from __future__ import annotations


class GivingError(Exception):
    permanent = True


class AmountError(GivingError):
    """An amount or a currency that cannot be given."""


class ChoiceError(GivingError):
    """A choice that the newsroom does not offer."""


class ForgedEventError(GivingError):
    """An event that the provider did not sign, for another account, or too old."""


class EventError(GivingError):
    """An event that is signed and cannot be read."""


class ProviderError(GivingError):
    """The provider refused or cannot be reached."""


class UnreachableError(ProviderError):
    """No answer, or one that says “later”."""

    permanent = False


class RefusedError(ProviderError):
    """The provider said no."""


class NotFoundError(ProviderError):
    """The provider does not know the object."""


class AccountError(ProviderError):
    """The key, the account or its rights are wrong."""
