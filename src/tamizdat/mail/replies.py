# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a relay answers, read (RFC 5321, 4.2; RFC 2034).

What always holds: a ``Replies`` never holds more than ``LONGEST`` bytes of what it was fed and
gives nothing that is no reply: ``GarbageError`` says so and nothing is to be read after it.
``said`` gives words without addresses, and without the parts of those it is told to hide.

What is not done here: reading from the network.
"""

from __future__ import annotations

import base64
import re
from html import unescape
from typing import NamedTuple
from urllib.parse import unquote

from tamizdat.mail.errors import GarbageError

LONGEST_LINE, MOST_LINES, LONGEST = 4_096, 128, 65_536
SAID = 300
_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*))?", re.DOTALL)
_ENHANCED = re.compile(rb"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?: |$)", re.MULTILINE)
_CODES = re.compile(r"^[245]\.[0-9]{1,3}\.[0-9]{1,3}(?: |$)", re.MULTILINE)
_ADDRESS = re.compile(r"""[^\s<>()\[\],;:"'`]{0,128}(?:@|\+40)[^\s<>()\[\],;:"'`]{0,255}""")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}")
_CUT = "…"


class Reply(NamedTuple):
    """``text`` is what follows the code, lines parted by LF, undecoded."""

    code: int
    text: bytes

    @property
    def enhanced(self) -> str:
        """``5.1.1`` or empty."""
        found = _ENHANCED.match(self.text)
        return found[1].decode() if found else ""


class Replies:
    """Takes bytes as they come and gives whole replies."""

    def __init__(self) -> None:
        self._waiting = b""
        self._at = 0
        self._code = 0
        self._lines = list[bytes]()

    def feed(self, data: bytes) -> None:
        """More bytes. Raises ``GarbageError``."""
        self._waiting = self._waiting[self._at :] + data
        self._at = 0
        if len(self._waiting) > LONGEST:
            raise GarbageError("The relay says more than any relay has to say.")

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits that was fed."""
        return self._at >= len(self._waiting) and not self._lines

    def next(self) -> Reply | None:
        """The next reply, if it is whole. Raises ``GarbageError``."""
        while (end := self._waiting.find(b"\n", self._at)) >= 0:
            line = self._waiting[self._at : end].removesuffix(b"\r")
            self._at = end + 1
            reply = self._take(line)
            if reply:
                return reply
        if len(self._waiting) - self._at > LONGEST_LINE:
            raise GarbageError("The relay says a line without an end.")
        return None

    def _take(self, line: bytes) -> Reply | None:
        found = _LINE.fullmatch(line) if len(line) <= LONGEST_LINE else None
        if not found or (self._lines and int(found[1]) != self._code):
            raise GarbageError("What the relay says is no SMTP.")
        self._code = int(found[1])
        self._lines.append(found[3] or b"")
        if found[2] == b"-":
            if len(self._lines) >= MOST_LINES:
                raise GarbageError("The relay says an answer without an end.")
            return None
        lines, self._lines = self._lines, []
        return Reply(self._code, b"\n".join(lines))


def said(reply: Reply, *hidden: str) -> str:
    """The words of a reply on one line, without its codes and without addresses. Of ``hidden``
    addresses the parts are cut out too, also where they stand alone."""
    text = _CODES.sub("", reply.text[: 4 * SAID].decode("utf-8", "replace"))
    return without(text, *hidden)


def legible(text: str) -> str:
    """A text in which addresses stand as such, whichever way servers write them: percent signs,
    entities, quoted-printable; what hides one in base64 is cut out."""
    if "%" in text:
        text = unquote(text)
    if "&" in text:
        text = unescape(text)
    if "=40" in text:
        text = text.replace("=40", "@")
    return _BASE64.sub(_unless_address, text)


def _unless_address(found: re.Match[str]) -> str:
    whole = found[0].replace("-", "+").replace("_", "/")
    try:
        raw = base64.b64decode(whole + "=" * (-len(whole) % 4))
    except ValueError:
        return found[0]
    return _CUT if b"@" in raw and raw.isascii() and raw.decode().isprintable() else found[0]


def without(text: str, *hidden: str) -> str:
    """A text without addresses or the parts of those that are hidden, in ``SAID`` characters."""
    text = legible(text)
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if "@" in text or "+40" in text:
        text = _ADDRESS.sub(_CUT, text)
    small = text.lower()
    for part in (part for address in hidden for part in _parts(address)):
        if part in small:
            text = _without_word(text, part)
            small = text.lower()
    return text[:SAID]


def _parts(address: str) -> tuple[str, ...]:
    """What names the owner of an address: the local part, that without a tag, the domain."""
    local, _, domain = address.lower().rpartition("@")
    local = local.strip('"')
    bare = re.split(r"[+=]", local)[0]
    return tuple(part for part in (local, bare, domain) if part)


def _without_word(text: str, word: str) -> str:
    """Cut out a word where it stands by itself, with the names of hosts that end in it."""
    hosts = r"(?:[\w-]+\.)*" if "." in word else ""
    return re.sub(rf"(?<!\w){hosts}{re.escape(word)}(?!\w)", _CUT, text, flags=re.IGNORECASE)
