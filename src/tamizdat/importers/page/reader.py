# SPDX-License-Identifier: AGPL-3.0-or-later
"""The importer of saved pages: one file, or a folder of them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from tamizdat.edition.body import clean, plain
from tamizdat.edition.story import ni_uri
from tamizdat.importers.decoding import read_text
from tamizdat.importers.errors import ImportingError
from tamizdat.importers.page import html, text
from tamizdat.importers.page.article import Article, story
from tamizdat.importers.port import Left, Result, Taken

SUFFIXES = frozenset([".html", ".htm", ".xhtml", ".txt", ".text"])
_HTML = re.compile(
    r"<(?:!doctype\s+html|html|head|body|article|main|div|p|h1|meta)\b", re.IGNORECASE
)
# Two words beside each other, or a stretch of a script that parts no words.
_RUNNING = re.compile(r"[^\W\d_]{2,}[\s,]+[^\W\d_]{2,}|[^\W\d_]{12,}")


class PageImporter:
    """Reads saved pages. ``media`` is the folder of their pictures, beside each page by default."""

    format = "page"

    def __init__(self, path: Path, media: Path | None = None) -> None:
        self._media = media
        if path.is_dir():
            found = (p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
            self._files = sorted(found)
        else:
            self._files = [path]
        self.total = sum(p.stat().st_size for p in self._files)
        self.done = 0

    def __iter__(self) -> Iterator[Result]:
        self.done = 0
        for path in self._files:
            yield self._one(path)
            self.done += path.stat().st_size

    def _one(self, path: Path) -> Result:
        try:
            source, encoding = read_text(path)
        except ImportingError as error:
            if len(self._files) == 1:
                raise
            return Left(path.name, str(error), failed=True)
        if not source.strip():
            return Left(path.name, "it is empty", failed=True)
        made = self._taken(path, source)
        if made is None:
            return Left(path.name, "no article was found in it: no running text", failed=True)
        if encoding not in {"utf-8", "utf-8-sig"}:
            made.notes.append(f"it was read as {encoding}")
        return made

    def _taken(self, path: Path, source: str) -> Taken | None:
        uri = ni_uri(hashlib.sha256(source.encode()).hexdigest())
        if path.suffix.lower() in {".txt", ".text"} or not _HTML.search(source[:20000]):
            article: Article | None = text.read(source, uri)
        else:
            article = html.read(source, path, self._media)
        if article is None or not article.blocks:
            return None
        body = clean("\n".join(article.blocks))
        if not _RUNNING.search(plain(body)):
            return None
        article.blocks = body.split("\n")
        name = article.url or uri
        return story(article, name, f"page:{name}"[:255])
