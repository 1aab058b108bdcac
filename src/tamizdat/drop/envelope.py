# SPDX-License-Identifier: AGPL-3.0-or-later
"""A submission as bytes: padded, sealed with age, opened (docs/format/submission-v1.md, 1 and 2).

What always holds: a sealed submission's length tells which of four sizes it has and nothing
else; what ``open_sealed`` returns has passed every check of its kind.

What is not done here: keeping them (``spool``) and collecting them (``client``).
"""

from __future__ import annotations

import os
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pyrage

from tamizdat.drop.errors import FieldError, SealError, SubmissionError, TooLargeError
from tamizdat.drop.kinds import fields_of, kind_of, language_of, pattern

SIZES = (2_048, 16_384, 65_536, 262_144)
MOST_SEAL = 1_408
SLOT = 1_536
# An age file: its header up to the MAC, a nonce of 16 bytes, chunks of 64 KiB with a tag each.
_HEADER = re.compile(
    rb"age-encryption\.org/v1\n"
    rb"(?:-> [!-~ ]{1,200}\n(?:[A-Za-z0-9+/]{0,64}\n)*)+"
    rb"--- [A-Za-z0-9+/]{43}\n"
)
_MOST_HEADER = 2_048
_PAYLOADS = frozenset(16 + size + 16 * max(1, -(-size // 65_536)) for size in SIZES)
_ID = re.compile(r"[A-Za-z0-9_-]{22}\Z")


class Submission(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a reader sent. ``fields`` are checked by ``kinds``."""

    v: int
    id: str
    kind: str
    language: str
    fields: dict[str, Any]


def submission(kind: str, language: str, fields: Mapping[str, Any]) -> Submission:
    """A new one with an id of its own. Raises ``UnknownKindError`` and ``FieldError``."""
    return Submission(
        v=1,
        id=urlsafe_b64encode(os.urandom(16)).rstrip(b"=").decode(),
        kind=kind,
        language=language_of(language),
        fields=fields_of(kind_of(kind), fields),
    )


def pad(data: bytes) -> bytes:
    """``data`` with line feeds up to the next of ``SIZES``. Raises ``TooLargeError``."""
    for size in SIZES:
        if len(data) <= size:
            return data.ljust(size, b"\n")
    raise TooLargeError(f"a submission has at most {SIZES[-1]:,} bytes, this one {len(data):,}")


def seal(what: Submission, recipients: Sequence[pyrage.x25519.Recipient]) -> bytes:
    """The submission as an age file. Raises ``TooLargeError``."""
    sealed: bytes = pyrage.encrypt(pad(msgspec.json.encode(what)), list(recipients))
    return sealed


def open_sealed(data: bytes, identities: Sequence[pyrage.x25519.Identity]) -> Submission:
    """The submission in an age file, checked.

    Raises ``SealError`` where it cannot be opened and ``SubmissionError`` where what is inside is
    not a submission that anybody here knows.
    """
    try:
        plain = pyrage.decrypt(data, list(identities))
    except pyrage.DecryptError as error:
        raise SealError(f"it cannot be opened: {error}") from None
    if len(plain) not in SIZES:
        raise SubmissionError(f"it has {len(plain):,} bytes inside, which is none of the sizes")
    return _checked(plain)


def _checked(plain: bytes) -> Submission:
    try:
        found = msgspec.json.decode(plain, type=Submission)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SubmissionError(f"it is not a submission: {error}") from None
    if found.v != 1:
        raise SubmissionError(f"it is of version {found.v}, and 1 is known here")
    try:
        pattern(_ID, "is not one")(found.id)
    except ValueError as error:
        raise FieldError("id", str(error)) from None
    return msgspec.structs.replace(
        found,
        language=language_of(found.language),
        fields=fields_of(kind_of(found.kind), found.fields),
    )


def check_sealed(data: bytes | bytearray) -> None:
    """That these bytes are an age file of one of the four sizes, as far as it shows from outside.

    Raises ``SealError``, and ``TooLargeError`` where no submission is as long.
    """
    size_of(len(data))
    found = _HEADER.match(data[:_MOST_HEADER])
    if found is None or len(data) - found.end() not in _PAYLOADS:
        raise SealError("it is not a sealed submission")


def size_of(length: int) -> int:
    """Which of ``SIZES`` a sealed submission of this length has. Raises ``TooLargeError``."""
    for size in SIZES:
        if length <= size + MOST_SEAL:
            return size
    raise TooLargeError(f"{length:,} bytes are more than a sealed submission has")
