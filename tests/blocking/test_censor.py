# SPDX-License-Identifier: AGPL-3.0-or-later
"""The censor does to connections what its behaviours say, and nothing to others."""

from __future__ import annotations

import asyncio
import http.client
import socket
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.blocking import hello
from tests.blocking.censor import FREEZE_AT, LINE, NOTICE, SIGN_OF_A_BLOCK, Block, Censor
from tests.blocking.certificates import Authority, self_signed
from tests.blocking.hosts import hosts

A, B = "a.test", "b.test"
LONG = bytes(range(256)) * 256
FITS = LONG[:13_000]


@dataclass
class Network:
    censor: Censor
    trust: ssl.SSLContext

    def connect(self, host: str, port: int = 0) -> ssl.SSLSocket:
        plain = socket.create_connection(("127.0.0.1", port or self.censor.port), 5)
        try:
            return self.trust.wrap_socket(plain, server_hostname=host)
        except BaseException:
            plain.close()
            raise

    def get(self, host: str, path: str = "/metadata/current") -> tuple[int, str, bytes]:
        """Status, where it leads, and the body."""
        connection = http.client.HTTPSConnection(host)
        connection.sock = self.connect(host)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.headers.get("Location", ""), answer.read()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def censored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    folder = tmp_path_factory.mktemp("censor")
    (folder / "copy" / "metadata").mkdir(parents=True)
    (folder / "copy" / "metadata" / "current").write_bytes(b"a small file")
    (folder / "copy" / "metadata" / "fits").write_bytes(FITS)
    (folder / "copy" / "metadata" / "long").write_bytes(LONG)
    authority = Authority(folder / "certificates")
    right = authority.certify(A, B, NOTICE)
    wrong = self_signed(folder / "wrong.pem", A)
    copies = {A: folder / "copy", B: folder / "copy"}
    with (
        hosts(folder / "nginx", authority, copies, {}) as port,
        Censor(port, right, wrong) as censor,
    ):
        yield Network(censor, authority.client_context())


@pytest.fixture
def network(censored: Network) -> Network:
    censored.censor.block({})
    return censored


def test_what_is_not_blocked_is_passed_on_whole(network: Network) -> None:
    assert network.get(A) == (200, "", b"a small file")
    assert network.get(B, "/metadata/long") == (200, "", LONG)
    assert network.censor.seen == [(A, None), (B, None)]


@pytest.mark.parametrize("block", list(Block))
def test_a_block_of_one_host_leaves_the_others(network: Network, block: Block) -> None:
    network.censor.block({A: block})
    assert network.get(B)[0] == 200


def test_a_reset_comes_when_the_name_is_seen(network: Network) -> None:
    network.censor.block({A: Block.RESET})
    with pytest.raises(ConnectionResetError):
        network.connect(A)
    assert network.censor.seen == [(A, Block.RESET)]


def test_silence_is_neither_an_answer_nor_an_end(network: Network) -> None:
    network.censor.block({A: Block.SILENCE})
    with socket.create_connection(("127.0.0.1", network.censor.port), 5) as plain:
        plain.settimeout(0.5)
        with pytest.raises(TimeoutError):
            network.trust.wrap_socket(plain, server_hostname=A)


def test_a_wrong_certificate_is_refused(network: Network) -> None:
    network.censor.block({A: Block.FALSE_CERTIFICATE})
    with pytest.raises(ssl.SSLCertVerificationError, match="self-signed"):
        network.connect(A)


@pytest.mark.parametrize(
    ("block", "status", "leads"),
    [
        (Block.PAGE_200, 200, ""),
        (Block.PAGE_302, 302, f"https://{NOTICE}/"),
        (Block.PAGE_451, 451, ""),
    ],
)
def test_a_block_page_comes_with_a_certificate_that_is_believed(
    network: Network, block: Block, status: int, leads: str
) -> None:
    network.censor.block({A: block})
    seen, location, body = network.get(A)
    assert (seen, location) == (status, leads)
    assert SIGN_OF_A_BLOCK.encode() in body
    assert SIGN_OF_A_BLOCK.encode() in network.get(NOTICE)[2]


def test_a_connection_freezes_after_sixteen_kilobytes(network: Network) -> None:
    network.censor.block({A: Block.FREEZE})
    assert network.get(A, "/metadata/fits") == (200, "", FITS)
    with network.connect(A) as connection:
        connection.settimeout(1)
        connection.sendall(f"GET /metadata/long HTTP/1.1\r\nHost: {A}\r\n\r\n".encode())
        got = bytearray()
        with pytest.raises(TimeoutError):
            _receive(connection, got)
    assert len(got) < FREEZE_AT


def _receive(connection: socket.socket, into: bytearray) -> None:
    while data := connection.recv(65_536):
        into += data


def test_a_slow_line_is_shared_by_all(network: Network) -> None:
    network.censor.block({}, otherwise=Block.SLOW)
    began = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        got = list(pool.map(lambda host: network.get(host, "/metadata/fits")[2], (A, B)))
    assert got == [FITS, FITS]
    assert time.monotonic() - began >= 2 * len(FITS) / LINE


def test_on_an_allowlist_all_others_are_silent(network: Network) -> None:
    network.censor.block({}, otherwise=Block.SILENCE, allowed=[B])
    assert network.get(B)[0] == 200
    assert network.censor.fate(A) is Block.SILENCE
    assert network.censor.fate("elsewhere.test") is Block.SILENCE


def test_everything_can_be_down(network: Network) -> None:
    network.censor.block({}, otherwise=Block.RESET)
    for host in (A, B):
        with pytest.raises(ConnectionResetError):
            network.connect(host)


def test_open_connections_end_when_the_network_changes(network: Network) -> None:
    with network.connect(A) as connection, socket.socket(fileno=connection.detach()) as plain:
        plain.settimeout(5)
        network.censor.block({A: Block.RESET})
        with pytest.raises(ConnectionResetError):
            _receive(plain, bytearray())


def test_a_false_address_is_another_server(network: Network) -> None:
    network.censor.block({A: Block.FALSE_ADDRESS})
    with pytest.raises(ssl.SSLCertVerificationError):
        network.connect(A, network.censor.elsewhere)


def test_false_names_are_said_to_the_browser_before_the_true_ones(network: Network) -> None:
    network.censor.block({A: Block.NXDOMAIN, B: Block.FALSE_ADDRESS})
    assert network.censor.rules().split(", ") == [
        f"MAP {A} ~NOTFOUND",
        f"MAP {B} 127.0.0.1:{network.censor.elsewhere}",
        f"MAP *.test 127.0.0.1:{network.censor.port}",
    ]


CLIENT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
names = st.from_regex(r"[a-z][a-z0-9-]{0,20}[a-z0-9](\.[a-z]{2,8}){1,3}", fullmatch=True)


@given(names)
def test_the_name_is_read_from_what_a_client_really_sends(name: str) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = CLIENT.wrap_bio(incoming, outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    assert asyncio.run(_read(outgoing.read()))[1] == name


def test_what_is_no_tls_has_no_name() -> None:
    assert asyncio.run(_read(b"GET / HTTP/1.1\r\n\r\n")) == (b"GET /", "")


async def _read(data: bytes) -> tuple[bytes, str]:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return await hello.read(reader)
