# SPDX-License-Identifier: AGPL-3.0-or-later
"""Recordings, films and documents on their way in: what they are, read from their bytes.

What always holds: only the kinds listed here are taken; nothing that a browser would run (HTML,
SVG, script) is; a film or recording that tells where it was made is refused.

What is not done here: taking metadata out (``attachment_cleaning``).
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable
from typing import Any, BinaryIO

from tamizdat.desk.newsroom.errors import FileError

MAX_BYTES = 500_000_000
_OFFICE = "application/vnd.openxmlformats-officedocument"
_HEADS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "application/pdf"),
    (b"ID3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
)
_PLACES = (b"\xa9xyz", b"com.apple.quicktime.location", b"loci")


def sniff(file: BinaryIO, name: str) -> str:
    """The media type of a file by its bytes. Raises ``FileError`` that says what to do."""
    file.seek(0)
    head = file.read(4096)
    for probe in (_by_head, _mpeg_audio, _riff, _iso_media, _matroska):
        found = probe(head)
        if found:
            if found.endswith("/mp4"):
                _refuse_places(file)
            return found
    found = _zipped(file) if head.startswith(b"PK\x03\x04") else _plain_text(head, name)
    if not found:
        raise FileError(
            "We cannot take this kind of file. Recordings: MP3, M4A, Ogg, WAV, FLAC. Films: MP4, "
            "WebM. Documents: PDF, DOCX, XLSX, ODT, ODS, TXT, CSV."
        )
    return found


def sha256_of(file: Any) -> str:
    file.seek(0)
    digest = hashlib.sha256()
    while piece := file.read(1 << 20):
        digest.update(piece)
    return digest.hexdigest()


def _by_head(head: bytes) -> str:
    return next((kind for start, kind in _HEADS if head.startswith(start)), "")


def _mpeg_audio(head: bytes) -> str:
    frame = len(head) > 2 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2 and head[2] < 0xF0
    return "audio/mpeg" if frame else ""


def _riff(head: bytes) -> str:
    return "audio/wav" if head.startswith(b"RIFF") and head[8:12] == b"WAVE" else ""


def _iso_media(head: bytes) -> str:
    if head[4:8] != b"ftyp":
        return ""
    if head[8:12] in (b"M4A ", b"M4B "):
        return "audio/mp4"
    known = (b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ")
    return "video/mp4" if head[8:12] in known else ""


def _matroska(head: bytes) -> str:
    return "video/webm" if head.startswith(b"\x1aE\xdf\xa3") and b"webm" in head[:64] else ""


def _zipped(file: BinaryIO) -> str:
    """Office documents are archives with a known part in them."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = set(archive.namelist()[:5000])
            if "mimetype" in names:
                with archive.open("mimetype") as part:
                    kind = part.read(100).decode("ascii", "replace").strip()
                known = ("text", "spreadsheet")
                full = {f"application/vnd.oasis.opendocument.{k}" for k in known}
                return kind if kind in full else ""
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError, RuntimeError):
        return ""
    if any(name.endswith("vbaProject.bin") for name in names):
        return ""
    if "word/document.xml" in names:
        return f"{_OFFICE}.wordprocessingml.document"
    return f"{_OFFICE}.spreadsheetml.sheet" if "xl/workbook.xml" in names else ""


def _plain_text(head: bytes, name: str) -> str:
    extension = name.rpartition(".")[2].lower()
    kinds = {"txt": "text/plain", "csv": "text/csv"}
    if extension not in kinds or b"\0" in head or b"<" in head.lstrip()[:1]:
        return ""
    try:
        head[:4000].decode("utf-8", "ignore" if len(head) == 4096 else "strict")
    except UnicodeDecodeError:
        return ""
    return kinds[extension]


def _refuse_places(file: BinaryIO) -> None:
    """Phones write into a film where it was made; readers would get that too."""
    for kind, read in _boxes(file):
        if kind == b"moov" and any(mark in read() for mark in _PLACES):
            raise FileError(
                "This file tells where it was recorded. Take the place out first (most phones: "
                "share it without location; or: ffmpeg -map_metadata -1 -c copy) and try again."
            )


def _boxes(file: BinaryIO) -> list[tuple[bytes, Callable[[], bytes]]]:
    """The outermost boxes of an ISO media file, each with a way to read (some of) it."""
    found: list[tuple[bytes, Callable[[], bytes]]] = []
    end = file.seek(0, io.SEEK_END)
    at = 0
    while at + 8 <= end and len(found) < 1000:
        file.seek(at)
        head = file.read(16)
        size = int.from_bytes(head[:4], "big")
        size = int.from_bytes(head[8:16], "big") if size == 1 else size or end - at

        def read(start: int = at, length: int = min(size, 64_000_000)) -> bytes:
            file.seek(start)
            return file.read(length)

        found.append((head[4:8], read))
        at += max(size, 8)
    return found
