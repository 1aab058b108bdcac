# SPDX-License-Identifier: AGPL-3.0-or-later
"""Signatures, verified by another implementation (dkimpy)."""

from __future__ import annotations

import base64
import re
import warnings
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from tamizdat.mail.content import PREFERENCES, UNSUBSCRIBE, File
from tamizdat.mail.dkim import Key, Signer
from tamizdat.mail.errors import SigningError
from tests.mail.made import NOW, personal, template

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import dkim


def pem(
    private: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey,
) -> bytes:
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


RSA = Key.load("news.example", "rsa1", pem(rsa.generate_private_key(65537, 2048)))
ED = Key.load("News.Example", "ed1", pem(ed25519.Ed25519PrivateKey.generate()))
OTHER = Key.load("provider.example", "p", pem(ed25519.Ed25519PrivateKey.generate()))
BOTH = Signer([RSA, ED])


def published(name: bytes, timeout: float = 5) -> bytes:
    """What the DNS says of our keys."""
    key = next(k for k in (RSA, ED, OTHER) if name.startswith(k.selector.encode() + b"."))
    assert name.rstrip(b".").endswith(b"._domainkey." + key.domain.encode())
    public = key.private.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return b"v=DKIM1; k=rsa; p=" + base64.b64encode(der)
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return b"v=DKIM1; k=ed25519; p=" + base64.b64encode(raw)


def verified(data: bytes) -> list[bool]:
    """One answer a signature."""
    count = data.partition(b"\r\n\r\n")[0].count(b"DKIM-Signature:")
    return [_verified(data, number) for number in range(count)]


def _verified(data: bytes, number: int) -> bool:
    try:
        return bool(dkim.DKIM(data).verify(number, dnsfunc=published))
    except dkim.DKIMException:
        return False


LIST = {
    "sender_name": "Неделя",
    "list_id": "weekly.news.example",
    "list_unsubscribe": f"https://drop.example/{UNSUBSCRIBE}",
    "list_unsubscribe_mail": f"mailto:leave@news.example?subject={UNSUBSCRIBE}",
    "headers": {"List-Help": "https://news.example/help"},
    "files": [(File(name="a.png", media_type="image/png", sha256="", cid="a@x"), b"\x89PNG")],
}


@settings(max_examples=40, deadline=None)
@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"])),
    st.lists(st.sampled_from([UNSUBSCRIBE, PREFERENCES, "жук", " ", "\t ", "\n", "x", "="])),
)
def test_every_signature_of_any_mail_holds(subject: str, text: list[str]) -> None:
    made = template(subject, plain="".join(text) or "x", html=f"<p>{''.join(text)}", **LIST)
    data = personal(made, to="ада@пример.example", signer=BOTH)
    assert verified(data) == [True, True]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Subject: News", b"Subject: Olds"),
        (b"To: ada@", b"To: eve@"),
        (b"One-Click", b"Two-Click"),
        (b"https://drop.example", b"https://trap.example"),
        (b"plain", b"pla1n"),
        (b"\r\nFrom: ", b"\r\nFrom: x@evil.example\r\nFrom: "),
        (b"\r\nSubject: ", b"\r\nSubject: Other\r\nSubject: "),
        (b"\r\nTo: ", b"\r\nReply-To: x@evil.example\r\nTo: "),
        (b"\r\nTo: ", b"\r\nList-Unsubscribe: <https://evil.example>\r\nTo: "),
        (b"\r\nTo: ", b"\r\nContent-Type: text/html\r\nTo: "),
    ],
)
def test_what_a_reader_is_shown_cannot_be_changed_or_added(old: bytes, new: bytes) -> None:
    data = personal(template(**LIST), signer=BOTH)
    assert verified(data) == [True, True]
    assert data.count(old) >= 1
    assert verified(data.replace(old, new, 1)) == [False, False]


def test_blanks_that_relays_change_do_not_matter() -> None:
    data = personal(template(plain="a  b \n\n\n", html="", **LIST), signer=BOTH)
    changed = data.replace(b"Subject: ", b"SUBJECT:   ").replace(b"a  b ", b"a b\t ") + b"\r\n\r\n"
    assert verified(changed) == [True, True]


def test_the_unsubscribe_headers_are_covered() -> None:
    """RFC 8058, 4."""
    data = personal(template(**LIST), signer=BOTH)
    signed = re.findall(rb" h=([^;]+);", data.replace(b"\r\n ", b" "))
    assert len(signed) == 2
    for found in signed:
        names = found.replace(b" ", b"").split(b":")
        assert names.count(b"list-unsubscribe") == 2
        assert names.count(b"list-unsubscribe-post") == 2
        assert names.count(b"from") == 2


def test_a_whole_message_can_be_signed_too() -> None:
    message = b"From: a@news.example\r\nTo: b@c.example\r\nX: y\r\n\r\n.\r\n  body \r\n\r\n\r\n"
    data = BOTH.sign(message, date=NOW)
    assert data.endswith(message)
    assert verified(data) == [True, True]


def test_a_message_without_a_body_can_be_signed() -> None:
    message = b"From: a@news.example\r\n\r\n"
    assert verified(BOTH.sign(message, date=NOW)) == [True, True]


@pytest.mark.parametrize(
    ("sender", "domains"),
    [
        ("a@news.example", [b"news.example"]),
        ("a@mail.news.example", [b"news.example"]),
        ("a@xnews.example", [b"news.example", b"provider.example"]),
        ("a@else.example", [b"news.example", b"provider.example"]),
    ],
)
def test_the_keys_of_the_sender_sign_or_all_where_none_is_hers(
    sender: str, domains: list[bytes]
) -> None:
    data = personal(template(sender=sender), signer=Signer([ED, OTHER]))
    assert re.findall(rb"d=([^;]+);", data.partition(b"\r\n\r\n")[0]) == domains
    assert all(verified(data))


def test_equal_mails_have_equal_signatures() -> None:
    mails = {personal(template(**LIST), signer=Signer([RSA, ED])) for _ in range(2)}
    assert len(mails) == 1


BAD: dict[str, Callable[[], bytes]] = {
    "no PEM": lambda: b"not a key",
    "bits": lambda: pem(rsa.generate_private_key(65537, 1024)),  # noqa: S505  # It is to be refused.
    "neither": lambda: pem(ec.generate_private_key(ec.SECP256R1())),
}


@pytest.mark.parametrize("problem", BAD)
def test_a_key_that_nobody_trusts_is_refused(problem: str) -> None:
    with pytest.raises(SigningError, match=problem):
        Key.load("news.example", "s", BAD[problem]())


@pytest.mark.parametrize(
    ("domain", "selector"), [("a b", "s"), ("a.b", "s;"), ("", "s"), ("a", "")]
)
def test_a_place_where_no_key_can_stand_is_refused(domain: str, selector: str) -> None:
    with pytest.raises(SigningError):
        Key.load(domain, selector, pem(ED.private))


def test_no_key_signs_nothing() -> None:
    with pytest.raises(SigningError):
        Signer([])
    with pytest.raises(SigningError):
        BOTH.sign(b"To: a@b.example\r\n\r\n", date=NOW)
    with pytest.raises(SigningError):
        BOTH.sign(b"no header\r\n\r\n", date=NOW)
