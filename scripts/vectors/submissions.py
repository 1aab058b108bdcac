# SPDX-License-Identifier: AGPL-3.0-or-later
"""Vectors of sealed submissions (docs/format/submission-v1.md) as one JSON file; its members are
explained in tests/vectors/submissions/README.md.

What always holds: the same bytes each time. age is written out here once more, from its
specification, because what must be drawn anew for each file is given.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

# Everybody may know it: it opens these examples and nothing else.
IDENTITY = "AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0"
RECIPIENT = "age1xmwwc06ly3ee5rytxm9mflaz2u56jjj36s0mypdrwsvlul66mv4q47ryef"
POINT = bytes.fromhex("36dcec3f5f24739a0c8b36cbb4ffa25729a94a51d41fb205a37419fe7f5adb2a")
SIZES = (2_048, 16_384, 65_536, 262_144)
CHUNK = 65_536
ID = "AAECAwQFBgcICQoLDA0ODw"
_LARGE = 20_000
_TEXT = "The quay was closed.\nНикто не сказал почему. لماذا؟ 🕯 “–”"


class Chance(NamedTuple):
    """What is drawn anew for each file, here made of its name."""

    file_key: bytes
    secret: bytes
    nonce: bytes

    @classmethod
    def of(cls, name: str) -> Chance:
        drawn = hashlib.sha512(name.encode()).digest()
        return cls(drawn[:16], drawn[16:48], drawn[48:])


def submissions() -> bytes:
    """The bytes of submissions.json."""
    found = {
        "format": 1,
        "identity": IDENTITY,
        "recipient": RECIPIENT,
        "letters": [_letter(name, **letter) for name, letter in _letters()],
        "refused": [
            {"name": name, "error": error, "sealed": _text(sealed)}
            for name, error, sealed in _refused()
        ],
    }
    return (json.dumps(found, ensure_ascii=False, indent=1) + "\n").encode()


def _letters() -> Iterator[tuple[str, dict[str, Any]]]:
    fields: dict[str, dict[str, Any]] = {
        "message": {"text": _TEXT, "contact": "ada@post.example", "story": "/en/2026/11/22/quay/"},
        "subscribe": {
            "address": "ada@post.example",
            "newsletters": ["weekly", "daily"],
            "privacy": "3",
            "form": "article",
        },
        "confirm": {"token": "dG9rZW4.~_-"},
        "unsubscribe": {"token": "dG9rZW4", "one_click": "true"},
        "preferences": {"token": "dG9rZW4", "newsletters": [], "text": "summary"},
        "remind": {"address": "ада@почта.example", "months": "3", "privacy": "1"},
        "stop-reminding": {"token": "dG9rZW4"},
    }
    for kind, given in fields.items():
        yield kind, {"kind": kind, "language": "ru" if kind == "remind" else "en", "fields": given}
    yield "2,048 bytes to the last", _filled(2_048)
    yield "a byte too many for 2,048", _filled(2_049)
    yield "10,000 letters of two bytes", _message("ё" * 10_000)
    body = base64.b64encode(bytes(50_000)).decode()
    hook = {"provider": "piggybank", "headers": {"piggy-signature": "t=1"}, "body": body}
    yield "four chunks", {"kind": "webhook", "language": "en", "fields": hook}


def _message(text: str) -> dict[str, Any]:
    return {"kind": "message", "language": "en", "fields": {"text": text}}


def _filled(length: int) -> dict[str, Any]:
    """A message of so many bytes."""
    return _message("x" * (length - len(packed({"id": ID, **_message("")}))))


def _letter(name: str, **letter: Any) -> dict[str, Any]:
    whole = {"id": ID, **letter}
    plain = padded(packed(whole))
    chance = Chance.of(name)
    sealed = seal(plain, chance)
    found = {
        "name": name,
        "chance": {key: value.hex() for key, value in chance._asdict().items()},
        "letter": whole,
        "size": len(plain),
        "sha256": hashlib.sha256(sealed).hexdigest(),
    }
    return found if len(sealed) > _LARGE else {**found, "sealed": _text(sealed)}


def packed(letter: dict[str, Any]) -> bytes:
    return json.dumps({"v": 1, **letter}, ensure_ascii=False, separators=(",", ":")).encode()


def padded(data: bytes) -> bytes:
    return data.ljust(next(size for size in SIZES if len(data) <= size), b"\n")


def _refused() -> Iterator[tuple[str, str, bytes]]:
    """Name, the reference's error, bytes."""
    good = seal(padded(packed({"id": ID, **_message("So.")})), Chance.of("good"))
    end = good.index(b"\n--- ")
    yield "nothing", "SealError", b""
    yield "no age file", "SealError", b"x" * 2_248
    yield "cut off by a byte", "SealError", good[:-1]
    yield "with a byte more", "SealError", good + b"\0"
    yield "its last byte altered", "SealError", good[:-1] + bytes([good[-1] ^ 1])
    yield "its first line altered", "SealError", good.replace(b"/v1\n", b"/v2\n", 1)
    mac = good[end + 5 : end + 48]
    yield "the code of its head altered", "SealError", good.replace(mac, mac.swapcase(), 1)
    other = bytes(X25519PrivateKey.from_private_bytes(b"\7" * 32).public_key().public_bytes_raw())
    sealed = seal(padded(b"{}"), Chance.of("other"), other)
    yield "sealed to somebody else", "SealError", sealed
    for name, error, plain in _wrong():
        yield name, error, seal(plain, Chance.of(name))


def _wrong() -> Iterator[tuple[str, str, bytes]]:
    message = {"v": 1, "id": ID, **_message("So.")}
    yield "of none of the sizes", "SubmissionError", json.dumps(message).encode().ljust(2_047)
    yield "no JSON", "SubmissionError", padded(b"text=So.")
    yield "JSON cut off", "SubmissionError", padded(json.dumps(message).encode()[:-1])
    yield "not UTF-8", "SubmissionError", padded(json.dumps(message).encode() + b"\xff")
    yield "half a character", "SubmissionError", _changed(fields={"text": "\ud83d"})
    yield "of version 2", "SubmissionError", _changed(v=2)
    yield "an unknown member", "SubmissionError", _changed(arrived="2026-11-22")
    yield "an unknown kind", "UnknownKindError", _changed(kind="complaint")
    yield "an unknown version of a kind", "UnknownKindError", _changed(kind="message/9")
    yield "an id that is none", "FieldError", _changed(id="1")
    yield "a language that is none", "FieldError", _changed(language="..")
    yield "a field of another kind", "FieldError", _changed(fields={"text": "So.", "months": 3})
    yield "no text", "FieldError", _changed(fields={})
    yield "text of spaces", "FieldError", _changed(fields={"text": " \n"})
    yield "text with a bell", "FieldError", _changed(fields={"text": "So.\x07"})
    yield "text that is too long", "FieldError", _changed(fields={"text": "x" * 10_001})
    yield "text that is a number", "FieldError", _changed(fields={"text": 3})


def _changed(**members: Any) -> bytes:
    return padded(json.dumps({"v": 1, "id": ID, **_message("So."), **members}).encode())


def seal(plain: bytes, chance: Chance, point: bytes = POINT) -> bytes:
    """age v1, one X25519 recipient."""
    secret = X25519PrivateKey.from_private_bytes(chance.secret)
    share = secret.public_key().public_bytes_raw()
    shared = secret.exchange(X25519PublicKey.from_public_bytes(point))
    wrap = _derive(shared, share + point, b"age-encryption.org/v1/X25519")
    body = ChaCha20Poly1305(wrap).encrypt(bytes(12), chance.file_key, None)
    head = b"age-encryption.org/v1\n-> X25519 %b\n%b\n---" % (_bare(share), _bare(body))
    mac = hmac.digest(_derive(chance.file_key, b"", b"header"), head, "sha256")
    key = ChaCha20Poly1305(_derive(chance.file_key, chance.nonce, b"payload"))
    chunks = [plain[at : at + CHUNK] for at in range(0, len(plain), CHUNK)]
    sealed = [
        key.encrypt(number.to_bytes(11, "big") + bytes([number + 1 == len(chunks)]), chunk, None)
        for number, chunk in enumerate(chunks)
    ]
    return b"%b %b\n%b%b" % (head, _bare(mac), chance.nonce, b"".join(sealed))


def _derive(key: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt, info).derive(key)


def _bare(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
