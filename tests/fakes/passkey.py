# SPDX-License-Identifier: AGPL-3.0-or-later
"""A passkey in software: what a phone or security key answers, as the desk's script sends it."""

from __future__ import annotations

import hashlib
import json
import secrets
import struct
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor
from fido2.cose import ES256
from fido2.utils import websafe_encode

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


@dataclass
class Passkey:
    """One credential. ``count`` is what its next answer says, always 0 where it does not count."""

    origin: str = "http://testserver"
    rp: str = "testserver"
    count: int = 0
    verifies: bool = True
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    handle: str = ""

    def make(self, options: dict[str, Any]) -> str:
        """The answer to ``navigator.credentials.create(options)``."""
        asked = options["publicKey"]
        self.handle = asked["user"]["id"]
        public = cbor.encode(dict(ES256.from_cryptography_key(self.key.public_key())))
        attested = bytes(16) + struct.pack(">H", len(self.id)) + self.id + public
        attestation = {
            "fmt": "none",
            "attStmt": {},
            "authData": self._data(ATTESTED) + attested,
        }
        return self._answer(
            "webauthn.create",
            asked["challenge"],
            {"attestationObject": websafe_encode(cbor.encode(attestation))},
        )

    def show(self, options: dict[str, Any]) -> str:
        """The answer to ``navigator.credentials.get(options)``."""
        challenge = options["publicKey"]["challenge"]
        data = self._data()
        client = self._client("webauthn.get", challenge)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(
            "webauthn.get",
            challenge,
            {
                "authenticatorData": websafe_encode(data),
                "signature": websafe_encode(signature),
                "userHandle": self.handle,
            },
        )

    def _data(self, extra: int = 0) -> bytes:
        flags = PRESENT | (VERIFIED if self.verifies else 0) | extra
        return hashlib.sha256(self.rp.encode()).digest() + struct.pack(">BI", flags, self.count)

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps(
            {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        ).encode()

    def _answer(self, kind: str, challenge: str, response: dict[str, Any]) -> str:
        client = websafe_encode(self._client(kind, challenge))
        return json.dumps(
            {
                "type": "public-key",
                "id": websafe_encode(self.id),
                "rawId": websafe_encode(self.id),
                "response": {"clientDataJSON": client, **response},
                "authenticatorAttachment": "platform",
                "clientExtensionResults": {"credProps": {"rk": True}},
            }
        )
