# SPDX-License-Identifier: AGPL-3.0-or-later
"""The parts of a message (RFC 2046, 2387): texts, pictures inside, attachments.

What always holds: a message is only as deep as it must be; boundaries are made from what they part,
and begin as no encoded line can (``=_``).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tamizdat.mail import headers as fields
from tamizdat.mail import transfer
from tamizdat.mail.content import File, Laid
from tamizdat.mail.errors import MessageError
from tamizdat.mail.transfer import Marks

_TYPE = re.compile(r"(?!message/|multipart/)[a-z]+/[a-z0-9][a-z0-9!#$&^_.+-]*")
_CID = re.compile(r"[A-Za-z0-9._+@-]+")


class Part(NamedTuple):
    """``head`` are the fields about the content, each with its end of line."""

    head: bytes
    body: bytes


def whole(
    laid: Laid, files: Sequence[tuple[File, bytes]], marks: Marks, *, eight_bit: bool = False
) -> Part:
    """All of it. Raises ``MessageError``."""
    texts = [
        _text(kind, text, marks, eight_bit=eight_bit)
        for kind, text in (("plain", laid.plain), ("html", laid.html))
        if text
    ]
    inside = [_file(file, data) for file, data in files if file.cid]
    attached = [_file(file, data) for file, data in files if not file.cid]
    if not texts:
        raise MessageError("A mail needs a text.")
    made = texts[0] if len(texts) == 1 else _multipart("alternative", texts)
    if inside:
        root = re.match(rb"Content-Type: ([^;]+)", made.head)
        made = _multipart("related", [made, *inside], root=root[1].decode() if root else "")
    return _multipart("mixed", [made, *attached]) if attached else made


def _text(kind: str, value: str, marks: Marks, *, eight_bit: bool) -> Part:
    encoding, body = transfer.text(value, marks, eight_bit=eight_bit)
    head = [
        ("Content-Type", f"text/{kind}; charset=utf-8"),
        ("Content-Transfer-Encoding", encoding),
    ]
    return Part(_fields(head), body)


def _file(file: File, data: bytes) -> Part:
    if not _TYPE.fullmatch(file.media_type):
        raise MessageError("A file in a mail has a type that cannot be put into one.")
    if file.cid and not _CID.fullmatch(file.cid):
        raise MessageError("A picture in a mail has a name (cid) that none may have.")
    name = fields.parameter("filename", file.name) if file.name else ""
    head = [
        ("Content-Type", file.media_type),
        ("Content-Transfer-Encoding", "base64"),
        ("Content-Disposition", f"{'inline' if file.cid else 'attachment'}{name}"),
        *([("Content-ID", f"<{file.cid}>")] if file.cid else []),
    ]
    return Part(_fields(head), transfer.base64_lines(data))


def _multipart(kind: str, members: Sequence[Part], *, root: str = "") -> Part:
    inner = [member.head + b"\r\n" + member.body for member in members]
    boundary = f"=_{hashlib.sha256(kind.encode() + b''.join(inner)).hexdigest()[:32]}"
    about = fields.parameter("type", root) if root else ""
    head = f"multipart/{kind}{about}{fields.parameter('boundary', boundary)}"
    line = f"\r\n--{boundary}".encode()
    body = b"".join(b"%s\r\n%s" % (line, each) for each in inner).removeprefix(b"\r\n")
    return Part(_fields([("Content-Type", head)]), body + line + b"--\r\n")


def _fields(named: Iterable[tuple[str, str]]) -> bytes:
    return b"".join(fields.field(name, value) for name, value in named)
