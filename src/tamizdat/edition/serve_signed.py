# SPDX-License-Identifier: AGPL-3.0-or-later
"""The signed files of an edition, as a mirror serves them, and the worker of an entry.

What always holds: only names of the format are answered, from the signed folders alone; every
origin may read them; what means the same for ever may be kept for ever, and what is replaced for
a minute.

What is not done here: the paper's pages (``serve``).
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from tamizdat.edition.signed import layout, programs
from tamizdat.edition.signed.cohorts import Cohort
from tamizdat.edition.store import pack

_NAME = re.compile(
    r"metadata/(?:timestamp\.json|current|[0-9]{1,15}\.(?:root|snapshot|targets|live|archive)\.json)"
    r"|targets/[0-9a-f]{64}\.site\.json"
    r"|targets/live/[0-9a-f]{64}\.(?:recent|base|mirrors\.json)"
    r"|targets/archive/[0-9a-f]{64}\.index"
    r"|shards/[0-9a-f]{64}/[0-9a-f]{2}/[0-9a-f]{6}"
    r"|objects/(?P<two>[0-9a-f]{2})/(?P=two)[0-9a-f]{62}(?P<br>\.br)?"
)
_SMALLEST: Final = 11  # quality of brotli
FOLDERS = ("/metadata/", "/targets/", "/shards/", "/objects/")
_HEAD = (
    (b"access-control-allow-origin", b"*"),
    (b"x-content-type-options", b"nosniff"),
    # A file of the folder is never a page: what lies in it was not looked up by anybody.
    (b"content-security-policy", b"default-src 'none'; sandbox"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"referrer-policy", b"no-referrer"),
)
# The worker asks mirrors on other hosts. Which they are is signed and changes; it runs nothing
# that it gets from them, so any host may be asked. http: is for onion services and for trying out;
# from a page with TLS a browser refuses it by itself.
WORKER_POLICY = b"default-src 'none'; script-src 'self'; connect-src 'self' https: http:"


class File(NamedTuple):
    """A file of the folder: where it lies, its headers, and what it is compressed of."""

    path: str
    headers: list[tuple[bytes, bytes]]
    packed: str


def find(folder: Path, path: str) -> File | None:
    """The file of the signed folder at a path of the address; None where the format has no such
    name. It need not exist."""
    match = _NAME.fullmatch(path[1:])
    if match is None:
        return None
    replaced = path[1:] in (layout.TIMESTAMP, layout.CURRENT)
    lasting = b"public, max-age=60" if replaced else b"public, max-age=31536000, immutable"
    headers = [(b"content-type", b"application/octet-stream"), (b"cache-control", lasting), *_HEAD]
    packed = match["br"] is not None
    if packed:
        headers.append((b"content-encoding", b"br"))
    sha256 = path[-67:-3] if packed else ""
    return File(f"{folder}{path}", headers, sha256)


def absent() -> list[tuple[bytes, bytes]]:
    """Headers of the answer that there is no such file: it may be there the next moment."""
    return [(b"content-type", b"text/plain"), (b"cache-control", b"no-cache"), *_HEAD]


@lru_cache(maxsize=4)
def packed(script: bytes) -> bytes:
    """A script as small as it goes: each browser fetches it every day."""
    return pack(script, _SMALLEST)


class Scripts:
    """The worker and what it needs; the worker is put together anew when its newsroom's keys or
    mirrors change. ``cohort`` is that of the entry's readers."""

    def __init__(self, folder: Path, cohort: Cohort | None = None) -> None:
        self._folder = folder
        self._cohort = cohort
        self._made = (-1, programs.IDLE)

    def get(self, path: str) -> bytes | None:
        """The script at a path; None where there is none."""
        if path == f"/{programs.FALLBACK}":
            return programs.program(programs.FALLBACK)
        return self._worker() if path == f"/{programs.WORKER}" else None

    @staticmethod
    def headers() -> list[tuple[bytes, bytes]]:
        return [
            (b"content-type", b"text/javascript; charset=utf-8"),
            (b"cache-control", b"no-cache"),
            (b"service-worker-allowed", b"/"),
            (b"content-security-policy", WORKER_POLICY),
            (b"x-content-type-options", b"nosniff"),
        ]

    def _worker(self) -> bytes:
        try:
            stamp = (self._folder / "metadata").stat().st_mtime_ns
        except FileNotFoundError:
            return programs.IDLE
        if self._made[0] != stamp:
            self._made = (stamp, programs.worker(self._folder, self._cohort) or programs.IDLE)
        return self._made[1]
