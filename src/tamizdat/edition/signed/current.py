# SPDX-License-Identifier: AGPL-3.0-or-later
"""``metadata/current``: what a reader needs at once, in one file (edition-v1.md, section 3).

What always holds: ``decode(encode(parts)) == parts``, but for metadata that is not ASCII, which is
left out; bytes from outside raise ``BadFormatError`` and nothing else. The file proves nothing: a
part is no more than a file fetched under its name. An index record stands in it as
``live/recent``: its hash is that of its bytes. Hashes, keys and signatures within metadata stand as
bytes, not as digits: they are most of what a first visit downloads.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Final

from tamizdat.edition.signed.errors import BadFormatError
from tamizdat.edition.signed.layout import CURRENT_LIMIT, MAX_PARTS, target_name

MAGIC: Final = b"TZM2"
_HEAD_LIMIT = 4_096  # bytes: 16 parts with names of 200 characters
_LINE = re.compile(rb"([A-Za-z0-9._/-]{1,200}) (0|[1-9][0-9]{0,5})")
_DIGITS = re.compile(rb"(?:[0-9a-f]{2}){8,127}")  # worth packing: from an identifier of a key on
_PACKED = re.compile(rb"[\x80-\xff]")
_ASCII = 0x80


def encode(parts: Mapping[str, bytes]) -> bytes:
    """The file of these parts: names in the folder (``metadata/timestamp.json``) to bytes, in the
    order in which they are to stand. Raises ``ValueError`` where they are beyond its limits."""
    named = [(_short(name, data), data) for name, data in parts.items()]
    packed = [(n, d if "/" in n else _pack(d)) for n, d in named if "/" in n or d.isascii()]
    lines = [f"{name} {len(data)}" for name, data in packed]
    head = "\n".join([MAGIC.decode(), *lines, "", ""]).encode()
    made = head + b"".join(data for _, data in packed)
    if len(parts) > MAX_PARTS or len(head) > _HEAD_LIMIT or len(made) > CURRENT_LIMIT:
        raise ValueError("metadata/current cannot hold so many or so large parts")
    return made


def decode(data: bytes) -> dict[str, bytes]:
    """The parts by their names in the folder, in their order. Raises ``BadFormatError``."""
    head, ended, _ = data[:_HEAD_LIMIT].partition(b"\n\n")
    lines = head.split(b"\n")
    if len(data) > CURRENT_LIMIT or not ended or lines[0] != MAGIC or len(lines) > MAX_PARTS + 1:
        raise BadFormatError("metadata/current is damaged: its list of parts cannot be read")
    parts: dict[str, bytes] = {}
    at = len(head) + 2
    for line in lines[1:]:
        if not (match := _LINE.fullmatch(line)):
            raise BadFormatError("metadata/current is damaged: a part has no name or length")
        name, length = match[1].decode(), int(match[2])
        part = data[at : at + length]
        parts[_long(name, part)] = part if "/" in name else _unpack(part)
        at += length
    if at != len(data) or len(parts) != len(lines) - 1:
        raise BadFormatError("metadata/current is damaged: its parts do not fill it")
    return parts


def _pack(metadata: bytes) -> bytes:
    def shorter(found: re.Match[bytes]) -> bytes:
        return bytes((_ASCII + len(found[0]) // 2,)) + bytes.fromhex(found[0].decode())

    return _DIGITS.sub(shorter, metadata)


def _unpack(part: bytes) -> bytes:
    made, at = [], 0
    while mark := _PACKED.search(part, at):
        end = mark.end() + part[mark.start()] - _ASCII
        if end > len(part):
            raise BadFormatError("metadata/current is damaged: a part ends too early")
        made += [part[at : mark.start()], part[mark.end() : end].hex().encode()]
        at = end
    return b"".join([*made, part[at:]])


def _short(name: str, data: bytes) -> str:
    target = name.replace(f"{hashlib.sha256(data).hexdigest()}.", "", 1)
    is_target = target != name and name.startswith("targets/")
    return target.removeprefix("targets/") if is_target else name.removeprefix("metadata/")


def _long(name: str, data: bytes) -> str:
    if "/" not in name:
        return f"metadata/{name}"
    if name.startswith("targets/"):
        return name
    return target_name(name, hashlib.sha256(data).hexdigest())
