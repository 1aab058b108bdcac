# SPDX-License-Identifier: AGPL-3.0-or-later
"""The mails of the demo's outbox, to be read on the desk.

What always holds: a mail is found by the name of its file alone, which leads to nothing else; a
mail's HTML is shown as a page whose policy lets nothing run and fetches nothing.
"""

from __future__ import annotations

import base64
import email.policy
import re
from datetime import datetime
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import NamedTuple

from tamizdat.config import Newsroom
from tamizdat.desk.outgoing.relay_outbox import folder_of

NAME = re.compile(r"[0-9]{20}-[0-9a-f]{8}")
SHOWN = 200
HEAD = 4_096
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
_FIELDS = ("To", "Subject", "From")


class Line(NamedTuple):
    """A mail in the list."""

    name: str
    to: str
    subject: str
    sender: str
    when: datetime


class Opened(NamedTuple):
    """A mail, whole. ``html`` is empty where it has none."""

    line: Line
    fields: list[tuple[str, str]]
    plain: str
    html: str


def newest(newsroom: Newsroom, address: str = "") -> tuple[list[Line], int]:
    """The newest mails, those to ``address`` (or a part of it) where it is given; how many there
    are in all."""
    wanted = address.strip().lower()
    paths = sorted(folder_of(newsroom).glob("*.eml"), reverse=True)
    found: list[Line] = []
    for path in paths:
        line = _line(path.stem, _head(path))
        if wanted in line.to.lower():
            found.append(line)
        if len(found) == SHOWN:
            break
    return found, len(paths)


def opened(newsroom: Newsroom, name: str) -> Opened | None:
    """One of them; None where there is none of that name."""
    path = folder_of(newsroom) / f"{name}.eml"
    if not NAME.fullmatch(name) or not path.is_file():
        return None
    message = _parsed(path.read_bytes())
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    return Opened(
        _line(name, message),
        [(field, str(value)) for field, value in message.items()],
        str(plain.get_content()) if plain else "",
        _page(message, str(html.get_content())) if html else "",
    )


def _parsed(data: bytes) -> EmailMessage:
    return BytesParser(EmailMessage, policy=email.policy.default).parsebytes(data)


def _head(path: Path) -> EmailMessage:
    with path.open("rb") as file:
        return _parsed(file.read(HEAD).partition(b"\r\n\r\n")[0] + b"\r\n\r\n")


def _line(name: str, message: EmailMessage) -> Line:
    to, subject, sender = (str(message[field] or "") for field in _FIELDS)
    when = datetime.fromtimestamp(int(name[:20]) / 1e9).astimezone()
    return Line(name, to, subject, sender, when)


def _page(message: EmailMessage, html: str) -> str:
    """The HTML with the pictures that travel along as data, its links to open beside the desk."""
    for part in message.walk():
        cid = str(part["Content-ID"] or "").strip("<> ")
        if cid and part.get_content_maintype() == "image":
            data = part.get_payload(decode=True)
            if isinstance(data, bytes):
                inline = f"data:{part.get_content_type()};base64,{base64.b64encode(data).decode()}"
                html = html.replace(f"cid:{cid}", inline)
    return html.replace("<head>", '<head><base target="_blank">', 1)
