# SPDX-License-Identifier: AGPL-3.0-or-later
"""``metadata/current``: what was put in comes out, and nothing else is let in."""

from __future__ import annotations

import contextlib
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamizdat.edition.signed.current import decode, encode
from tamizdat.edition.signed.errors import BadFormatError
from tamizdat.edition.signed.layout import target_name

metadata = st.tuples(
    st.from_regex(r"metadata/[a-z0-9.]{1,20}", fullmatch=True),
    st.lists(
        st.text(st.characters(max_codepoint=127), max_size=50).map(str.encode)
        | st.binary(max_size=300).map(lambda data: data.hex().encode())
    ).map(b"".join),
)
targets = st.builds(
    lambda name, data: (target_name(f"live/{name}", hashlib.sha256(data).hexdigest()), data),
    st.from_regex(r"[a-z]{1,9}", fullmatch=True),
    st.binary(max_size=200),
)


@given(st.lists(metadata | targets, max_size=16, unique_by=lambda part: part[0]).map(dict))
def test_what_was_put_in_comes_out_in_its_order(parts: dict[str, bytes]) -> None:
    assert list(decode(encode(parts)).items()) == list(parts.items())


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_in_words(data: bytes) -> None:
    for given_ in (data, b"TZM2\n" + data, b"TZM2\na 3\n\n" + data):
        with contextlib.suppress(BadFormatError):
            decode(given_)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"TZM1\n\n",
        b"TZM2\na 1\n\n",  # cut off
        b"TZM2\na 3\n\n\x83ab",  # packed, and cut off
        b"TZM2\na 1\n\nxy",  # more than was said
        b"TZM2\na 01\n\nx",
        b"TZM2\na -1\n\n",
        b"TZM2\na  1\n\nx",
        b"TZM2\na 1\na 1\n\nxx",  # one name twice
        b"TZM2\r\na 1\r\n\r\nx",
        b"TZM2\n" + b"".join(b"%d 0\n" % n for n in range(17)) + b"\n",
        b"TZM2\na 65000\n\n" + bytes(65_000),
        b"TZM2\n" + b"a" * 5_000 + b" 0\n\n",
    ],
)
def test_what_breaks_a_rule_is_refused(data: bytes) -> None:
    with pytest.raises(BadFormatError):
        decode(data)


def test_more_than_the_file_may_hold_is_not_written() -> None:
    with pytest.raises(ValueError, match="cannot hold"):
        encode({f"metadata/{n}": b"" for n in range(17)})
    with pytest.raises(ValueError, match="cannot hold"):
        encode({"metadata/timestamp.json": bytes(64_000)})


def test_an_index_record_stands_under_its_short_name() -> None:
    data = b"record"
    name = target_name("live/recent", hashlib.sha256(data).hexdigest())
    assert encode({name: data}) == b"TZM2\nlive/recent 6\n\nrecord"


def test_digits_of_hashes_keys_and_signatures_take_half_their_bytes() -> None:
    data = b'{"sig":"%s"}' % (b"0a" * 64)
    made = encode({"metadata/timestamp.json": data})
    assert made == b'TZM2\ntimestamp.json 75\n\n{"sig":"\xc0' + b"\x0a" * 64 + b'"}'
    assert decode(made) == {"metadata/timestamp.json": data}


def test_digits_packed_in_another_way_are_read_as_well() -> None:
    assert decode(b"TZM2\na 5\n\n\x80x\x82\x00\xff") == {"metadata/a": b"x00ff"}


def test_metadata_in_other_letters_is_left_to_its_own_file() -> None:
    parts = {"metadata/timestamp.json": b"{}", "metadata/1.targets.json": "{“”}".encode()}
    assert decode(encode(parts)) == {"metadata/timestamp.json": b"{}"}
