# SPDX-License-Identifier: AGPL-3.0-or-later
"""A mail made ready for the wire, or refused before it gets there.

What always holds: no command holds a line of its own; the content has CRLF ends of lines only, its
dots are stuffed, and it ends with the only final dot: what two relays could read as two mails goes
to none.
"""

from __future__ import annotations

from collections.abc import Hashable

import msgspec

from tamizdat.mail.addresses import sendable
from tamizdat.mail.errors import MailError
from tamizdat.mail.smtp.outgoing import At, Outcome, Outgoing
from tamizdat.mail.smtp.session import Features
from tamizdat.mail.transfer import Clean


class Ready(msgspec.Struct, frozen=True, gc=False):
    """``mail``, ``rcpt``: the commands with their ends of lines; ``content`` with its final dot."""

    key: Hashable
    mail: bytes
    rcpt: bytes
    content: bytes
    hidden: tuple[str, ...]  # Addresses that no words may name.


def ready(mail: Outgoing, features: Features) -> Ready | Outcome:
    """Make it ready for a relay with such features, or say why that cannot be."""
    at: At = "sender"
    try:
        sender = sendable(mail.sender) if mail.sender else ""
        at = "recipient"
        recipient = sendable(mail.recipient)
        at = "content"
        data = mail.data if isinstance(mail.data, bytes) else mail.data()
    except MailError as error:
        return Outcome(mail.key, "refused", said=str(error), at=at)
    content = data + b".\r\n" if type(data) is Clean else _with_dots(data)
    if content is None:
        return _refused(mail, "5.6.0", "The mail has ends of lines that relays read differently.")
    command, problem = _command(sender, recipient, data, features)
    if problem:
        return _refused(mail, *problem)
    rcpt = f"RCPT TO:<{recipient}>\r\n".encode()
    return Ready(mail.key, command, rcpt, content, (mail.recipient, recipient))


def _refused(mail: Outgoing, enhanced: str, words: str, at: At = "content") -> Outcome:
    return Outcome(mail.key, "refused", 0, enhanced, words, at)


def _command(
    sender: str, recipient: str, data: bytes, features: Features
) -> tuple[bytes, tuple[str, str, At] | None]:
    """The MAIL command, or why there can be none."""
    command = f"MAIL FROM:<{sender}>"
    if features.announces_size:
        if 0 < features.size < len(data):
            return b"", ("5.3.4", "The mail is larger than the relay takes.", "content")
        command = f"{command} SIZE={len(data)}"
    if not data.isascii():
        if not features.eight_bit:
            return b"", ("5.6.3", "The relay takes no mail in 8 bits.", "content")
        command = f"{command} BODY=8BITMIME"
    if not (sender.isascii() and recipient.isascii()):
        if not features.utf8:
            words = "The relay takes no addresses in other letters than a to z."
            return b"", ("5.6.7", words, "recipient")
        command = f"{command} SMTPUTF8"
    return f"{command}\r\n".encode(), None


def _with_dots(data: bytes) -> bytes | None:
    """The content as it goes over the wire, or nothing where its ends of lines are not CRLF."""
    if not data.endswith(b"\r\n"):
        data += b"\r\n"
    if not data.count(b"\r\n") == data.count(b"\n") == data.count(b"\r"):
        return None
    if data.startswith(b"."):
        data = b"." + data
    return data.replace(b"\r\n.", b"\r\n..") + b".\r\n"
