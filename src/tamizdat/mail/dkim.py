# SPDX-License-Identifier: AGPL-3.0-or-later
"""DKIM signatures (RFC 6376; Ed25519 by RFC 8463), relaxed/relaxed, by every key at once.

What always holds:

- A signature covers every header field that a reader is shown or that a mail program acts upon,
  ``List-Unsubscribe`` and ``List-Unsubscribe-Post`` among them (RFC 8058 wants that), once more
  than it occurs where another one would mislead (``OVERSIGNED``), and the whole body.
- RSA keys have 2048 bits at least. Equal input gives equal signatures.
- Of a template's body, what comes before its first place is hashed once.

What is not done here: looking up public keys, verifying.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tamizdat.mail.errors import SigningError

SIGNED = [
    "from",
    "to",
    "cc",
    "reply-to",
    "subject",
    "date",
    "message-id",
    "in-reply-to",
    "references",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "auto-submitted",
    "precedence",
    "list-id",
    "list-help",
    "list-archive",
    "list-owner",
    "list-subscribe",
    "list-post",
    "list-unsubscribe",
    "list-unsubscribe-post",
]
OVERSIGNED = frozenset(
    [
        "from",
        "to",
        "cc",
        "reply-to",
        "subject",
        "date",
        "message-id",
        "content-type",
        "list-unsubscribe",
        "list-unsubscribe-post",
    ]
)
SHORTEST = 2048  # bits
_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*")
_FIELDS = re.compile(rb"\r\n(?![ \t])")
_BLANKS = re.compile(rb"[ \t]+")
_MARK = re.compile(rb"\0(\d+)\0")
_LINE = 72


@dataclass(frozen=True)
class Key:
    """A private key, and where its public half stands: ``SELECTOR._domainkey.DOMAIN``."""

    domain: str
    selector: str
    private: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

    @classmethod
    def load(cls, domain: str, selector: str, pem: bytes) -> Key:
        """Raises ``SigningError``."""
        if not _NAME.fullmatch(domain.lower()) or not _NAME.fullmatch(selector.lower()):
            raise SigningError(f"No DKIM key can stand under {selector}._domainkey.{domain}")
        try:
            private = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise SigningError(f"The DKIM key {selector} of {domain} is no PEM file.") from error
        if not isinstance(private, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey):
            raise SigningError(f"The DKIM key {selector} of {domain} is neither RSA nor Ed25519.")
        if isinstance(private, rsa.RSAPrivateKey) and private.key_size < SHORTEST:
            raise SigningError(
                f"The DKIM key {selector} of {domain} has {private.key_size} bits; "
                f"make one of {SHORTEST}, receivers do not trust shorter ones."
            )
        return cls(domain.lower(), selector.lower(), private)

    @property
    def algorithm(self) -> str:
        return "rsa-sha256" if isinstance(self.private, rsa.RSAPrivateKey) else "ed25519-sha256"

    def sign(self, data: bytes) -> bytes:
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(data, _PADDING, _SHA256)
        return self.private.sign(hashlib.sha256(data).digest())


_PADDING, _SHA256 = padding.PKCS1v15(), hashes.SHA256()


class Signer:
    """Signs with several keys at once. A mail gets the signatures of those keys whose domain is
    its sender's (or above it), as DMARC wants; where none is, of all."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self.keys = tuple(keys)
        if not self.keys:
            raise SigningError("There is no key to sign mail with.")

    def sign(self, message: bytes, *, date: datetime) -> bytes:
        """A whole message with its signatures in front. ``date`` is when it was signed."""
        head, _, body = message.partition(b"\r\n\r\n")
        prepared = Prepared(self, head + b"\r\n", body)
        return prepared.signatures([], date) + message


class Prepared:
    """What can be done before it is known to whom a mail goes. ``head`` (ends of lines included)
    and ``body`` have marks where something is filled in that holds no blanks at its ends."""

    def __init__(self, signer: Signer, head: bytes, body: bytes) -> None:
        found = _relaxed_fields(head)
        names = _signed_names(found)
        self._head = _Filled(_in_order(found, names))
        first, *rest = _MARK.split(_relaxed_body(body))
        self._begun = hashlib.sha256(first)
        self._rest = _Filled(b"", rest)
        keys = _aligned(signer.keys, found)
        self._keys = [(key, *_beginning(key, names)) for key in keys]

    def signatures(self, filled: Sequence[bytes], date: datetime) -> bytes:
        """The header fields to put in front, given what fills each mark."""
        digest = self._begun.copy()
        digest.update(self._rest.with_(filled))
        end = b" t=%d;\r\n bh=%s;\r\n b=" % (
            int(date.timestamp()),
            base64.b64encode(digest.digest()),
        )
        head, canonical_end = self._head.with_(filled), end.replace(b"\r\n", b"")
        signed = [
            b"%s%s%s"
            % (written, end, _folded(key.sign(b"%s%s%s" % (head, canonical, canonical_end))))
            for key, written, canonical in self._keys
        ]
        return b"".join(signed)


class _Filled:
    """Bytes with marks, taken apart so that filling is a join."""

    def __init__(self, marked: bytes, pieces: Sequence[bytes] | None = None) -> None:
        split = _MARK.split(marked) if pieces is None else [b"", *pieces]
        self._pieces = split
        self._order = [int(number) for number in split[1::2]]

    def with_(self, filled: Sequence[bytes]) -> bytes:
        pieces = self._pieces.copy()
        pieces[1::2] = [filled[number] for number in self._order]
        return b"".join(pieces)


def _relaxed_fields(head: bytes) -> list[tuple[str, bytes]]:
    """Each field as its name in small letters and its relaxed form without the end of line."""
    found = []
    for field in _FIELDS.split(head.removesuffix(b"\r\n")):
        name, colon, value = field.partition(b":")
        if not colon:
            raise SigningError("What is to be signed has a header without a colon.")
        name = name.rstrip(b" \t").lower()
        value = _BLANKS.sub(b" ", value.replace(b"\r\n", b"")).strip(b" ")
        found.append((name.decode("ascii"), b"%s:%s" % (name, value)))
    return found


def _signed_names(found: list[tuple[str, bytes]]) -> list[str]:
    """The names for ``h=``: as often as each occurs, and once more where it is oversigned."""
    there = [name for name, _ in found]
    if "from" not in there:
        raise SigningError("What is to be signed says not from whom it is.")
    return [name for name in SIGNED for _ in range(there.count(name) + (name in OVERSIGNED))]


def _in_order(found: list[tuple[str, bytes]], names: list[str]) -> bytes:
    """The fields as they are hashed: of several of one name the last first; none for a name that
    is used up."""
    left = list(reversed(found))
    lines = []
    for name in names:
        here = next((each for each in left if each[0] == name), None)
        if here:
            left.remove(here)
            lines.append(here[1] + b"\r\n")
    return b"".join(lines)


def _relaxed_body(body: bytes) -> bytes:
    lines = [_BLANKS.sub(b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)


def _aligned(keys: tuple[Key, ...], found: list[tuple[str, bytes]]) -> list[Key]:
    sender = next(value for name, value in found if name == "from")
    domain = sender.rstrip(b"> ").rpartition(b"@")[2].decode("ascii", "replace").lower()
    own = [key for key in keys if f".{domain}".endswith(f".{key.domain}")]
    return own or list(keys)


def _beginning(key: Key, names: list[str]) -> tuple[bytes, bytes]:
    """What a signature field begins with, as it is written and as it is hashed."""
    lines = [
        f"DKIM-Signature: v=1; a={key.algorithm}; c=relaxed/relaxed;",
        f" d={key.domain}; s={key.selector};",
    ]
    now = " h="
    for number, name in enumerate(names):
        part = name + (":" if number < len(names) - 1 else ";")
        if len(now) + len(part) > _LINE:
            lines.append(now)
            now = " "
        now += part
    lines.append(now)
    written = "\r\n".join(lines)
    canonical = "dkim-signature:" + "".join(lines).removeprefix("DKIM-Signature: ")
    return f"{written}\r\n".encode(), canonical.encode()


def _folded(signature: bytes) -> bytes:
    coded = base64.b64encode(signature)
    lines = [coded[at : at + _LINE] for at in range(0, len(coded), _LINE)]
    return b"\r\n ".join(lines) + b"\r\n"
