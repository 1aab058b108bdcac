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
    st.from_regex(r"metadata/[a-z0-9.]{1,20}", fullmatch=True), st.binary(max_size=200)
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
    for given_ in (data, b"TZM1\n" + data, b"TZM1\na 3\n\n" + data):
        with contextlib.suppress(BadFormatError):
            decode(given_)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"TZM2\n\n",
        b"TZM1\na 1\n\n",  # cut off
        b"TZM1\na 1\n\nxy",  # more than was said
        b"TZM1\na 01\n\nx",
        b"TZM1\na -1\n\n",
        b"TZM1\na  1\n\nx",
        b"TZM1\na 1\na 1\n\nxx",  # one name twice
        b"TZM1\r\na 1\r\n\r\nx",
        b"TZM1\n" + b"".join(b"%d 0\n" % n for n in range(17)) + b"\n",
        b"TZM1\na 65000\n\n" + bytes(65_000),
        b"TZM1\n" + b"a" * 5_000 + b" 0\n\n",
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
    assert encode({name: data}) == b"TZM1\nlive/recent 6\n\nrecord"
