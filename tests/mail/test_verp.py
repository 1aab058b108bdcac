# SPDX-License-Identifier: AGPL-3.0-or-later
"""Envelope senders that say which mail came back."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamizdat.mail.addresses import sendable
from tamizdat.mail.errors import MessageError
from tamizdat.mail.verp import unverp, verp

tokens = st.binary(min_size=30, max_size=30).map(lambda b: base64.urlsafe_b64encode(b).decode())


@given(tokens)
def test_a_token_comes_back_also_where_capitals_were_lost(token: str) -> None:
    address = verp(token, "back.example")
    assert sendable(address) == address
    for returned in (address, address.upper(), f"<{address}>", f"Final-Recipient: {address};"):
        assert unverp(returned) == [token]


@given(tokens)
def test_a_token_that_was_written_plainly_is_read_too(token: str) -> None:
    assert unverp(f"bounces+{token}@back.example") == [token]


@given(st.text())
def test_any_text_is_looked_at(text: str) -> None:
    assert isinstance(unverp(text), list)


@pytest.mark.parametrize("token", ["", "short", "a" * 41, "a" * 44, "ж" * 40, "!" * 40])
def test_what_is_no_token_makes_no_address(token: str) -> None:
    with pytest.raises(MessageError):
        verp(token, "back.example")
