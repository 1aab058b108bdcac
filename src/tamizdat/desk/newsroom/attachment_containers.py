# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where recordings, films and pictures keep what is not sound or picture, and how it goes.

What always holds: sound and picture are not decoded and stay as they are, byte for byte. In films
nothing moves: what tells is overwritten where it stands.

What is not done here: deciding which files are taken (``attachments``, ``attachment_cleaning``).
"""

from __future__ import annotations

import io
import shutil
import struct
import tempfile
from collections.abc import Iterator
from typing import BinaryIO, cast

from tamizdat.desk.newsroom.errors import FileError

BROKEN = "This file is damaged or ends too early. Ask for it again."
_SOUND = (b"fmt ", b"data", b"fact")
# Parts of an MP4 that hold others, that tell something, and that begin with dates.
_HOLD = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf", b"moof", b"traf")
_TELL = (b"udta", b"meta", b"uuid", b"free", b"skip", b"wide")
_DATED = (b"mvhd", b"tkhd", b"mdhd")
# Elements of Matroska (WebM).
_SEGMENT, _INFO, _CLUSTER = 0x18538067, 0x1549A966, 0x1F43B675
_ELEMENTS_THAT_TELL = (0x1254C367, 0x1941A469)
_INFO_THAT_TELLS = (0x7BA9, 0x4461, 0x4D80, 0x5741, 0x7384, 0x73A4)


def fresh() -> BinaryIO:
    """A new file without a name, which goes when it is closed; the caller closes it."""
    return cast("BinaryIO", tempfile.TemporaryFile())


def bare_jpeg(data: bytes) -> bytes:
    """A JPEG without EXIF, XMP, IPTC, profiles, thumbnails, comments and what follows its end.
    Its pixels are the same; what is no JPEG comes back as it is."""
    if not data.startswith(b"\xff\xd8"):
        return data
    out, at = bytearray(b"\xff\xd8"), 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        kind, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if kind == 0xDA:
            end = data.rfind(b"\xff\xd9")
            return bytes(out) + data[at : end + 2 if end > at else len(data)]
        # Kept: how to decode it, the colours' meaning (0xEE), the plain head (0xE0).
        if not (0xE1 <= kind <= 0xED or kind in (0xEF, 0xFE)):
            out += data[at : at + 2 + length]
        at += 2 + length
    raise FileError(BROKEN)


def bare_wav(file: BinaryIO) -> BinaryIO:
    """Of a WAV only its format and its sound."""
    out = fresh()
    out.write(b"RIFF\0\0\0\0WAVE")
    end = file.seek(0, io.SEEK_END)
    at = 12
    while at + 8 <= end:
        file.seek(at)
        kind, size = struct.unpack("<4sI", file.read(8))
        size = min(size, end - at - 8)
        if kind in _SOUND:
            out.write(kind + struct.pack("<I", size))
            _copy(file, out, size)
            out.write(b"\0" * (size % 2))
        at += 8 + size + size % 2
    length = out.tell()
    out.seek(4)
    out.write(struct.pack("<I", length - 8))
    return out


def bare_flac(file: BinaryIO) -> BinaryIO:
    """Of a FLAC only how to decode it, where to seek, and the sound."""
    out = fresh()
    file.seek(4)
    kept: list[tuple[int, bytes]] = []
    last = False
    while not last:
        head = file.read(4)
        if len(head) < 4:
            raise FileError(BROKEN)
        last = bool(head[0] & 0x80)
        block = file.read(int.from_bytes(head[1:], "big"))
        if head[0] & 0x7F in (0, 3):
            kept.append((head[0] & 0x7F, block))
    out.write(b"fLaC")
    for number, (kind, block) in enumerate(kept, 1):
        out.write(bytes([kind | (0x80 if number == len(kept) else 0)]))
        out.write(len(block).to_bytes(3, "big") + block)
    shutil.copyfileobj(file, out, 1 << 20)
    return out


def blank_boxes(file: BinaryIO) -> None:
    """Overwrite what an MP4 tells beside sound and picture: tags, places, dates."""
    end = file.seek(0, io.SEEK_END)
    for kind, start, body, stop in _boxes(file, 0, end):
        if kind in _TELL:
            file.seek(start + 4)
            file.write(b"free")
            _zero(file, body, stop)
        elif kind in _DATED:
            file.seek(body)
            wide = file.read(1) == b"\1"
            _zero(file, body + 4, min(stop, body + (20 if wide else 12)))
        elif kind == b"hdlr":
            file.seek(body + 8)
            if file.read(4) in (b"meta", b"mdta", b"camm"):
                raise FileError(
                    "This film has a track beside sound and picture, which may tell where it was "
                    "made. Take it out first (ffmpeg -map 0:v -map 0:a -map_metadata -1 -c copy)."
                )
            _zero(file, min(body + 24, stop), stop)


def _boxes(file: BinaryIO, at: int, end: int) -> Iterator[tuple[bytes, int, int, int]]:
    """Kind, start, start of the body and end of each box, those inside of others too. What a box
    that tells holds inside is not looked into: it goes as a whole."""
    while at + 8 <= end:
        file.seek(at)
        size, kind = struct.unpack(">I4s", file.read(8))
        body = at + 8
        if size == 1:
            size, body = int.from_bytes(file.read(8), "big"), at + 16
        stop = at + size if size else end
        if stop > end or stop < body:
            raise FileError(BROKEN)
        yield kind, at, body, stop
        if kind in _HOLD:
            yield from _boxes(file, body, stop)
        at = stop


def blank_ebml(file: BinaryIO) -> None:
    """Overwrite what a WebM tells beside sound and picture: tags, attached files, programs."""
    end = file.seek(0, io.SEEK_END)
    for kind, _, body, stop in _elements(file, 0, end):
        if kind != _SEGMENT:
            continue
        for inner, start, inside, last in _elements(file, body, stop):
            if inner in _ELEMENTS_THAT_TELL and last - start >= 9:
                file.seek(start)
                file.write(b"\xec\x01" + (last - start - 9).to_bytes(7, "big"))
                _zero(file, start + 9, last)
            elif inner == _INFO:
                for detail, _, text, over in _elements(file, inside, last):
                    if detail in _INFO_THAT_TELLS:
                        _zero(file, text, over)


def _elements(file: BinaryIO, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Kind, start, start of the body and end of each element; one without a length goes on to the
    end of what holds it."""
    while at < end:
        file.seek(at)
        head = file.read(12)
        kind, length = _number(head, keep=True)
        size, more = _number(head[length:], keep=False)
        body = at + length + more
        unknown = size == (1 << (7 * more)) - 1
        stop = end if unknown else body + size
        if stop > end:
            raise FileError(BROKEN)
        yield kind, at, body, stop
        at = stop


def _number(data: bytes, *, keep: bool) -> tuple[int, int]:
    """One of EBML's numbers and how many bytes it took; ``keep`` leaves its mark in."""
    if not data or not data[0]:
        raise FileError(BROKEN)
    length = 9 - data[0].bit_length()
    if len(data) < length:
        raise FileError(BROKEN)
    value = int.from_bytes(data[:length], "big")
    return (value if keep else value & ((1 << (7 * length)) - 1)), length


def _zero(file: BinaryIO, start: int, stop: int) -> None:
    file.seek(start)
    while start < stop:
        start += file.write(b"\0" * min(stop - start, 1 << 20))


def _copy(source: BinaryIO, target: BinaryIO, size: int) -> None:
    while size > 0:
        piece = source.read(min(size, 1 << 20))
        if not piece:
            raise FileError(BROKEN)
        target.write(piece)
        size -= len(piece)
