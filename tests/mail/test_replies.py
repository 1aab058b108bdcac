# SPDX-License-Identifier: AGPL-3.0-or-later
"""What relays answer: read in any pieces, never more than there is, and without names."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamizdat.mail.errors import GarbageError
from tamizdat.mail.replies import LONGEST, SAID, Replies, Reply, said, without

codes = st.integers(200, 599)
lines = st.lists(
    st.binary(max_size=60).map(lambda b: b.translate(None, b"\r\n")), min_size=1, max_size=5
)


def as_sent(code: int, texts: list[bytes]) -> bytes:
    return b"".join(
        b"%d%s%s\r\n" % (code, b" " if n == len(texts) - 1 else b"-", text)
        for n, text in enumerate(texts)
    )


@given(st.lists(st.tuples(codes, lines), max_size=6), st.data())
def test_replies_are_read_in_whatever_pieces_they_come(
    sent: list[tuple[int, list[bytes]]], data: st.DataObject
) -> None:
    raw = b"".join(as_sent(*one) for one in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=8)))
    replies, found = Replies(), []
    for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True):
        replies.feed(raw[start:end])
        while reply := replies.next():
            found.append(reply)
    assert found == [Reply(code, b"\n".join(texts)) for code, texts in sent]
    assert replies.is_empty


@given(st.lists(st.binary(max_size=300)))
def test_garbage_ends_it_and_never_hangs(pieces: list[bytes]) -> None:
    replies = Replies()
    try:
        for piece in pieces:
            replies.feed(piece)
            while replies.next():
                pass
    except GarbageError:
        return


def test_a_server_that_talks_without_end_is_cut_off() -> None:
    replies = Replies()
    replies.feed(b"250-x\r\n" * 1000)
    with pytest.raises(GarbageError):
        replies.next()
    with pytest.raises(GarbageError):
        Replies().feed(b"x" * (LONGEST + 1))


def test_an_end_of_line_of_some_old_server_will_do() -> None:
    replies = Replies()
    replies.feed(b"250\n250 \r\n")
    assert [replies.next(), replies.next(), replies.next()] == [
        Reply(250, b""), Reply(250, b""), None
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "enhanced", "words"),
    [
        ("5.1.1 No such user", "5.1.1", "No such user"),
        ("4.2.2\n4.2.2 mailbox full", "4.2.2", "mailbox full"),
        ("Ok: queued as 4F1B2", "", "Ok: queued as 4F1B2"),
        ("5.1 nearly", "", "5.1 nearly"),
        ("", "", ""),
        ("a\tb\x07c\u202ed", "", "a b c d"),
    ],
)
def test_codes_and_words(text: str, enhanced: str, words: str) -> None:
    reply = Reply(550, text.encode())
    assert (reply.enhanced, said(reply)) == (enhanced, words)


@pytest.mark.parametrize(
    "text",
    [
        "<ada.k+news@mail.kova.example>: no such user",
        "user ada.k+news is unknown",
        "ADA.K+NEWS has moved",
        "Recipient ada.k unknown in virtual table",
        "no mailbox ada.k%2Bnews%40mail.kova.example here",
        "see https://x.example/?who=ada.k+news@mail.kova.example&c=1",
        "host mx1.mail.kova.example said no",
        "return to bounces+mfrggzdf=mail.kova.example@news.example",
        "orig ada.k+news+40mail.kova.example",
        "(in reply to RCPT TO:<ada.k+news@mail.kova.example>)",
        "'Ada.K' does not live at MAIL.KOVA.EXAMPLE",
    ],
)
def test_no_words_name_a_reader(text: str) -> None:
    words = said(Reply(550, text.encode()), "ada.k+news@mail.kova.example").lower()
    assert "ada" not in words
    assert "kova" not in words
    assert "…" in words


@given(st.emails(), st.text(max_size=40), st.text(max_size=40))
def test_no_address_is_left_in_any_words(address: str, before: str, after: str) -> None:
    found = without(f"{before} <{address}> {after}", address)
    assert address.lower() not in found.lower()
    assert "@" not in found
    assert len(found) <= SAID


def test_many_words_are_few() -> None:
    assert len(said(Reply(550, b"word " * 5000))) <= SAID


@pytest.mark.parametrize(
    "form",
    [
        "ada%40kova.example",
        "ADA%40KOVA.EXAMPLE",
        "ada=40kova.example",
        "ada&#64;kova.example",
        "ada at kova.example",
        base64.b64encode(b"ada@kova.example").decode(),
        base64.urlsafe_b64encode(b"<ada@kova.example>").decode().rstrip("="),
        f"=?utf-8?B?{base64.b64encode(b'ada@kova.example').decode()}?=",
    ],
)
def test_an_address_is_cut_out_in_whatever_dress_it_comes(form: str) -> None:
    words = without(f"No such user {form} here", "ada@kova.example").lower()
    assert "ada" not in words
    assert "kova" not in words
    assert form[:12].lower() not in words
    assert words.startswith("no such user")


def test_numbers_of_queues_are_no_addresses() -> None:
    assert without("Ok: queued as 4fKcXm2Qw9zPLw4Tq7Rb") == "Ok: queued as 4fKcXm2Qw9zPLw4Tq7Rb"
