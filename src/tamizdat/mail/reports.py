# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reads what comes back: failures, complaints, delays, replies of machines.

::

    report = read(data, recipient="bounces+TOKEN@news.example")
    report.kind, report.tokens, report.code      # Kind.HARD, ("TOKEN",), "5.1.1"

Sources: RFC 3464 (delivery status), RFC 5965 (feedback), RFC 3834 (automatic answers), RFC 8098
(receipts), and the shapes of servers that follow none (flufl.bounce).

What always holds:

- Whatever the bytes are, ``read`` returns a ``Report``, and soon: at most ``MOST`` bytes and
  ``PARTS`` announcements of parts are looked at, in lines of ``LINE`` at most.
- Whom a report is about is told by tokens alone (in the envelope's recipient, or in what is quoted
  of our mail), which the caller proves; never by an address that stands in it: anybody can write
  one there.
- ``said`` names no address.

What is not done here: proving tokens, acting, answering. A report is never answered.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesParser

import msgspec
from flufl.bounce import all_failures

from tamizdat.mail.content import TOKEN_LENGTH
from tamizdat.mail.replies import legible
from tamizdat.mail.verdicts import Kind, judge, status_in
from tamizdat.mail.verp import unverp

__all__ = ["Kind", "Report", "read", "without_addresses"]

MOST = 262_144
PARTS = 40
EDGES = 400
LINE = 2_000
TEXT = 16_384
SAID = 300

# It logs what a hostile mail makes it raise, words of the mail among them.
logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL + 1)

_LINK = re.compile(rf"/([A-Za-z0-9_-]{{{TOKEN_LENGTH}}})(?![A-Za-z0-9_-])")
_LEAVE = re.compile(r"^List-Unsubscribe:[^\n]*(?:\n[ \t][^\n]*){0,8}", re.I | re.M)
_PART = re.compile(rb"content-type[ \t]*:\s*[\"']?(?:multipart|message)", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"'`=]{0,100}@[^\s<>()\[\],;:\"'`]{0,255}")
_OURS = re.compile(
    r"^[> \t]{0,4}Message-ID:\s{0,4}<([^<>\s]{3,250})>", re.IGNORECASE | re.MULTILINE
)
_ENVELOPE = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To")
_QUOTED = re.compile(
    r"\n-{2,}[^\n]{0,80}(?:copy of|original) (?:the |your )?message", re.IGNORECASE
)
_COPIES = ("message/rfc822", "text/rfc822-headers", "message/rfc822-headers")
_RECIPIENTS = ("Final-Recipient", "Original-Recipient", "X-Actual-Recipient")
_BLANK = re.compile(r"\s+")
_AWAY = re.compile(
    r"out of (?:the )?office|auto(?:matic)?[- ]?(?:reply|response)|on vacation"
    r"|автоответ|автоматический ответ|в отпуске",
    re.IGNORECASE,
)
_DAEMON = re.compile(r"mailer-?daemon|postmaster|mail delivery|mdaemon", re.IGNORECASE)


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """``tokens`` are candidates, that of the envelope's recipient first. ``message_id`` is that
    of our mail, without angle brackets. ``code`` is its status (RFC 3463, else three digits),
    ``said`` at most ``SAID`` characters. ``why`` tells of an unknown one what is wrong with it."""

    kind: Kind
    tokens: tuple[str, ...] = ()
    message_id: str = ""
    code: str = ""
    said: str = ""
    why: str = ""


class _Verdict(msgspec.Struct, frozen=True):
    kind: Kind
    code: str = ""
    said: str = ""


def read(data: bytes, *, recipient: str = "") -> Report:
    """What this mail, which came for the envelope's ``recipient``, reports."""
    cut = _bounded(data)
    if len(_PART.findall(cut)) > PARTS or cut.count(b"\n--") > EDGES:
        return _unknown("it has too many parts", recipient)
    try:
        return _read(BytesParser().parsebytes(cut), recipient)
    except Exception as error:
        # Both parsers raise whatever a hostile message makes them; here nothing else can happen.
        return _unknown(f"it cannot be parsed ({type(error).__name__})", recipient)


def without_addresses(text: str, names: Iterable[str] = (), most: int = SAID) -> str:
    """A line of a server's words in which addresses, and the ``names`` before the @ that somebody
    goes by, are replaced by three dots."""
    plain = _BLANK.sub(" ", legible(text[: most * 8])).strip()
    plain = "".join(c for c in plain if c.isprintable())
    plain = _ADDRESS.sub("…", plain)
    for name in names:
        plain = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "…", plain, flags=re.IGNORECASE)
    return plain[:most]


def _unknown(why: str, recipient: str) -> Report:
    return Report(kind=Kind.UNKNOWN, tokens=tuple(unverp(recipient))[:8], why=why)


def _bounded(data: bytes) -> bytes:
    lines = data[:MOST].replace(b"\0", b"").splitlines()
    return b"\n".join(line[:LINE] for line in lines)


def _read(message: Message, recipient: str) -> Report:
    parts = list(message.walk())
    verdict = _verdict(message, parts)
    tokens = dict.fromkeys(_tokens(message, parts, recipient))
    return Report(
        kind=verdict.kind,
        tokens=tuple(tokens)[:8],
        message_id=_our_id(message, parts),
        code=verdict.code,
        said=without_addresses(verdict.said, _names(message, parts)),
        why="" if verdict.kind != Kind.UNKNOWN else "it is no report that is understood",
    )


def _verdict(message: Message, parts: list[Message]) -> _Verdict:
    for part in parts:
        reader = _STANDARD.get(part.get_content_type())
        if reader is not None and (found := reader(part)) is not None:
            return found
    if _is_automatic(message):
        return _Verdict(Kind.AUTO)
    return _heuristic(message, parts)


# The standards


def _status_report(part: Message) -> _Verdict | None:
    """RFC 3464: a failed recipient weighs more than a delayed one."""
    blocks = part.get_payload()
    if not isinstance(blocks, list):
        return None
    found = [v for block in blocks if isinstance(block, Message) and (v := _of_block(block))]
    order = (Kind.HARD, Kind.POLICY, Kind.SOFT, Kind.DELAYED, Kind.AUTO)
    return min(found, key=lambda verdict: order.index(verdict.kind), default=None)


def _of_block(block: Message) -> _Verdict | None:
    action = _field(block, "Action").lower()
    said = _field(block, "Diagnostic-Code")
    code = status_in(_field(block, "Status"))
    if code.endswith(".0.0"):
        code = status_in(said) or code
    if action.startswith("delay"):
        return _Verdict(Kind.DELAYED, code, said)
    if action.startswith(("fail", "error")):
        return _Verdict(judge(code, said), code, said)
    return _Verdict(Kind.AUTO, code, said) if action else None


def _feedback(part: Message) -> _Verdict:
    """RFC 5965. ``not-spam`` takes a complaint back, reports on signatures are about us."""
    fields = part.get_payload(0) if part.is_multipart() else part
    text = _text(part) if not part.is_multipart() else ""
    sort = _field(fields, "Feedback-Type") if isinstance(fields, Message) else ""
    if not sort and (found := re.search(r"^Feedback-Type:\s*(\S{1,40})", text, re.I | re.M)):
        sort = found[1]
    about_us = sort.lower() in ("not-spam", "auth-failure")
    return _Verdict(Kind.AUTO if about_us else Kind.COMPLAINT, "", f"complaint: {sort or 'abuse'}")


def _receipt(part: Message) -> _Verdict:
    return _Verdict(Kind.AUTO)


_STANDARD = {
    "message/feedback-report": _feedback,
    "message/delivery-status": _status_report,
    "message/global-delivery-status": _status_report,
    "message/disposition-notification": _receipt,
}


def _is_automatic(message: Message) -> bool:
    """RFC 3834, and its predecessors. Reports of failures say the same of themselves, but come
    from the machine that failed and reply to nobody."""
    if message.get("X-Failed-Recipients") or _DAEMON.search(_field(message, "From")):
        return False
    submitted = _field(message, "Auto-Submitted").lower()
    old = any(name in message for name in ("X-Autoreply", "X-Autorespond", "X-Autoresponse"))
    precedence = _field(message, "Precedence").lower() == "auto_reply"
    answer = submitted.startswith(("auto-replied", "auto-generated"))
    return answer or old or precedence or bool(_AWAY.search(_subject(message)))


def _subject(message: Message) -> str:
    """The subject as people see it, also where it stands in raw UTF-8."""
    raw = next((str(v) for n, v in message.raw_items() if n.lower() == "subject"), "")[:LINE]
    text = raw.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return str(make_header(decode_header(text)))


# The others


def _heuristic(message: Message, parts: list[Message]) -> _Verdict:
    temporary, permanent = all_failures(message)
    failed = bool(permanent) or bool(message.get("X-Failed-Recipients"))
    text = _told(parts)
    if not failed and not temporary:
        return _Verdict(Kind.UNKNOWN, "", "")
    said = _reason(text)
    code = status_in(said)
    return _Verdict(judge(code, said) if failed else Kind.DELAYED, code, said)


def _told(parts: list[Message]) -> str:
    """The words of the report itself, not of what it quotes."""
    for part in parts:
        if part.get_content_type() in ("text/plain", "text/html"):
            text = re.sub(r"<[/a-zA-Z][^<>@]{0,500}>", " ", _text(part))
            return _QUOTED.split(text, maxsplit=1)[0]
    return ""


def _reason(text: str) -> str:
    """The line that holds the status, with the one after; else the beginning."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for number, line in enumerate(lines):
        if status_in(line):
            return " ".join(lines[max(number - 1, 0) : number + 2])
    return " ".join(lines[:8])


# Whom it is about


def _tokens(message: Message, parts: list[Message], recipient: str) -> Iterator[str]:
    yield from unverp(recipient)
    for name in _ENVELOPE:
        for value in message.get_all(name, []):
            yield from unverp(str(value)[:LINE])
    for part in parts:
        kind = part.get_content_type()
        if kind in ("message/feedback-report", "message/delivery-status"):
            yield from unverp(_text_of_fields(part))
        elif kind in _COPIES:
            quoted = _text_of_fields(part)
            yield from unverp(quoted)
            for line in _LEAVE.findall(quoted):
                yield from _LINK.findall(line)


def _names(message: Message, parts: list[Message]) -> list[str]:
    """What stands before the @ of those whom it names as not reached: servers repeat it alone."""
    texts = [_field(message, "X-Failed-Recipients")]
    for part in parts:
        if part.get_content_type().endswith("delivery-status") and part.is_multipart():
            blocks = [b for b in part.get_payload() if isinstance(b, Message)]
            texts += [_field(b, name) for b in blocks[:8] for name in _RECIPIENTS]
    found = [name for text in texts for name in re.findall(r"([^\s<>;,@]{2,64})@", text)]
    return sorted(set(found), key=len, reverse=True)[:8]


def _our_id(message: Message, parts: list[Message]) -> str:
    for part in parts[1:]:
        quoted = part.get_content_type() in _COPIES
        if quoted and (found := _OURS.search(_text_of_fields(part))):
            return found[1]
    if found := re.search(r"<([^<>\s]{3,250})>", _field(message, "In-Reply-To")):
        return found[1]
    texts = (_text(part) for part in parts if part.get_content_type() == "text/plain")
    return next((found[1] for text in texts if (found := _OURS.search(text))), "")


def _text_of_fields(part: Message) -> str:
    """The fields of what is inside a ``message/…`` part, as text of a bounded length."""
    inner = part.get_payload()
    messages = inner if isinstance(inner, list) else []
    if not messages:
        return _text(part)
    lines = [f"{n}: {v}" for m in messages if isinstance(m, Message) for n, v in m.items()]
    return "\n".join(lines)[:TEXT]


def _text(part: Message) -> str:
    data = part.get_payload(decode=True)
    return data[:TEXT].decode("utf-8", "replace") if isinstance(data, bytes) else ""


def _field(message: Message, name: str) -> str:
    return _BLANK.sub(" ", str(message.get(name, ""))[:LINE]).strip()
