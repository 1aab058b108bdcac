# SPDX-License-Identifier: AGPL-3.0-or-later
"""Cuts a WXR file into its items, in flat memory.

What always holds: bytes come out as UTF-8 without control characters, whatever the encoding was;
an item's end is looked for outside CDATA; an item larger than ``MAX_ITEM`` is passed over, with
its line. What is not done here: parsing an item.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from tamizdat.importers.errors import DamagedError, RefusedError

CHUNK = 1 << 18
MAX_ITEM = 32 << 20
MAX_BROKEN = 20
MAX_HEADER = 32 << 20
_MARK = re.compile(rb"<!\[CDATA\[|<!--|</item\s*>|</channel\s*>")
_START = re.compile(rb"<item(?=[\s>/])")
_XML = re.compile(rb"^\s*(?:\xef\xbb\xbf)?\s*<\?xml[^>]*\?>")
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
_CONTROL = bytes(c for c in range(32) if c not in (9, 10, 13))
_DECLARED = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Raw:
    """An item as it lies in the file. ``line`` counts from 1; ``broken`` says what is wrong."""

    line: int
    xml: bytes
    broken: str = ""


def encoding_of(start: bytes) -> str:
    """The encoding that a byte order mark or the XML declaration names; UTF-8 without either."""
    for mark, name in _BOMS:
        if start.startswith(mark):
            return name
    if start[:4] == b"<\0?\0":
        return "utf-16-le"
    if start[:4] == b"\0<\0?":
        return "utf-16-be"
    found = _DECLARED.search(start[:1000])
    name = found[1].decode() if found else "utf-8"
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "utf-8"


class ItemStream:
    """The header (all before the first item) and then the items of one file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.total = path.stat().st_size
        self.done = 0
        self.header = self._read_header()

    def _read_header(self) -> bytes:
        header = b""
        with self.path.open("rb") as file:
            for chunk in self._decoded(file):
                header += chunk
                if _START.search(_COMMENT.sub(b"", header)) or len(header) > MAX_HEADER:
                    break
        bare = _XML.sub(b"", _COMMENT.sub(b"", header))
        if b"<!DOCTYPE" in bare or b"<!ENTITY" in bare:
            raise RefusedError(
                f"{self.path}: it declares a document type of its own, which no export does. "
                "Delete the <!DOCTYPE …> lines at its start if you trust it"
            )
        if b"<rss" not in bare or b"<channel" not in bare:
            raise DamagedError(
                f"{self.path}: line 1: no <rss><channel> at its start: this is not a WordPress "
                "export (WXR). Export it again with Tools, Export, All content"
            )
        start = _START.search(bare)
        return bare[: start.start()] if start else bare.split(b"</channel")[0]

    def _decoded(self, file: BinaryIO) -> Iterator[bytes]:
        """The file in chunks of UTF-8 without control characters."""
        first = file.read(CHUNK)
        encoding = encoding_of(first)
        decoder = None
        if encoding not in {"utf-8", "ascii"}:
            decoder = codecs.getincrementaldecoder(encoding)("replace")
        while first:
            self.done = file.tell()
            chunk = decoder.decode(first).encode() if decoder else first
            yield chunk.translate(None, _CONTROL)
            first = file.read(CHUNK)

    def __iter__(self) -> Iterator[Raw]:
        self.done = 0
        with self.path.open("rb") as file:
            yield from self._items(_Window(self._decoded(file)))

    def _items(self, window: _Window) -> Iterator[Raw]:
        broken = 0
        while window.seek(_START):
            line = window.line
            end = self._end_of(window)
            if end < 0:
                rest = window.buffer
                why = (
                    f"line {line}: larger than {MAX_ITEM >> 20} MB"
                    if len(rest) >= MAX_ITEM
                    else f"the file breaks off in the item that starts at line {line}"
                )
                broken += 1
                if broken == MAX_BROKEN:
                    yield Raw(line, b"", f"line {line}: broken again and again; the rest is left")
                    return
                yield Raw(line, rest[:2000], why)
                window.drop(len(b"<item"))
                continue
            broken = 0
            inner = _inner(window.buffer[:end])
            if inner:
                why = f"line {line}: it does not end before the next item begins"
                yield Raw(line, window.take(inner), why)
                continue
            yield Raw(line, window.take(end))

    def _end_of(self, window: _Window) -> int:
        """Where the item at the start of the window ends; -1 where it does not."""
        at = 0
        while at <= MAX_ITEM:
            mark = window.find(_MARK, at, MAX_ITEM)
            if mark is None:
                return -1
            if mark[0].startswith(b"</item"):
                return mark.end()
            if mark[0].startswith(b"</channel"):
                return -1
            close = b"]]>" if mark[0].startswith(b"<![") else b"-->"
            stop = window.find(re.compile(re.escape(close)), mark.end(), MAX_ITEM)
            if stop is None:
                return -1
            at = stop.end()
        return -1


def _inner(xml: bytes) -> int:
    """Where another item begins inside this one (a section was never closed); 0 where none does."""
    found = xml.find(b"<item>", 5)
    return found if found > 0 and b"<wp:post_type>" in xml[found:] else 0


class _Window:
    """A part of the stream that grows on demand. ``line`` is that of its first byte."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self.chunks = chunks
        self.buffer = b""
        self.line = 1

    def grow(self) -> bool:
        chunk = next(self.chunks, None)
        if chunk is None:
            return False
        self.buffer += chunk
        return True

    def seek(self, pattern: re.Pattern[bytes]) -> bool:
        """Move on to the pattern, outside comments. Returns whether it was found."""
        while True:
            found = pattern.search(self.buffer)
            comment = self.buffer.find(b"<!--")
            if found and not 0 <= comment < found.start():
                self.drop(found.start())
                return True
            if comment >= 0 and (end := self.buffer.find(b"-->", comment)) >= 0:
                self.drop(end + 3)
                continue
            if comment < 0:
                self.drop(max(0, len(self.buffer) - 16))
            if len(self.buffer) > MAX_ITEM:
                self.drop(4 if comment == 0 else comment)
            if not self.grow():
                return False

    def find(self, pattern: re.Pattern[bytes], at: int, limit: int) -> re.Match[bytes] | None:
        """Find the pattern from ``at`` on, reading on until ``limit`` bytes are held."""
        while True:
            found = pattern.search(self.buffer, at)
            if found and found.end() < len(self.buffer):
                return found
            at = max(at, len(self.buffer) - 16) if not found else at
            if len(self.buffer) > limit or not self.grow():
                return found

    def drop(self, count: int) -> None:
        self.line += self.buffer.count(b"\n", 0, count)
        self.buffer = self.buffer[count:]

    def take(self, count: int) -> bytes:
        taken = self.buffer[:count]
        self.drop(count)
        return taken
