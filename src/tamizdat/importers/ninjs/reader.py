# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reads ninjs: a file, a file of lines, a folder of files, or our own export.

What always holds: every item is decoded by type (``edition.story.decode``); what is no ninjs item
is ``Left`` with file and line. An item is held whole, a source never is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tamizdat.edition.errors import StoryError
from tamizdat.edition.story import Story, decode, ni_sha256
from tamizdat.importers.decoding import read_text
from tamizdat.importers.errors import ImportingError
from tamizdat.importers.ninjs import layout
from tamizdat.importers.ninjs.foreign import ISSUE_REASON, adopt, why_not
from tamizdat.importers.port import Left, PhotoFile, Result, Taken

MAX_LINE = 16 << 20
_VERSION = re.compile(r"v(\d{4,})\.json\Z")
_LINES = frozenset([".jsonl", ".ndjson"])


class NinjsImporter:
    """Reads ninjs. Photos of others are known by address alone; our export has its files."""

    format = "ninjs"

    def __init__(self, path: Path, media: Path | None = None) -> None:
        self._path = path
        self._own = path.is_dir() and (path / layout.PHOTOS).is_file()
        self.total = 0
        self.done = 0

    def __iter__(self) -> Iterator[Result]:
        self.done = 0
        self.total = _size(self._path)
        if self._own:
            yield from _Export(self._path, self).results()
        elif self._path.is_dir():
            for path in sorted(p for p in self._path.rglob("*") if _is_ninjs(p)):
                yield from self._file(path)
        else:
            yield from self._file(self._path)

    def _file(self, path: Path) -> Iterator[Result]:
        if path.suffix.lower() in _LINES:
            yield from self._lines(path)
            return
        try:
            source, _ = read_text(path)
        except ImportingError as error:
            yield Left(path.name, str(error), failed=True)
            return
        self.done += path.stat().st_size
        if source.lstrip().startswith("["):
            yield from self._list(source, path)
        else:
            yield self.item(source.encode(), path.name)

    def _list(self, source: str, path: Path) -> Iterator[Result]:
        try:
            items = msgspec.json.decode(source.encode(), type=list[msgspec.Raw])
        except (msgspec.DecodeError, RecursionError) as error:
            yield Left(path.name, f"it is no list of ninjs items: {error}", failed=True)
            return
        for number, raw in enumerate(items, 1):
            yield self.item(bytes(raw), f"{path.name}, item {number}")

    def _lines(self, path: Path) -> Iterator[Result]:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(MAX_LINE):
                number += 1
                where = f"{path.name}, line {number}"
                self.done += len(line)
                if len(line) == MAX_LINE and not line.endswith(b"\n"):
                    while (rest := file.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                        self.done += len(rest)
                    yield Left(where, f"longer than {MAX_LINE >> 20} MB", failed=True)
                elif line.strip():
                    yield self.item(line, where)

    def item(self, raw: bytes, where: str) -> Result:
        """What becomes of one item."""
        try:
            story = decode(raw)
        except StoryError as error:
            if b'"$schema"' in raw[:2000]:
                return Left(where, "it is a JSON schema, no item")
            return Left(where, str(error), failed=True)
        if not story.uri.strip():
            return Left(where, "it has no uri: every ninjs item needs one", failed=True)
        named = f"{where}: {story.headline or story.title or story.uri}"
        if why := why_not(story):
            return Left(named, why)
        adopted, photos, notes = adopt(story)
        return Taken(
            key=f"ninjs:{story.uri}"[:255],
            story=adopted,
            draft=story.pub_status == "withheld",
            photos=photos,
            notes=notes,
            url=story.uri if story.uri.startswith(("http://", "https://")) else "",
        )


def _is_ninjs(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in {".json", *_LINES}


def _size(path: Path) -> int:
    if path.is_dir():
        return sum(p.stat().st_size for p in path.rglob("*") if _is_ninjs(p))
    return path.stat().st_size


class _Export:
    """Our own export: every story with all its versions, drafts, photos."""

    def __init__(self, root: Path, importer: NinjsImporter) -> None:
        self.root = root
        self.importer = importer
        self.photos = {line.uri: line for line in _photo_lines(root / layout.PHOTOS)}

    def results(self) -> Iterator[Result]:
        folders = {p.parent for p in (self.root / layout.STORIES).rglob("v*.json")}
        for folder in sorted(folders):
            yield self._story(folder)
        for path in sorted((self.root / layout.DRAFTS).glob("*.json")):
            yield self._draft(path)

    def _story(self, folder: Path) -> Result:
        """All versions of a story; its text is that of the newest that was not withdrawn."""
        where = folder.relative_to(self.root).as_posix()
        raws: list[bytes] = []
        story = text = None
        for path in sorted(p for p in folder.iterdir() if _VERSION.match(p.name)):
            raw = path.read_bytes()
            self.importer.done += len(raw)
            try:
                story = decode(raw)
            except StoryError as error:
                return Left(f"{where}/{path.name}", str(error), failed=True)
            if story.version != str(len(raws) + 1):
                why = f"version {len(raws) + 1} of the story is missing before it"
                return Left(f"{where}/{path.name}", why, failed=True)
            raws.append(raw)
            text = text if text and story.withdrawn else story
        if story is None or text is None:
            return Left(where, "the folder holds no version", failed=True)
        if text.is_issue:
            return Left(f"{where}: {text.headline}", ISSUE_REASON)
        return self._taken(text, versions=raws)

    def _draft(self, path: Path) -> Result:
        raw = path.read_bytes()
        self.importer.done += len(raw)
        try:
            story = decode(raw)
        except StoryError as error:
            return Left(f"{layout.DRAFTS}/{path.name}", str(error), failed=True)
        return self._taken(story, draft=True)

    def _taken(
        self, story: Story, *, versions: list[bytes] | None = None, draft: bool = False
    ) -> Taken:
        shown = [i for i in story.associations if i.rel in {"photo", "lead-photo"}]
        return Taken(
            key=f"ninjs:{story.uri}"[:255],
            story=story,
            draft=draft,
            photos=[self._photo(i) for i in {i.uri: i for i in shown}.values()],
            versions=versions or [],
            media=self._files(story),
            own=True,
        )

    def _files(self, story: Story) -> dict[str, Path]:
        """The files in ``media/`` that the story names, by their sha-256."""
        found: dict[str, Path] = {}
        for rendition in story.media():
            sha256 = ni_sha256(rendition.href or "")
            if sha256 and (path := self._media_file(sha256)):
                found[sha256] = path
        return found

    def _media_file(self, sha256: str) -> Path | None:
        folder = self.root / "media" / sha256[:2]
        return next((p for p in folder.glob(f"{sha256}.*") if p.is_file()), None)

    def _photo(self, item: Story) -> PhotoFile:
        line = self.photos.get(item.uri, layout.PhotoLine(uri=item.uri))
        path = (self.root / line.file).resolve() if line.file else None
        if path and not (path.is_relative_to(self.root.resolve()) and path.is_file()):
            path = None
        return PhotoFile(
            uri=item.uri,
            path=path,
            caption=line.caption,
            credit=line.credit,
            alt=line.alt,
            title=line.title,
            taken=line.taken,
            file_photo=line.file_photo,
            licence=line.licence,
            focal_point=line.focal_point,
        )


def _photo_lines(path: Path) -> Iterator[layout.PhotoLine]:
    with path.open("rb") as file:
        for line in file:
            if line.strip():
                yield msgspec.json.decode(line, type=layout.PhotoLine)
