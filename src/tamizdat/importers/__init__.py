# SPDX-License-Identifier: AGPL-3.0-or-later
"""What others wrote, read into stories: one folder a format, all behind one port.

What always holds: nothing here knows the desk, opens a network connection or writes outside a
temporary folder of its own; a source is data, never instructions (XML entities are off, nothing
of a page is run, depths and sizes are bounded).

To add a format, copy a folder, fill the port (``port.Importer``), and name it in ``FORMATS``.
"""

from __future__ import annotations

import importlib
import itertools
from pathlib import Path

from tamizdat.importers.errors import (
    DamagedError,
    ImportingError,
    RefusedError,
    UnknownFormatError,
)
from tamizdat.importers.port import Importer, Left, Part, PhotoFile, Result, Taken

__all__ = [
    "FORMATS",
    "DamagedError",
    "Importer",
    "ImportingError",
    "Left",
    "Part",
    "PhotoFile",
    "RefusedError",
    "Result",
    "Taken",
    "UnknownFormatError",
    "detect",
    "open_importer",
]

FORMATS = {
    "wxr": "tamizdat.importers.wxr:WxrImporter",
    "ninjs": "tamizdat.importers.ninjs:NinjsImporter",
    "ghost": "tamizdat.importers.ghost:GhostImporter",
    "page": "tamizdat.importers.page:PageImporter",
}
_HEAD = 1 << 16
_PAGES = frozenset([".html", ".htm", ".xhtml", ".txt", ".text"])


def open_importer(path: Path, format: str = "auto", media: Path | None = None) -> Importer:
    """The importer for a file or folder.

    Raises ``UnknownFormatError``, ``DamagedError`` and ``RefusedError``; each says what to do.
    """
    if not path.exists():
        raise DamagedError(f"{path}: there is no such file or folder")
    if media is not None and not media.is_dir():
        raise DamagedError(f"{media}: the media folder is no folder")
    if path.is_file() and path.stat().st_size == 0:
        raise DamagedError(f"{path}: the file is empty")
    path = _only_export(path)
    chosen = detect(path) if format == "auto" else format
    if chosen not in FORMATS:
        raise UnknownFormatError(f"no format “{chosen}”: there are {', '.join(FORMATS)}")
    module, name = FORMATS[chosen].split(":")
    importer: Importer = getattr(importlib.import_module(module), name)(path, media)
    return importer


def _only_export(path: Path) -> Path:
    """The export in a folder that holds just one, as WordPress hands them out."""
    if not path.is_dir():
        return path
    found = [p for p in path.iterdir() if p.suffix.lower() == ".xml" and p.is_file()]
    return found[0] if len(found) == 1 else path


def detect(path: Path) -> str:
    """Tell the format by what lies there, not by its name alone."""
    if path.is_dir():
        return _detect_folder(path)
    with path.open("rb") as file:
        start = file.read(_HEAD)
    text = _start(start)
    if "<rss" in text and ("wordpress.org/export" in text or "<wp:" in text):
        return "wxr"
    if text.startswith(("{", "[")):
        return _detect_json(text)
    if path.suffix.lower() in {".jsonl", ".ndjson"}:
        return "ninjs"
    if path.suffix.lower() in _PAGES or (text.startswith("<") and "<rss" not in text):
        return "page"
    raise UnknownFormatError(
        f"{path}: this is neither a WordPress export, ninjs, a Ghost export nor a saved page. "
        "If it is one of them, say which: --format wxr|ninjs|ghost|page"
    )


def _start(raw: bytes) -> str:
    """The first letters, whatever the encoding."""
    if raw[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return raw.decode("utf-16", "replace").lstrip("\ufeff \r\n\t")
    if raw[:200].count(0) > 20:
        little = raw[1:200:2].count(0) > raw[:200:2].count(0)
        return raw.decode("utf-16-le" if little else "utf-16-be", "replace").lstrip("\ufeff \r\n\t")
    return raw.decode("utf-8", "replace").lstrip("\ufeff \r\n\t")


def _detect_json(text: str) -> str:
    """A Ghost export holds tables; a ninjs item has a uri."""
    squeezed = "".join(text[:4000].split())
    if squeezed.startswith(('{"db":', '{"meta":{', '{"data":{')) or '"posts_tags"' in text:
        return "ghost"
    return "ghost" if '"posts":[' in squeezed and '"uri"' not in squeezed else "ninjs"


def _detect_folder(path: Path) -> str:
    for found in itertools.islice(path.rglob("*"), 10_000):
        if found.suffix.lower() in {".json", ".jsonl", ".ndjson"}:
            return "ninjs"
        if found.suffix.lower() in _PAGES and found.name != "README.txt":
            return "page"
    raise UnknownFormatError(
        f"{path}: the folder holds neither ninjs items (.json, .jsonl) nor saved pages "
        "(.html, .txt)"
    )
