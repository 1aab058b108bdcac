# SPDX-License-Identifier: AGPL-3.0-or-later
"""From a connection to a session: greeting, TLS, logging in."""

from __future__ import annotations

import base64
import ssl
import time
from pathlib import Path

import msgspec
import pytest

from tamizdat.mail.errors import BrokenError, RelayError
from tamizdat.mail.smtp import Connection, Server
from tests.mail import relays
from tests.mail.relays import ALL, QUICK, HangUp, Relay, connect, mails, states


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return relays.certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def theirs(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


@pytest.fixture
def ours(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate[0]))


class Implicit(Relay):
    """TLS from the first byte."""

    def _serve(self) -> None:
        while True:
            try:
                connected = self._listening.accept()[0]
                assert self.tls
                with self.tls.wrap_socket(connected, server_side=True) as secured:
                    secured.settimeout(20)
                    relays._Session(self, secured).run()
            except OSError:
                if self._listening.fileno() < 0:
                    return


def opened(relay: Relay, context: ssl.SSLContext | None = None, **more: str) -> Connection:
    server = Server(host="localhost", port=relay.port, **more)  # type: ignore[arg-type]
    return Connection.open(server, timeouts=QUICK, context=context)


def test_a_relay_that_knows_only_helo_is_spoken_to() -> None:
    with Relay() as relay:
        relay.helo_only = True
        with connect(relay) as connection:
            assert not connection.features.pipelining
        assert relay.log == ["EHLO news.example", "HELO news.example", "QUIT"]


def test_starttls_hides_all_that_follows(theirs: ssl.SSLContext, ours: ssl.SSLContext) -> None:
    with Relay() as relay:
        relay.tls, relay.extensions = theirs, (*ALL, "STARTTLS")
        with opened(relay, ours, security="starttls") as connection:
            assert states(connection.send(mails(3))) == "sss"
        assert relay.log[:3] == ["EHLO localhost", "STARTTLS", "EHLO localhost"]


def test_without_the_starttls_that_was_asked_for_nothing_goes() -> None:
    with Relay() as relay:
        with pytest.raises(RelayError, match="knows no STARTTLS") as caught:
            opened(relay, security="starttls", user="ada", password="pass")
        assert caught.value.permanent
        assert relay.log == ["EHLO localhost"]


def test_starttls_refused_is_an_end() -> None:
    with Relay() as relay:
        relay.extensions = ("STARTTLS",)
        relay.starttls_says = b"454 4.7.0 not now\r\n"
        with pytest.raises(RelayError, match="does not begin TLS"):
            opened(relay, security="starttls")


def test_what_is_put_in_before_tls_is_forgotten(
    theirs: ssl.SSLContext, ours: ssl.SSLContext
) -> None:
    """Answers that somebody on the way appends to the one that begins TLS (CVE-2011-0411)."""
    with Relay() as relay:
        relay.tls, relay.extensions = theirs, ("STARTTLS", "SIZE 5000")
        relay.starttls_says = b"220 go on\r\n250-evil\r\n250-PIPELINING\r\n250 AUTH PLAIN\r\n"
        with opened(relay, ours, security="starttls") as connection:
            assert connection.features.size == 5000
            assert not connection.features.pipelining
            assert not connection.features.auth
            assert states(connection.send(mails(2))) == "ss"


def test_tls_from_the_first_byte(theirs: ssl.SSLContext, ours: ssl.SSLContext) -> None:
    with Implicit() as relay:
        relay.tls = theirs
        with opened(relay, ours, security="tls") as connection:
            data = b"a: b\r\n\r\n" + b"x" * 700_000 + b"\r\n"
            assert states(connection.send(mails(3, data))) == "sss"
        assert [kept for _, _, kept in relay.kept] == [data] * 3


def test_a_certificate_of_nobody_we_know_is_refused(theirs: ssl.SSLContext) -> None:
    with Implicit() as relay:
        relay.tls = theirs
        with pytest.raises(RelayError, match="certificate that is not its own") as caught:
            opened(relay, security="tls")
        assert caught.value.permanent


def test_a_certificate_of_another_is_refused(tmp_path: Path, theirs: ssl.SSLContext) -> None:
    files = relays.certificate(tmp_path, "elsewhere.example")
    theirs.load_cert_chain(*files)
    with Implicit() as relay:
        relay.tls = theirs
        context = ssl.create_default_context(cafile=str(files[0]))
        with pytest.raises(RelayError, match="certificate that is not its own"):
            opened(relay, context, security="tls")


def test_a_relay_that_speaks_no_tls_where_it_should_is_refused() -> None:
    with Relay() as relay, pytest.raises(RelayError, match="No TLS"):
        opened(relay, security="tls")


@pytest.mark.parametrize(
    ("offers", "password", "expected"),
    [
        ("AUTH LOGIN PLAIN", "pass", "PLAIN \0ada\0pass"),
        ("AUTH=LOGIN", "pass", "LOGIN ada pass"),
        ("AUTH LOGIN CRAM-MD5", "слово", "LOGIN ada слово"),
        ("AUTH PLAIN", "слово", "PLAIN \0ada\0слово"),
    ],
)
def test_logging_in(offers: str, password: str, expected: str) -> None:
    with _Knows(expected) as relay:
        relay.extensions = ("PIPELINING", offers)
        with opened(relay, security="none", user="ada", password=password) as connection:
            assert states(connection.send(mails(1))) == "s"


@pytest.mark.parametrize("offers", ["AUTH LOGIN", "AUTH PLAIN"])
def test_a_wrong_password_is_an_end_that_names_nobody(offers: str) -> None:
    with _Knows("LOGIN other word") as relay:
        relay.extensions = (offers,)
        with pytest.raises(RelayError, match="refuses our name or password: 535") as caught:
            opened(relay, security="none", user="ada@news.example", password="pass")
        assert caught.value.permanent
        assert "ada" not in str(caught.value)
        assert "pass " not in str(caught.value)
        assert "is not let in" in str(caught.value)


def test_a_relay_with_no_way_to_log_in_that_we_know() -> None:
    with Relay() as relay:
        relay.extensions = ("AUTH CRAM-MD5 XOAUTH2",)
        with pytest.raises(RelayError, match="no way to log in"):
            opened(relay, security="none", user="ada", password="pass")


def test_a_password_never_goes_in_clear_to_another_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tamizdat.mail.smtp.wire.Wire.is_local", False)
    with Relay() as relay:
        relay.extensions = ("AUTH PLAIN",)
        with pytest.raises(RelayError, match="under TLS only") as caught:
            opened(relay, security="none", user="ada", password="pass")
        assert caught.value.permanent
        assert not [line for line in relay.log if line.startswith("AUTH")]


@pytest.mark.parametrize(
    ("greeting", "permanent"),
    [("554 5.7.1 go away", True), ("421 4.3.2 later", False), ("450 busy", False)],
)
def test_a_relay_that_does_not_want_us(greeting: str, permanent: bool) -> None:
    with Relay() as relay:
        relay.greeting = greeting
        with pytest.raises(RelayError, match=greeting[:3]) as caught:
            connect(relay)
        assert caught.value.permanent is permanent


@pytest.mark.parametrize("greeting", ["SSH-2.0-OpenSSH_9", "220" * 9000, "", "220-\n" * 900])
def test_a_server_that_is_no_relay(greeting: str) -> None:
    with Relay() as relay:
        relay.greeting = greeting
        began = time.monotonic()
        with pytest.raises(RelayError):
            connect(relay, msgspec.structs.replace(QUICK, greeting=0.2))
        assert time.monotonic() - began < 15, "not as long as a relay may take"


def test_a_relay_that_hangs_up_at_once() -> None:
    class Gone(Relay):
        @property
        def greeting(self) -> str:  # type: ignore[override]
            raise HangUp

    with Gone() as relay, pytest.raises(BrokenError, match="closed the connection"):
        connect(relay)


def test_nobody_there() -> None:
    with Relay() as relay:
        port = relay.port
    with pytest.raises(RelayError, match="cannot be reached") as caught:
        Connection.open(Server(host="127.0.0.1", port=port, security="none"), timeouts=QUICK)
    assert not caught.value.permanent


def test_a_name_of_ours_that_is_none_is_not_said() -> None:
    with Relay() as relay:
        server = Server(
            host="127.0.0.1", port=relay.port, security="none", helo="x\r\nMAIL FROM:<>"
        )
        with pytest.raises(RelayError, match="helo"):
            Connection.open(server, timeouts=QUICK)
        assert relay.log == []


class _Knows(Relay):
    def __init__(self, expected: str) -> None:
        super().__init__()
        self.expected = expected

    def authenticate(self, session: relays._Session, line: str) -> str:
        _, way, *first = line.split(" ")
        if way == "PLAIN":
            found = f"PLAIN {base64.b64decode(first[0]).decode()}"
        else:
            parts = []
            for ask in ("334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"):
                session.say(ask)
                parts.append(base64.b64decode(session.line()).decode())
            found = " ".join(["LOGIN", *parts])
        if found == self.expected:
            return "235 2.7.0 ok"
        return f"535 5.7.8 {found.split()[1]} is not let in"


def test_breaks_under_tls_are_told_apart_too(theirs: ssl.SSLContext, ours: ssl.SSLContext) -> None:
    def stop(number: int) -> None:
        if number == 1:
            raise HangUp

    for phase, expected in (("on_content", "sdd"), ("on_dot", "sud")):
        with Implicit() as relay:
            relay.tls = theirs
            usual = getattr(relay, phase)
            setattr(relay, phase, lambda n, usual=usual: stop(n) or usual(n))
            batch = mails(3)
            data = b"a: b\r\n\r\n" + b"x" * 5_000_000 + b"\r\n"
            batch[1] = msgspec.structs.replace(batch[1], data=data)
            with opened(relay, ours, security="tls") as connection:
                assert states(connection.send(batch)) == expected
                assert not connection.usable
            assert len(relay.kept) == 1
