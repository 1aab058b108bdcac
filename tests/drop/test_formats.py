# SPDX-License-Identifier: AGPL-3.0-or-later
"""Kinds, envelopes, slots and forms, for whatever people and machines write."""

from __future__ import annotations

import unicodedata
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamizdat.drop.batches import new_name, read_name, sealed_in, slot, slots
from tamizdat.drop.envelope import (
    MOST_SEAL,
    SIZES,
    check_sealed,
    open_sealed,
    pad,
    seal,
    size_of,
    submission,
)
from tamizdat.drop.errors import (
    BatchError,
    DropError,
    FieldError,
    SealError,
    SubmissionError,
    TooLargeError,
)
from tamizdat.drop.forms import fields, read_form
from tamizdat.drop.kinds import KINDS, fields_of, kind_of
from tamizdat.drop.spool import utc_now
from tests.drop.machines import IDENTITY

KEY = [IDENTITY.to_public()]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=60),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)  # fmt: skip
NAMES = [*sorted({name for kind in KINDS.values() for name in kind.fields}), "other", ""]


@given(st.sampled_from(sorted(KINDS)), st.dictionaries(st.sampled_from(NAMES), ANYTHING))
def test_fields_are_kept_as_the_kind_says_or_refused_by_name(
    name: str, given_: dict[str, Any]
) -> None:
    kind = kind_of(name)
    try:
        found = fields_of(kind, given_)
    except FieldError:
        return
    assert set(found) <= set(kind.fields)
    assert all(name in found for name, field in kind.fields.items() if field.needed)
    assert fields_of(kind, found) == found, "what is kept is kept again as it is"


@given(st.text(min_size=1, max_size=2_000))
def test_a_message_comes_out_as_it_went_in(text: str) -> None:
    try:
        sent = submission("message", "ru", {"text": text})
    except FieldError:
        return
    sealed = seal(sent, KEY)
    check_sealed(sealed)
    came = open_sealed(sealed, [IDENTITY])
    assert came == sent
    assert came.fields["text"] == unicodedata.normalize("NFC", came.fields["text"]).strip()
    assert sealed_in(slot(sealed)) == sealed
    assert len(slot(sealed)) == size_of(len(sealed)) + 1_536


@pytest.mark.parametrize("size", SIZES)
def test_the_length_of_a_seal_tells_one_of_four_sizes(size: int) -> None:
    sealed = seal_of(pad(b"{}".ljust(size)))
    assert size < len(sealed) <= size + MOST_SEAL
    assert size_of(len(sealed)) == size
    check_sealed(sealed)


def seal_of(plain: bytes) -> bytes:
    import pyrage

    sealed: bytes = pyrage.encrypt(plain, KEY)
    return sealed


def test_more_than_the_largest_is_refused() -> None:
    with pytest.raises(TooLargeError):
        pad(bytes(SIZES[-1] + 1))
    with pytest.raises(TooLargeError):
        check_sealed(bytes(SIZES[-1] + MOST_SEAL + 1))


@given(st.binary(max_size=3_000))
def test_bytes_that_are_no_seal_are_refused(data: bytes) -> None:
    with pytest.raises(SealError):
        check_sealed(data)
    with pytest.raises(SealError):
        open_sealed(data, [IDENTITY])
    with pytest.raises(SealError):
        check_sealed(b"age-encryption.org/v1\n" + data)


def test_a_header_made_to_be_slow_is_refused_at_once() -> None:
    for tail in (b"-> a\n" * 400, b"-> X " + b"a" * 2_000, b"-> a\n" + b"A\n" * 1_000):
        with pytest.raises(SealError):
            check_sealed(b"age-encryption.org/v1\n" + tail)


@given(st.binary(max_size=400))
def test_what_is_sealed_but_no_submission_is_refused(plain: bytes) -> None:
    for padded in (plain, pad(plain)):
        with pytest.raises(SubmissionError):
            open_sealed(seal_of(padded), [IDENTITY])


@given(st.text(max_size=80))
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(BatchError):
        read_name(name)


def test_a_name_says_hour_and_size() -> None:
    hour = utc_now().replace(minute=0, second=0, microsecond=0)
    assert read_name(new_name(hour, 2_048)) == (hour, 2_048)
    for bad in ("2026139912", "2026112299", "0000000000"):
        with pytest.raises(BatchError):
            read_name(f"{bad}-{'a' * 32}-2048.batch")


@given(st.binary(max_size=8_000))
def test_slots_of_anything_are_told_apart(data: bytes) -> None:
    name = new_name(utc_now(), 2_048)
    for found in slots(name, data):
        with pytest.raises(BatchError):
            sealed_in(found)


@given(st.binary(max_size=500), st.sampled_from(["", "application/x-www-form-urlencoded",
       "multipart/form-data; boundary=x", "multipart/form-data", "text/plain", ";", "a" * 500,
       "multipart/form-data; boundary=" + "x" * 300]))  # fmt: skip
def test_no_form_is_more_than_refused(body: bytes, content_type: str) -> None:
    try:
        values = read_form(content_type, body)
    except DropError:
        return
    for kind in KINDS.values():
        fields(kind, values, None)


@given(st.lists(st.tuples(st.text(max_size=10), st.text(max_size=40)), max_size=20))
def test_a_form_is_read_as_it_was_filled_in(pairs: list[tuple[str, str]]) -> None:
    clean = [(k, v) for k, v in pairs if not _half(k + v)]
    found = read_form("application/x-www-form-urlencoded", urlencode(clean).encode())
    assert [(k, v) for k, values in found.items() for v in values] == sorted(
        clean, key=lambda pair: [k for k, _ in clean].index(pair[0])
    )


def _half(text: str) -> bool:
    return any(unicodedata.category(c) == "Cs" for c in text)


def test_a_hundred_fields_and_no_more() -> None:
    many = "&".join(f"a{n}=1" for n in range(101)).encode()
    with pytest.raises(SubmissionError):
        read_form("application/x-www-form-urlencoded", many)
    part = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    with pytest.raises(SubmissionError):
        read_form("multipart/form-data; boundary=x", part * 101 + b"--x--\r\n")


PART = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1'


@pytest.mark.parametrize(
    "body",
    [b"--x\r\n", PART, PART + b"\r\n--x", PART.replace(b'"a"', b'"\xff"') + b"\r\n--x--\r\n"],
)
def test_a_form_that_was_cut_off_is_refused(body: bytes) -> None:
    with pytest.raises(SubmissionError):
        fields(KINDS["message"], read_form("multipart/form-data; boundary=x", body), None)
