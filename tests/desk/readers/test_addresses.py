# SPDX-License-Identifier: AGPL-3.0-or-later
"""Two spellings of one mailbox are one address, and two mailboxes are two."""

from __future__ import annotations

import unicodedata

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from tamizdat.desk.readers.addresses import kept, normalised
from tamizdat.desk.readers.errors import AddressError, SealedError
from tamizdat.desk.readers.keyring import Keys
from tamizdat.desk.readers.vault import open_address, open_text, seal_address, seal_text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada@Post.Example", "ada@post.example"),
        (" ada@post.example\n", "ada@post.example"),
        ("ada@post.example.", "ada@post.example"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@BÜCHER.example", "ADA@XN--BCHER-KVA.EXAMPLE"),
        ("ada@почта.example", "ada@ПОЧТА。example"),
        (unicodedata.normalize("NFD", "renée@post.example"), "RENÉE@post.example"),
    ],
)
def test_spellings_of_one_mailbox_are_one(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a.da@post.example", "ada@post.example"),
        ("ada+news@post.example", "ada@post.example"),
        ("ada@post.example", "ada@mail.post.example"),
        ("ada@googlemail.example", "ada@gmail.example"),
        ("аda@post.example", "ada@post.example"),  # The first letter is Cyrillic.
        ("ada@straße.example", "ada@strasse.example"),
    ],
)
def test_different_mailboxes_stay_different(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)


@pytest.mark.parametrize(
    "wrong",
    [
        *("", "@", "ada", "ada@", "@post", "a@b@c", "a b@c.example", "ada@.example", "ada@x..y"),
        *("ada@post.example..", "ada@☃-.example\ufffd", "ada\0@post.example", "ada@" + "x" * 255),
        *("ada@\u2028post.example", "ada@－bad－.example"),
    ],
)
def test_what_is_no_address_is_refused(wrong: str) -> None:
    with pytest.raises(AddressError):
        normalised(wrong)


@given(st.text(max_size=60), st.text(max_size=60))
def test_the_form_for_finding_is_settled(local: str, domain: str) -> None:
    try:
        found = normalised(f"{local}@{domain}")
    except AddressError:
        return
    assert normalised(found) == found
    assert normalised(found.lower()) == found
    assert kept(kept(f"{local}@{domain}")) == kept(f"{local}@{domain}")


@given(st.text("abyzABYZ0159.+-абвяёАБВЯЁαωΑΩéÉñÑ", min_size=1, max_size=60))
def test_capitals_make_nobody_another(local: str) -> None:
    assert normalised(f"{local.upper()}@post.example") == normalised(f"{local}@post.example")


KEYS = Keys(
    current=3,
    data={3: AESGCM(b"d" * 32), 2: AESGCM(b"e" * 32)},
    blind={3: b"b" * 32, 2: b"c" * 32},
    stamp=(),
)
IDS = st.integers(min_value=1, max_value=2**62)


@given(IDS, st.emails())
def test_what_is_sealed_opens_as_it_was(pk: int, address: str) -> None:
    sealed = seal_address(KEYS, pk, address)
    assert open_address(KEYS, pk, 3, sealed) == address
    assert (len(sealed) - 28) % 32 == 0


@given(IDS, IDS, st.emails(), st.data())
def test_what_was_altered_or_moved_does_not_open(
    pk: int, other: int, address: str, data: st.DataObject
) -> None:
    sealed = bytearray(seal_address(KEYS, pk, address))
    if other != pk:
        with pytest.raises(SealedError):
            open_address(KEYS, other, 3, bytes(sealed))
    with pytest.raises(SealedError):
        open_address(KEYS, pk, 2, bytes(sealed))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SealedError):
        open_address(KEYS, pk, 3, bytes(sealed))


@given(st.binary(max_size=200), st.binary(max_size=300), st.data())
def test_texts_open_for_their_purpose_and_nothing_else_opens(
    text: bytes, junk: bytes, data: st.DataObject
) -> None:
    blob = seal_text(KEYS, "letters.message", text)
    assert open_text(KEYS, "letters.message", blob) == text
    cut = blob[: data.draw(st.integers(0, len(blob) - 1))]
    for wrong in (cut, junk, blob + b"x"):
        with pytest.raises(SealedError):
            open_text(KEYS, "letters.message", wrong)
