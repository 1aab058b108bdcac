# SPDX-License-Identifier: AGPL-3.0-or-later
"""Looks for secrets in whatever somebody carried away, in every dress they may wear.

What always holds: a secret that lies in bytes in one of ``forms`` is found, wherever it starts,
in files, in what files hold compressed, in databases and in memory. ``test_search`` plants each.

A canary is made of a mark that nothing else has and of what it stands for
(``qzx7vk-reader-0007@port.example``): looking for the mark finds all of them in every form but
hashes, of which only those of chosen secrets are looked for.
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import io
import json
import quopri
import re
import sqlite3
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import brotli

HASHES = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256", "blake2b", "blake2s")
MOST = 200_000_000


class Hit(NamedTuple):
    """Which secret lies where, and in what form."""

    secret: str
    form: str
    where: str


def forms(secret: str) -> Iterator[tuple[str, bytes]]:
    """Every way to write a text but hashes. Looking is done in small letters, too."""
    for spelled in dict.fromkeys((secret, secret.lower(), secret.upper())):
        raw = spelled.encode()
        yield "in clear", raw
        yield "UTF-16", spelled.encode("utf-16-le")
        yield "UTF-16", spelled.encode("utf-16-be")
        yield "UTF-32", spelled.encode("utf-32-le")
        yield "hex", raw.hex().encode()
        yield "hex", raw.hex().upper().encode()
        yield "quoted-printable", quopri.encodestring(raw, quotetabs=True)
        yield "URL-encoded", quote(spelled, safe="").encode()
        yield "URL-encoded", quote(spelled, safe="").lower().encode()
        yield "JSON", json.dumps(spelled)[1:-1].encode()
        yield "HTML", spelled.replace("&", "&amp;").encode("ascii", "xmlcharrefreplace")
        yield "reversed", raw[::-1]
        yield from _base64(raw)


def _base64(raw: bytes) -> Iterator[tuple[str, bytes]]:
    """The letters that are the same whatever stands before and after, at each of three places."""
    for before in range(3):
        for encode in (base64.standard_b64encode, base64.urlsafe_b64encode):
            text = encode(b"\0" * before + raw).rstrip(b"=")
            whole = (before + len(raw)) * 8 // 6
            yield "base64", text[(before * 8 + 5) // 6 : whole]
        text = base64.b32encode(b"\0" * before + raw).rstrip(b"=")
        yield "base32", text[(before * 8 + 4) // 5 : (before + len(raw)) * 8 // 5]


def hashes(secret: str) -> Iterator[tuple[str, bytes]]:
    """Common hashes of a text as it is and normalised, raw, in hex and in base64."""
    for spelled in dict.fromkeys((secret, secret.lower(), secret.strip().casefold())):
        for name in HASHES:
            digest = hashlib.new(name, spelled.encode(), usedforsecurity=False).digest()
            yield name, digest
            yield name, digest.hex().encode()
            yield name, digest.hex().upper().encode()
            yield name, base64.b64encode(digest).rstrip(b"=")
            yield name, base64.urlsafe_b64encode(digest).rstrip(b"=")


class Searcher:
    """``marks`` are looked for in every form; ``hashed`` are whole secrets whose hashes are, too.
    ``allowed`` are forms in which a secret may be there (in clear, where it is meant to be)."""

    def __init__(self, marks: Iterable[str], hashed: Iterable[str] = ()) -> None:
        self.patterns: dict[bytes, tuple[str, str]] = {}
        for mark in marks:
            for form, pattern in forms(mark):
                self.patterns.setdefault(pattern, (mark, form))
        for secret in hashed:
            for form, pattern in hashes(secret):
                self.patterns.setdefault(pattern, (secret, form))

    def in_bytes(self, data: bytes, where: str) -> list[Hit]:
        """What is in these bytes, and in what they hold compressed."""
        found: dict[Hit, None] = {}
        for part in unfolded(data):
            for text in (part, part.lower()):
                for pattern, (secret, form) in self.patterns.items():
                    if pattern in text:
                        found[Hit(secret, form, where)] = None
        return list(found)

    def in_folder(self, folder: Path, *, but: Iterable[str] = ()) -> list[Hit]:
        """What is in a folder's files and in their names. ``but`` are names of what is not taken
        along (the key files)."""
        found: list[Hit] = []
        left_out = set(but)
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder)
            if left_out & set(inside.parts):
                continue
            found += self.in_bytes(str(inside).encode(), f"the name of {inside}")
            if path.is_file():
                found += self.in_bytes(path.read_bytes(), str(inside))
        return found

    def in_parts(self, parts: Iterable[bytes], where: str) -> list[Hit]:
        """What is in a long row of bytes that comes in parts (memory)."""
        return [hit for part in parts for hit in self.in_bytes(part, where)]


def unfolded(data: bytes, depth: int = 0) -> Iterator[bytes]:
    """The bytes themselves and, where they are an archive, a database or compressed, those inside.
    Line ends of quoted-printable and base64 are taken out as well."""
    yield data
    if b"=\n" in data or b"=\r\n" in data:
        yield data.replace(b"=\r\n", b"").replace(b"=\n", b"")
    if depth < 3:
        for inner in _inside(data):
            yield from unfolded(inner, depth + 1)


def _inside(data: bytes) -> Iterator[bytes]:
    if data.startswith(b"PK\x03\x04"):
        with contextlib.suppress(zipfile.BadZipFile), zipfile.ZipFile(io.BytesIO(data)) as archive:
            for part in archive.infolist():
                yield part.filename.encode() + b"\n" + part.comment
                yield archive.read(part)
    elif data.startswith(b"\x1f\x8b"):
        with contextlib.suppress(OSError, EOFError, zlib.error):
            yield gzip.decompress(data)
    elif data.startswith(b"SQLite format 3\0"):
        yield _dumped(data)
    elif data.startswith((b"\x89PNG", b"%PDF")):
        for at in (found.start() for found in re.finditer(rb"x[\x01\x5e\x9c\xda]", data)):
            with contextlib.suppress(zlib.error):
                yield zlib.decompressobj().decompress(data[at:], MOST)
    elif 0 < len(data) < 5_000_000 and not data[:64].isascii():
        with contextlib.suppress(brotli.error):
            yield brotli.decompress(data)


def _dumped(data: bytes) -> bytes:
    """Every value of a database: in the file, long ones lie in pieces."""
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        database.text_factory = bytes
        try:
            database.deserialize(data)
            names = [row[0] for row in database.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%'"
            )]  # fmt: skip
        except sqlite3.DatabaseError:
            return b""
        out = bytearray()
        for name in names:
            for row in database.execute(f'SELECT * FROM "{name.decode()}"'):  # noqa: S608
                out += b"\0".join(v if isinstance(v, bytes) else str(v).encode() for v in row)
                out += b"\n"
        return bytes(out)
