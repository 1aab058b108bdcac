# SPDX-License-Identifier: AGPL-3.0-or-later
"""Templates and what is read of the mails made from them, by the standard library."""

from __future__ import annotations

import datetime
import email
import email.policy
from email.message import EmailMessage
from typing import Any

from tamizdat.mail.content import PREFERENCES, UNSUBSCRIBE, Laid
from tamizdat.mail.message import Template

NOW = datetime.datetime(2026, 11, 20, 7, 30, tzinfo=datetime.UTC)
TOKENS = {UNSUBSCRIBE: "u-_" + "U" * 37, PREFERENCES: "p" * 39 + "_"}


def template(
    subject: str = "News", plain: str = "plain", html: str = "<p>html", **more: Any
) -> Template:
    laid = Laid(subject=subject, html=html, plain=plain)
    given = {"sender": "weekly@news.example", "message_id_domain": "news.example", **more}
    return Template.make(laid, **given)


def personal(made: Template, to: str = "ada@reader.example", **more: Any) -> bytes:
    return made.personal(**{"to": to, "message_id": "7-1", "date": NOW, "tokens": TOKENS, **more})


def read(data: bytes) -> EmailMessage:
    """As a strict program reads it: nothing in it is wrong."""
    found = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    for part in found.walk():
        assert part.defects == []
        assert all(not getattr(part[name], "defects", ()) for name in part)
    return found


def whole(data: bytes) -> None:
    """What holds of every mail, as bytes."""
    assert data.count(b"\r\n") == data.count(b"\n") == data.count(b"\r")
    assert data.endswith(b"\r\n")
    lines = data.split(b"\r\n")
    assert max(map(len, lines)) <= 998
    assert not any(line.startswith((b".", b"From ")) for line in lines)
    assert b"\0" not in data


def filled(text: str) -> str:
    """A text as a reader's mail has it."""
    for place, token in TOKENS.items():
        text = text.replace(place, token)
    return text


def texts(message: EmailMessage) -> dict[str, str]:
    """The texts of a mail by their type, with ends of lines as they came."""
    found = {}
    for part in message.walk():
        if part.get_content_maintype() == "text" and not part.is_attachment():
            raw = part.get_payload(decode=True)
            assert isinstance(raw, bytes)
            found[part.get_content_type()] = raw.decode()
    return found
