# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can go wrong with readers' data.

::

    ReadersError
    ├── AddressError        this is no mail address
    ├── VaultError
    │   ├── VaultShutError      there is no key file here: never made, taken away, or destroyed
    │   ├── KeyFileError        the key file cannot be opened, or is not that of this database
    │   ├── SealedError         what was sealed is altered, of another row, or of a lost key
    │   ├── ErasedError         the address was erased; what is left are days and purposes
    │   └── RotationError       a rotation cannot begin or end now (not permanent)
    ├── ConsentError        a consent that says too little, or of a purpose nobody registered
    └── RetentionError      a rule would erase so much that the clock is to be looked at first

``permanent`` says whether trying the same again can help.
"""

from __future__ import annotations


class ReadersError(Exception):
    permanent = True


class AddressError(ReadersError):
    """This is no mail address."""


class VaultError(ReadersError):
    """The vault cannot do what it was asked."""


class VaultShutError(VaultError):
    """There is no key file here."""


class KeyFileError(VaultError):
    """The key file cannot be opened, or is not that of this database."""


class SealedError(VaultError):
    """What was sealed is altered, of another row, or of a key that is lost."""


class ErasedError(VaultError):
    """The address was erased."""


class RotationError(VaultError):
    """A rotation cannot begin or end now."""

    permanent = False


class ConsentError(ReadersError):
    """A consent that says too little."""


class RetentionError(ReadersError):
    """A rule would erase suspiciously much."""
