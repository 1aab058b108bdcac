# SPDX-License-Identifier: AGPL-3.0-or-later
"""The name in a ClientHello (RFC 8446, section 4.1.2; RFC 6066, section 3): what a censor reads."""

from __future__ import annotations

import asyncio

HANDSHAKE, CLIENT_HELLO, SERVER_NAME = 22, 1, 0


async def read(reader: asyncio.StreamReader) -> tuple[bytes, str]:
    """The bytes that a client sends first, up to the end of its ClientHello, and the host that
    it asks for; an empty name where it is not TLS. Raises ``IncompleteReadError``."""
    taken = b""
    message = b""
    while len(message) < 4 or len(message) < 4 + int.from_bytes(message[1:4]):
        head = await reader.readexactly(5)
        if head[0] != HANDSHAKE:
            return taken + head, ""
        body = await reader.readexactly(int.from_bytes(head[3:5]))
        taken += head + body
        message += body
    return taken, server_name(message[4:]) if message[0] == CLIENT_HELLO else ""


def server_name(hello: bytes) -> str:
    """The host in the body of a ClientHello; empty where it names none."""
    at = 2 + 32
    at += 1 + hello[at]
    at += 2 + int.from_bytes(hello[at : at + 2])
    at += 1 + hello[at]
    at += 2
    while at + 4 <= len(hello):
        kind, length = int.from_bytes(hello[at : at + 2]), int.from_bytes(hello[at + 2 : at + 4])
        if kind == SERVER_NAME:
            return hello[at + 9 : at + 4 + length].decode("ascii", "replace").lower()
        at += 4 + length
    return ""
