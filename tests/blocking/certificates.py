# SPDX-License-Identifier: AGPL-3.0-or-later
"""Certificates for invented hosts: of an authority that readers trust, and of nobody."""

from __future__ import annotations

import base64
import hashlib
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)


class Certificate:
    """A key and a certificate, as one PEM file that servers take."""

    def __init__(self, file: Path, key: ec.EllipticCurvePrivateKey, made: x509.Certificate) -> None:
        self.file = file
        self._key = key
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))

    @property
    def fingerprint(self) -> str:
        """Of its public key, as Chromium's ``--ignore-certificate-errors-spki-list`` has it."""
        public = self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return base64.b64encode(hashlib.sha256(public).digest()).decode()

    def server_context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file)
        return context


class Authority:
    """Signs certificates in a folder; ``authority`` is the file that trusts it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._certified: list[Certificate] = []
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("Authority of a test")
        made = _builder(self._name, self._name, self._key)
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        folder.mkdir(exist_ok=True)
        self.authority = folder / "authority.pem"
        certificate = made.sign(self._key, hashes.SHA256())
        self.authority.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    @property
    def fingerprints(self) -> list[str]:
        """Of the keys of all that was certified."""
        return [certificate.fingerprint for certificate in self._certified]

    def certify(self, *hosts: str) -> Certificate:
        """A certificate that is right for these hosts."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = _for(_builder(_name(hosts[0]), self._name, key), hosts)
        file = self._folder / f"{len(self._certified)}.pem"
        certificate = Certificate(file, key, made.sign(self._key, _SHA256))
        self._certified.append(certificate)
        return certificate

    def client_context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.authority)


def self_signed(file: Path, *hosts: str) -> Certificate:
    """A certificate that nobody trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(hosts[0])
    return Certificate(file, key, _for(_builder(name, name, key), hosts).sign(key, _SHA256))


_SHA256 = hashes.SHA256()


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer)
    made = made.public_key(key.public_key()).serial_number(x509.random_serial_number())
    return made.not_valid_before(now - DAY).not_valid_after(now + 90 * DAY)


def _for(made: x509.CertificateBuilder, hosts: Sequence[str]) -> x509.CertificateBuilder:
    names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
    return made.add_extension(names, critical=False)
