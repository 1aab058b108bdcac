# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the newsroom sends with, as ``mail.standing`` judges it; and keys to sign with.

What always holds: looking changes nothing; a private key goes nowhere but into ``secrets/``.

What is not done here: asking the DNS, writing the settings file.
"""

from __future__ import annotations

import base64
import ipaddress
import os
import re

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from tamizdat.config import ConfigError, Newsroom
from tamizdat.desk.newsletter.models import Newsletter
from tamizdat.mail.dkim import Key
from tamizdat.mail.errors import SigningError
from tamizdat.mail.standing import DkimKey, Setup

_LABEL = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
BITS = 2048


def setup_of(newsroom: Newsroom, addresses: tuple[str, ...] = (), helo: str = "") -> Setup:
    """``addresses`` are those from which our mail reaches the receivers. Raises ``ConfigError``
    for one that is none, ``SigningError`` for a key that cannot be used."""
    mail = newsroom.settings.mail
    senders = [mail.sender, *Newsletter.objects.values_list("sender_address", flat=True)]
    domains = dict.fromkeys(s.rpartition("@")[2].lower() for s in senders if "@" in s)
    for address in addresses:
        try:
            ipaddress.ip_address(address)
        except ValueError:
            raise ConfigError(f"“{address}” is no address of a machine, as 192.0.2.7") from None
    return Setup(
        senders=tuple(domains),
        bounces=mail.bounces,
        keys=tuple(_keys(newsroom)),
        addresses=addresses,
        helo=helo,
        leave=next((u for u in newsroom.settings.letterboxes if u.startswith("https://")), ""),
    )


def _keys(newsroom: Newsroom) -> list[DkimKey]:
    keys = []
    for one in newsroom.settings.mail.dkim:
        path = newsroom.secrets / one.key
        try:
            key = Key.load(one.domain, one.selector, path.read_bytes())
        except OSError as error:
            raise SigningError(f"The DKIM key {path} cannot be read: {error.strerror}.") from error
        keys.append(public_of(key))
    return keys


def public_of(key: Key) -> DkimKey:
    """What stands in the DNS of a key (RFC 6376, 3.6.1; RFC 8463)."""
    if isinstance(key.private, rsa.RSAPrivateKey):
        raw = key.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        algorithm, bits = "rsa", key.private.key_size
    else:
        raw = key.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        algorithm, bits = "ed25519", 0
    return DkimKey(
        domain=key.domain,
        selector=key.selector,
        algorithm="rsa" if algorithm == "rsa" else "ed25519",
        public=base64.b64encode(raw).decode(),
        bits=bits,
    )


def make_key(newsroom: Newsroom, domain: str, selector: str, algorithm: str) -> tuple[str, DkimKey]:
    """Draw a key into ``secrets/``; the file's name and what to publish. Never in the place of
    another one. Raises ``ConfigError`` and ``SigningError``."""
    if not _LABEL.fullmatch(selector):
        raise ConfigError("a selector is a word of a-z, 0-9 and -")
    private: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
    if algorithm == "rsa":
        private = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
    else:
        private = ed25519.Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    key = Key.load(domain, selector, pem)
    name = f"dkim-{key.domain}-{key.selector}.pem"
    newsroom.secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        handle = os.open(newsroom.secrets / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigError(
            f"there is a key {newsroom.secrets / name}: choose another --selector"
        ) from None
    with os.fdopen(handle, "wb") as file:
        file.write(pem)
    return name, public_of(key)
