# SPDX-License-Identifier: AGPL-3.0-or-later
"""Header fields as bytes (RFC 5322, 2047, 2231).

What always holds: a field is ASCII, ends in CRLF, is folded at 76 characters where its text allows
and never has a line of more than 998 octets; no value brings a line or a NUL of its own. What a
conforming program reads is what was written.

What is not done here: which fields a mail has (``message``).
"""

from __future__ import annotations

import base64
import re

from tamizdat.mail.errors import MessageError

CRLF = "\r\n"
_WIDTH, _WORD = 76, 75
_NAME = re.compile(r"[!-9;-~]+")
_FORBIDDEN = re.compile(r"[\x00\r\n\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SAFE_TEXT = re.compile(r"[!-~]+(?: [!-~]+)*")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_TOKEN = re.compile(r"[A-Za-z0-9!#$&+.^_`{|}~-]+")
_LITERAL = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!*+-/")
_ATTRIBUTE = frozenset(
    b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$&+-.^_`{|}~"
)


def field(name: str, value: str) -> bytes:
    """One field of which the value is in its final form; folded at its spaces."""
    if not _NAME.fullmatch(name):
        raise MessageError("A header has a name that no mail may have.")
    if not value.isascii():
        raise MessageError(f"{name} can hold ASCII only: write an address of ours in a to z.")
    return f"{fold(f'{name}: {refuse_lines(value)}')}{CRLF}".encode("ascii")


def unstructured(name: str, value: str) -> bytes:
    """One field of free text, such as the subject; in encoded words where it is more than plain
    ASCII. Raises ``MessageError``."""
    refuse_lines(value)
    plain = _SAFE_TEXT.fullmatch(value) and "=?" not in value
    if plain and all(len(word) < _WORD for word in value.split(" ")):
        return field(name, value)
    if not value:
        return f"{name}:{CRLF}".encode("ascii")
    return field(name, encoded_words(value, first=len(name) + 2))


def mailbox(name: str, address: str, *, always: bool = False) -> str:
    """``Name <address>`` for From and its like; the address is taken as it is, in ``<>`` also
    where there is no name and ``always`` is set. Of several blanks in a name one is left."""
    name = " ".join(_refuse_controls(name).split())
    if not name:
        return f"<{address}>" if always else address
    if _ATOMS.fullmatch(name) and "=?" not in name and len(name) < _WORD:
        return f"{name} <{address}>"
    if _SAFE_TEXT.fullmatch(name) and "=?" not in name and len(name) < _WORD:
        quoted = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}" <{address}>'
    return f"{encoded_words(name, first=8)} <{address}>"


def refuse_lines(value: str) -> str:
    """The value, if it can stand in a header at all. Raises ``MessageError``."""
    if _FORBIDDEN.search(value):
        raise MessageError("A header would hold a line of its own, a NUL or half a character.")
    return value


def _refuse_controls(value: str) -> str:
    """For names: no program shows them, some stumble."""
    if _CONTROL.search(value):
        raise MessageError("A name in a header holds a control character.")
    return refuse_lines(value)


def fold(line: str) -> str:
    """Break a field at spaces so that lines stay within 76 characters where they can."""
    lines, now = list[str](), ""
    for number, word in enumerate(line.split(" ")):
        if number > 1 and len(now) + 1 + len(word) > _WIDTH and word:
            lines.append(now)
            now = f" {word}"
        else:
            now = f"{now} {word}" if number else word
    lines.append(now)
    if any(len(one) > 998 for one in lines):
        raise MessageError("A header is too long for any mail.")
    return CRLF.join(lines)


def encoded_words(text: str, *, first: int = 0) -> str:
    """Text as encoded words, in whichever encoding is shorter; no character is split. ``first`` is
    what stands before it on its line."""
    q, b = len(_q(text)), 4 * ((len(text.encode()) + 2) // 3)
    letter, size = ("Q", lambda t: len(_q(t))) if q <= b else ("B", _b_size)
    words, now, room = list[str](), "", _WORD - 12 - first
    for character in text:
        if now and size(now + character) > room:
            words.append(now)
            now, room = "", _WORD - 13
        now += character
    words.append(now)
    code = _q if letter == "Q" else lambda t: base64.b64encode(t.encode()).decode()
    return " ".join(f"=?utf-8?{letter}?{code(word)}?=" for word in words)


def _b_size(text: str) -> int:
    return 4 * ((len(text.encode()) + 2) // 3)


def _q(text: str) -> str:
    """The Q encoding, as narrow as a name in an address needs it (RFC 2047, 5 (3))."""
    return "".join(
        chr(byte) if byte in _LITERAL else "_" if byte == 0x20 else f"={byte:02X}"
        for byte in text.encode()
    )


def parameter(name: str, value: str) -> str:
    """A parameter of Content-Type and its like: ``; name=value``, each piece after a space, so that
    it may be folded. Other than plain ASCII by RFC 2231, in numbered pieces where it is long."""
    _refuse_controls(value)
    if _TOKEN.fullmatch(value) and len(value) < 60:
        return f"; {name}={value}"
    if _SAFE_TEXT.fullmatch(value) and len(value) < 60 and "=?" not in value:
        quoted = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'; {name}="{quoted}"'
    # Some programs decode each piece by itself: none ends within a character.
    pieces = [
        "".join(chr(b) if b in _ATTRIBUTE else f"%{b:02X}" for b in character.encode())
        for character in value
    ]
    lines, now = list[str](), ""
    for piece in pieces:
        if len(now) + len(piece) > 50:
            lines.append(now)
            now = ""
        now += piece
    lines.append(now)
    if len(lines) == 1:
        return f"; {name}*=utf-8''{now}"
    return "".join(
        f"; {name}*{number}*={'' if number else chr(39).join(('utf-8', '', ''))}{line}"
        for number, line in enumerate(lines)
    )
