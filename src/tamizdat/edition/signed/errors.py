# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can go wrong with a signed edition.

::

    EditionError
    ├── VerifyError              a copy is not what the newsroom signed; nothing of it is shown
    │   ├── BadFormatError       bytes that are not of this format
    │   ├── TamperedError        bytes other than those that were signed for
    │   ├── UnknownSignerError   not signed by enough of this newsroom's keys
    │   ├── RollbackError        older than what was seen before
    │   ├── StaleError           genuine, but expired (for tools; readers show it with its date)
    │   ├── TooLongError         more bytes than the limit: the download was stopped
    │   ├── AbsentError          proven: the newsroom has nothing at this path
    │   ├── MissingError         a file is not there (not permanent)
    │   └── UnreachableError     the mirror does not answer as a mirror (not permanent)
    ├── KeyFileError             a key file cannot be read, opened or written
    ├── CeremonyError            a step of a ceremony does not fit what was prepared
    ├── CollisionError           two addresses have one key: nothing was signed
    └── ClockError               the clock cannot be right; nothing was signed

``permanent`` says whether asking the same copy again can help, ``code`` names the class in
reports and test vectors.
"""

from __future__ import annotations

from typing import ClassVar

from tamizdat.edition.errors import EditionError


class VerifyError(EditionError):
    code: ClassVar[str] = "verify"


class BadFormatError(VerifyError):
    code = "format"


class TamperedError(VerifyError):
    code = "tampered"


class UnknownSignerError(VerifyError):
    code = "signer"


class RollbackError(VerifyError):
    code = "rollback"


class StaleError(VerifyError):
    code = "stale"


class TooLongError(VerifyError):
    code = "too-long"


class AbsentError(VerifyError):
    code = "absent"


class MissingError(VerifyError):
    code = "missing"
    permanent = False


class UnreachableError(VerifyError):
    code = "unreachable"
    permanent = False


class KeyFileError(EditionError):
    pass


class CeremonyError(EditionError):
    pass


class CollisionError(EditionError):
    """Nobody meets this by chance: somebody searched for two such addresses."""

    def __init__(self, *paths: str) -> None:
        super().__init__(
            f"the address {' and '.join(paths)} has the key of another, so that readers could not "
            "tell them apart: change it, and ask who chose it"
        )


class ClockError(EditionError):
    permanent = False
