# SPDX-License-Identifier: AGPL-3.0-or-later
"""Bodies as bytes that every relay takes (RFC 2045), with places that are filled in later.

What always holds:

- Lines end in CRLF, are at most 76 octets (78 in what was plain already, 998 in 8bit) and are
  ASCII unless 8bit was asked for; none begins with a dot or with ``From ``.
- A placeholder of the text becomes one mark, whole: no soft line break divides it, and what fills
  it in base64 has one length. Where base64 groups straddle its ends, the neighbours' bytes are
  encoded with it.
- What is decoded is the text, its ends of lines being CRLF.

A mark is ``NUL number NUL``; no body has a NUL otherwise.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from tamizdat.mail.content import PLACEHOLDERS, TOKEN_LENGTH
from tamizdat.mail.errors import MessageError

_LINE, _BASE64_LINE = 76, 57  # characters; bytes that fill them in base64
_PLACE = re.compile("|".join(re.escape(each) for each in PLACEHOLDERS))
_PLACE_BYTES = re.compile(_PLACE.pattern.encode())
_ENDS = re.compile(r"\r\n|\r|\n")
_PLAIN_LINES = re.compile(rb"(?:(?!From |\.)[\t\x20-\x7e]{0,78}\r\n)*")
_SAFE_LINES = re.compile(rb"(?:(?!From |\.)[^\x00\r\n]{0,900}\r\n)*")
MARK = re.compile(rb"\0(\d+)\0")
Fill = Callable[[dict[str, bytes]], bytes]


class Clean(bytes):
    """A message that goes over SMTP as it is: all ends of lines are CRLF, the last line has one,
    and none begins with a dot. Who makes one answers for that."""

    __slots__ = ()


@dataclass
class Marks:
    """What fills each mark: called with the values of a mail, by name; deals out the marks."""

    fills: list[Fill] = field(default_factory=list)
    _known: dict[object, bytes] = field(default_factory=dict)

    def of(self, name: str) -> bytes:
        """The mark of a value that stands as it is."""
        return self._mark(name, lambda values: values[name])

    def names(self) -> set[str]:
        """Of all values that are needed."""
        return {
            name
            for key in self._known
            for name in (key if isinstance(key, tuple) else (key,))
            if isinstance(name, str)
        }

    def of_base64(self, pieces: tuple[bytes | str, ...]) -> bytes:
        """The mark of a run of bytes (constant) and values (by name), in base64."""

        def fill(values: dict[str, bytes]) -> bytes:
            run = b"".join([p if isinstance(p, bytes) else values[p] for p in pieces])
            if len(run) <= _BASE64_LINE:
                return binascii.b2a_base64(run, newline=False)
            return base64_lines(run).removesuffix(b"\r\n")

        return self._mark(pieces, fill)

    def _mark(self, key: object, fill: Fill) -> bytes:
        if key not in self._known:
            self._known[key] = b"\0%d\0" % len(self.fills)
            self.fills.append(fill)
        return self._known[key]


def text(value: str, marks: Marks, *, eight_bit: bool = False) -> tuple[str, bytes]:
    """The name of the encoding and the body, whichever is the shortest that will do."""
    try:
        raw = _ENDS.sub("\r\n", value).encode()
    except UnicodeEncodeError as error:
        raise MessageError("A text holds half a character.") from error
    raw += b"" if raw.endswith(b"\r\n") else b"\r\n"
    if _PLAIN_LINES.fullmatch(raw):
        return "7bit", marked(raw, marks)
    if eight_bit and _SAFE_LINES.fullmatch(raw):
        return "8bit", marked(raw, marks)
    quoted, coded = quoted_printable(raw, marks), base64_text(raw, marks)
    if len(quoted) <= len(coded):
        return "quoted-printable", quoted
    return "base64", coded


def marked(raw: bytes, marks: Marks) -> bytes:
    """The same with a mark for each placeholder."""
    return _PLACE_BYTES.sub(lambda found: marks.of(found[0].decode()), raw)


def base64_lines(data: bytes) -> bytes:
    """A file's bytes in base64."""
    return base64.encodebytes(data).replace(b"\n", b"\r\n")


def quoted_printable(raw: bytes, marks: Marks) -> bytes:
    lines = list[bytes]()
    for line in raw.removesuffix(b"\r\n").split(b"\r\n"):
        lines += _quoted_line(line, marks)
    return b"\r\n".join(lines) + b"\r\n"


def _quoted_line(line: bytes, marks: Marks) -> list[bytes]:
    """One line of text as lines of at most 76, all but the last ending in a soft break."""
    lines, now, used = list[bytes](), list[bytes](), 0
    atoms = _atoms(line, marks)
    for number, (atom, size) in enumerate(atoms):
        last = number == len(atoms) - 1
        if used + size > _LINE - (not last):
            lines.append(b"".join(now) + b"=")
            now, used = [], 0
        if not now and (atom == b"." or (atom == b"F" and _is_from(atoms[number : number + 5]))):
            atom, size = b"=%02X" % atom[0], 3
        now.append(atom)
        used += size
    return [*lines, b"".join(now)]


def _is_from(atoms: list[tuple[bytes, int]]) -> bool:
    """Some mailboxes keep mails apart by such lines, and change those that others wrote."""
    return b"".join(atom for atom, _ in atoms) == b"From "


_QUOTED = [b"=%02X" % n for n in range(256)]
for _n in (*range(33, 61), *range(62, 127), 32, 9):
    _QUOTED[_n] = bytes([_n])


def _atoms(line: bytes, marks: Marks) -> list[tuple[bytes, int]]:
    """What must stay together, with its length on the line."""
    found, start = list[tuple[bytes, int]](), 0
    for place in _PLACE_BYTES.finditer(line):
        found += ((_QUOTED[b], len(_QUOTED[b])) for b in line[start : place.start()])
        found.append((marks.of(place[0].decode()), TOKEN_LENGTH))
        start = place.end()
    found += ((_QUOTED[b], len(_QUOTED[b])) for b in line[start:])
    if found and found[-1][0] in (b" ", b"\t"):
        found[-1] = (b"=%02X" % found[-1][0][0], 3)
    return found


def base64_text(raw: bytes, marks: Marks) -> bytes:
    """Text in base64. Each run of placeholders stands on a line of its own."""
    lines, start = list[bytes](), 0
    for first, last, names in _runs(raw):
        lines.append(base64_lines(raw[start:first]))
        lines.append(marks.of_base64(_pieces(raw, first, last, names)) + b"\r\n")
        start = last
    lines.append(base64_lines(raw[start:]))
    return b"".join(lines)


def _runs(raw: bytes) -> list[tuple[int, int, list[re.Match[bytes]]]]:
    """From and to where (multiples of three, or the end) the groups of a placeholder reach;
    placeholders that share a group are one run."""
    runs = list[tuple[int, int, list[re.Match[bytes]]]]()
    for place in _PLACE_BYTES.finditer(raw):
        first, last = place.start() // 3 * 3, min(-(-place.end() // 3) * 3, len(raw))
        if runs and first < runs[-1][1]:
            runs[-1] = (runs[-1][0], last, [*runs[-1][2], place])
        else:
            runs.append((first, last, [place]))
    return runs


def _pieces(
    raw: bytes, first: int, last: int, places: list[re.Match[bytes]]
) -> tuple[bytes | str, ...]:
    pieces, at = list[bytes | str](), first
    for place in places:
        pieces += [raw[at : place.start()], place[0].decode()]
        at = place.end()
    return (*pieces, raw[at:last])
