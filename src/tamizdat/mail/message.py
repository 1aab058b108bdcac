# SPDX-License-Identifier: AGPL-3.0-or-later
"""Messages: made once for an issue and form, then personal by substitution.

::

    template = Template.make(laid, sender="weekly@news.example", sender_name="The Weekly",
                             list_id="weekly.news.example", message_id_domain="news.example",
                             list_unsubscribe=f"https://drop.example/leave/{UNSUBSCRIBE}")
    data = template.personal(to="ada@reader.example", tokens={UNSUBSCRIBE: token},
                             message_id="42-7f", date=now, signer=signer)

What always holds: equal arguments give equal bytes. A message has CRLF ends of lines and none of
more than 998 octets, no line that begins with a dot, and is 7-bit but for an address in another
script (and for bodies where 8bit was asked for). It is as deep as it must be: texts in
``alternative``, those with their pictures in ``related``, all that with attachments in ``mixed``.
No value ends a header: ``MessageError`` refuses it.

What is not done here: laying out, envelopes, who gets what.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime

from tamizdat.mail import headers as fields
from tamizdat.mail import parts, transfer
from tamizdat.mail.addresses import ascii_domain, sendable
from tamizdat.mail.content import PLACEHOLDERS, TOKEN_LENGTH, File, Laid
from tamizdat.mail.dkim import Prepared, Signer
from tamizdat.mail.errors import MessageError
from tamizdat.mail.transfer import Clean, Marks

_TOKEN = re.compile(rf"[A-Za-z0-9_-]{{{TOKEN_LENGTH}}}")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_MESSAGE_ID = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_LIST_ID = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_LINK = re.compile(r"(?:https?://|mailto:)[!-;=?-~]+")
# What make() writes itself: a second one would mislead.
_OURS = frozenset(
    [
        "message-id",
        "date",
        "from",
        "sender",
        "to",
        "cc",
        "bcc",
        "reply-to",
        "subject",
        "list-id",
        "list-unsubscribe",
        "list-unsubscribe-post",
        "precedence",
        "mime-version",
        "dkim-signature",
        "content-type",
        "content-transfer-encoding",
        "content-disposition",
        "return-path",
    ]
)


class Template:
    """A message with places for what differs from reader to reader."""

    def __init__(self, head: bytes, body: bytes, marks: Marks) -> None:
        """``head`` and ``body`` as bytes with marks in them."""
        self._head, self._body, self._marks = head, body, marks
        self._pieces = transfer.MARK.split(head + b"\r\n" + body)
        self._order = [int(number) for number in self._pieces[1::2]]
        self._needed = [name for name in PLACEHOLDERS if name in marks.names()]
        self._prepared: dict[Signer, Prepared] = {}

    @classmethod
    def make(
        cls,
        laid: Laid,
        *,
        sender: str,
        message_id_domain: str,
        sender_name: str = "",
        reply_to: str = "",
        list_id: str = "",
        list_name: str = "",
        list_unsubscribe: str = "",
        list_unsubscribe_mail: str = "",
        headers: Mapping[str, str] | None = None,
        files: Sequence[tuple[File, bytes]] = (),
        eight_bit: bool = False,
    ) -> Template:
        """Make it, once an issue and form.

        ``list_unsubscribe`` is an address with a placeholder in it, ``list_unsubscribe_mail`` a
        mail address or ``mailto:`` with one; with https the former is one-click (RFC 8058).
        ``headers`` are further ones: for ``List-Help``, ``List-Archive``, ``List-Owner`` and their
        like (RFC 2369) the value is an address (https or mailto), for others text. ``files`` with
        a ``cid`` are shown inside, others attached. A mail of a list says ``Precedence: bulk``,
        any other ``Auto-Submitted: auto-generated``, so that no machine answers it.

        Raises ``MessageError``."""
        marks = Marks()
        head = [
            b"Message-ID: <%s@%s>\r\n" % (marks.of("id"), ascii_domain(message_id_domain).encode()),
            b"Date: %s\r\n" % marks.of("date"),
            fields.field("From", fields.mailbox(sender_name, sendable(sender))),
            b"To: %s\r\n" % marks.of("to"),
            *([fields.field("Reply-To", sendable(reply_to))] if reply_to else []),
            fields.unstructured("Subject", laid.subject),
            *_list_fields(list_id, list_name, list_unsubscribe, list_unsubscribe_mail),
            *_more_fields(dict(headers or {}), list_id),
            b"MIME-Version: 1.0\r\n",
        ]
        body = parts.whole(laid, files, marks, eight_bit=eight_bit)
        return cls(transfer.marked(b"".join(head), marks) + body.head, body.body, marks)

    def personal(
        self,
        *,
        to: str,
        message_id: str,
        date: datetime,
        tokens: Mapping[str, str] | None = None,
        signer: Signer | None = None,
    ) -> Clean:
        """The mail for one reader. ``tokens`` gives for each placeholder a token of
        ``TOKEN_LENGTH`` characters; ``message_id`` is what stands before the @. Raises
        ``MessageError``."""
        values = {"to": sendable(to).encode(), "id": _id(message_id), "date": _date(date)}
        for name in self._needed:
            values[name] = _token((tokens or {}).get(name, ""))
        filled = [fill(values) for fill in self._marks.fills]
        pieces = self._pieces.copy()
        pieces[1::2] = [filled[number] for number in self._order]
        if signer:
            pieces[0] = self._prepare(signer).signatures(filled, date) + pieces[0]
        return Clean(b"".join(pieces))

    def _prepare(self, signer: Signer) -> Prepared:
        if signer not in self._prepared:
            self._prepared[signer] = Prepared(signer, self._head, self._body)
        return self._prepared[signer]


def _id(message_id: str) -> bytes:
    if not _MESSAGE_ID.fullmatch(message_id):
        raise MessageError("A Message-ID holds what none may hold.")
    return message_id.encode()


def _token(token: str) -> bytes:
    if not _TOKEN.fullmatch(token):
        raise MessageError(f"A token must have {TOKEN_LENGTH} letters, digits, - and _.")
    return token.encode()


@functools.lru_cache(maxsize=64)
def _date(date: datetime) -> bytes:
    if date.tzinfo is None:
        raise MessageError("The date of a mail needs its time zone.")
    return format_datetime(date.astimezone(UTC)).encode()


def _list_fields(list_id: str, name: str, link: str, mail: str) -> Iterator[bytes]:
    """RFC 2919, 2369 and 8058."""
    if list_id:
        if not _LIST_ID.fullmatch(list_id):
            raise MessageError("A List-Id is made of letters, digits and -, with a dot between.")
        yield fields.field("List-Id", fields.mailbox(name, list_id, always=True))
        yield b"Precedence: bulk\r\n"
    if mail and not mail.startswith("mailto:"):
        mail = f"mailto:{sendable(mail)}"
    ways = [_link(way) for way in (link, mail) if way]
    if ways:
        yield fields.field("List-Unsubscribe", ", ".join(ways))
    if link.startswith("https://"):
        yield b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"


def _more_fields(headers: dict[str, str], list_id: str) -> Iterator[bytes]:
    if not list_id and "auto-submitted" not in map(str.lower, headers):
        headers["Auto-Submitted"] = "auto-generated"
    for name, value in headers.items():
        if name.lower() in _OURS:
            raise MessageError(f"The header {name} is made from what it is to say.")
        if name.lower().startswith("list-"):
            yield fields.field(name, _link(value))
        else:
            yield fields.unstructured(name, value)


def _link(address: str) -> str:
    if not _LINK.fullmatch(address):
        raise MessageError("A List- header needs an address of ASCII letters, https or mailto.")
    return f"<{address}>"
