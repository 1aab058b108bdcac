# SPDX-License-Identifier: AGPL-3.0-or-later
from __future__ import annotations

import smtplib
import socket
import threading
from collections.abc import Iterator

import pytest

from tamizdat.mail import lmtp
from tamizdat.mail.reports import MOST

BEGIN = b"LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example> ORCPT=x\r\nDATA\r\n"
Taken = list[tuple[bytes, str]]


@pytest.fixture
def taken() -> Taken:
    return []


@pytest.fixture
def server(taken: Taken) -> Iterator[lmtp.Server]:
    def take(data: bytes, recipient: str) -> None:
        if recipient.startswith("trouble"):
            raise RuntimeError(recipient)
        taken.append((data, recipient))

    made = lmtp.Server(take, 0)
    thread = threading.Thread(target=made.serve_forever, args=(0.02,))
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


def talk(server: lmtp.Server, data: bytes) -> list[str]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as stream:
            return [line.decode().rstrip() for line in stream]


def test_a_mail_server_hands_mails_in(server: lmtp.Server, taken: Taken) -> None:
    with smtplib.LMTP("127.0.0.1", server.port, timeout=10) as client:
        for name in "ab":
            assert client.sendmail("", [f"{name}@x.example"], b"Subject: x\r\n\r\ny") == {}
    assert [to for _, to in taken] == ["a@x.example", "b@x.example"]


def test_each_recipient_has_an_answer_of_its_own(
    server: lmtp.Server, taken: Taken, caplog: pytest.LogCaptureFixture
) -> None:
    two = BEGIN.replace(b"DATA", b"RCPT TO:<trouble@x.example>\r\nDATA")
    said = talk(server, two + b"x\r\n.\r\nQUIT\r\n")
    assert [line[:3] for line in said[-3:]] == ["250", "451", "221"]
    assert [to for _, to in taken] == ["a@b.example"]
    assert "@" not in caplog.text


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (b"EHLO x\r\n", "500"),
        (b"MAIL FROM:<>\r\n", "503"),
        (b"LHLO x\r\nRCPT TO:<a>\r\n", "503"),
        (b"LHLO x\r\nMAIL FROM:<>\r\nDATA\r\n", "503"),
        (b"LHLO x\r\nMAIL FROM:<>\r\n" + b"RCPT TO:<a>\r\n" * 101, "452"),
        (b"NOOP " + b"x" * 5_000 + b"\r\n", "500"),
        (b"__init__ x\r\n", "500"),
        (b"\xff\xfe\r\n", "500"),
        (b"RSET\r\nNOOP\r\nVRFY a\r\nQUIT\r\n", "221"),
    ],
)
def test_what_is_no_lmtp_is_refused(server: lmtp.Server, said: bytes, answer: str) -> None:
    assert talk(server, said)[-1].startswith(answer)


def test_a_mail_that_ends_in_the_middle_is_none(server: lmtp.Server, taken: Taken) -> None:
    talk(server, BEGIN + b"Subject: x\r\n")
    assert taken == []


def test_dots_are_unstuffed_and_end_no_long_line(server: lmtp.Server, taken: Taken) -> None:
    body = b"..two\r\n" + b"x" * lmtp.LINE + b".\r\nlast\r\n"
    talk(server, BEGIN + body + b".\r\nQUIT\r\n")
    ((data, recipient),) = taken
    assert data == body[1:]
    assert recipient == "a@b.example"


def test_of_a_large_mail_the_beginning_is_kept(server: lmtp.Server, taken: Taken) -> None:
    talk(server, BEGIN + b"y" * 70 + b"\r\n" + b"x" * 999 * 1_000 + b"\r\n.\r\nQUIT\r\n")
    assert MOST <= len(taken[0][0]) <= MOST + lmtp.LINE


def test_more_than_enough_clients_are_sent_away(
    server: lmtp.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(lmtp.AT_ONCE):
        server.places.acquire()
    assert talk(server, b"")[0].startswith("421")
    for _ in range(lmtp.AT_ONCE):
        server.places.release()
