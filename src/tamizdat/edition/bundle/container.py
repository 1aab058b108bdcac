# SPDX-License-Identifier: AGPL-3.0-or-later
"""A bundle's members as one file, and back: a ZIP, an EPUB, or an HTML with a ZIP inside.

What always holds: the same members give the same bytes with the same zlib; what is read back is
bounded, by member and in sum, and a file that is no bundle raises ``BundleError``.

What is not done here: believing anything of it.
"""

from __future__ import annotations

import base64
import binascii
import io
import re
import zipfile
import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from tamizdat.edition.bundle.errors import BundleError
from tamizdat.edition.bundle.gather import Form

HTML: Final = "index.html"
MIMETYPE: Final = "mimetype"
PROOFS: Final[dict[Form, str]] = {"zip": "", "epub": "META-INF/tamizdat/", "html": ""}
_BEFORE: Final = b'<script type="application/zip;base64" id="tamizdat">'
_AFTER: Final = b"</script>"
_STORED = (".webp", ".jpg", ".png", ".gif", ".avif")
_MOST_MEMBERS = 100_000
_MOST_BYTES = 1_000_000_000
_END = 22  # bytes after the members
_MAGIC = b"PK\x03\x04"


def write(form: Form, members: Mapping[str, bytes], when: datetime) -> bytes:
    """The file. ``when`` is the date of each member, in UTC."""
    if form != "html":
        return _zip(members, when)
    proof = _zip({name: data for name, data in members.items() if name != HTML}, when)
    lines = base64.encodebytes(proof)
    head, tail = members[HTML].split(b"</body>")
    return b"".join((head, _BEFORE, b"\n", lines, _AFTER, b"\n</body>", tail))


def read(data: bytes) -> tuple[Form, dict[str, bytes]]:
    """The form of a file and its members. Raises ``BundleError``."""
    if data.startswith(_MAGIC):
        members = _unzip(data)
        return ("epub" if MIMETYPE in members else "zip"), members
    before, found, rest = data.partition(_BEFORE)
    block, ended, after = rest.partition(_AFTER)
    if not (found and ended):
        raise BundleError("this file is no bundle: neither a ZIP, nor an EPUB, nor an HTML of ours")
    try:
        proof = base64.b64decode(b"".join(block.split()), validate=True)
    except binascii.Error as error:
        raise BundleError("the proof in this file is damaged") from error
    members = _unzip(proof)
    if HTML in members:
        raise BundleError("the proof in this file holds a second page to be shown")
    return "html", {**members, HTML: before + after.removeprefix(b"\n")}


def inlined(page: bytes) -> list[bytes]:
    """The pictures that stand in a page as ``data:`` addresses. Raises ``BundleError``."""
    found = set(re.findall(rb'src="data:image/[a-z]+;base64,([A-Za-z0-9+/=]+)"', page))
    try:
        return [base64.b64decode(one + b"=" * (-len(one) % 4)) for one in found]
    except binascii.Error as error:
        raise BundleError("a picture in this file is damaged") from error


def _zip(members: Mapping[str, bytes], when: datetime) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name in sorted(members, key=lambda name: (name != MIMETYPE, name)):
            info = zipfile.ZipInfo(name, (max(when.year, 1980), *when.timetuple()[1:6]))
            info.create_system, info.external_attr = 3, 0o644 << 16
            stored = name == MIMETYPE or name.endswith(_STORED) or not _shrinks(members[name])
            info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            made.writestr(info, members[name], compresslevel=9)
    return file.getvalue()


def _shrinks(data: bytes) -> bool:
    return len(data) > 200 and len(zlib.compress(data[:4096], 1)) < 0.9 * min(len(data), 4096)


def _room(info: zipfile.ZipInfo) -> int:
    """The bytes that a member takes in a ZIP that has nothing but members, with its two heads."""
    return 30 + 46 + 2 * len(info.filename.encode()) + info.compress_size


def _unzip(data: bytes) -> dict[str, bytes]:
    members: dict[str, bytes] = {}
    total = 0
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as found:
            if sum(map(_room, found.infolist()), _END) != len(data):
                raise BundleError("the ZIP holds other things beside its members")
            for info in found.infolist():
                if info.filename in members or len(members) >= _MOST_MEMBERS:
                    raise BundleError(f"the file has {info.filename} twice, or too many members")
                with found.open(info) as member:
                    members[info.filename] = member.read(_MOST_BYTES - total + 1)
                total += len(members[info.filename])
                if total > _MOST_BYTES:
                    raise BundleError("the file unpacks to more than a bundle can hold")
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise BundleError(f"the ZIP is damaged: {error}") from error
    except (ValueError, OverflowError, OSError) as error:
        raise BundleError(f"the ZIP cannot be read: {error}") from error
    return members
