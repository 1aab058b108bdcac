# SPDX-License-Identifier: AGPL-3.0-or-later
"""Writes an export: a folder of ninjs items that ``tamizdat import`` takes back unchanged.

What always holds: the same stories give the same files, byte for byte; a file that is there
already with the same bytes is left alone, so an export that was interrupted goes on; each file is
written aside and renamed, so none is ever half there. See ``layout``.

What is not done here: reading the desk.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import msgspec

from tamizdat.edition.story import Story, decode
from tamizdat.importers.ninjs import layout

_README = """\
Every story of this newsroom, with all its versions and photos.

stories/YEAR/MONTH/NAME/v0001.json, v0002.json, ...
    Each version exactly as it was published: IPTC ninjs 3.1 (JSON, UTF-8), see
    https://iptc.org/standards/ninjs/. The last one is what readers see now; one whose
    "pubStatus" is "canceled" was withdrawn.
drafts/NAME.json
    What was not published when this was written.
photos.jsonl
    One photo a line: its uri (by which stories name it), its file, caption, credit, alt text.
photos/
    The photos, named by their sha-256. Place, device and owner were removed when they came in.
media/
    Recordings, films, documents, and photos in the sizes readers get, named by their sha-256.
    A story names them as "ni:///sha-256;..." (RFC 6920).
redirects
    Former addresses: the old path, a space, the path it leads to.

Take it into a newsroom with:  tamizdat import THIS-FOLDER --dir NEWSROOM
"""


class ExportWriter:
    """Writes into one folder. ``written`` counts files that were new or changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.written = 0
        self.kept = 0
        self._photos: dict[str, layout.PhotoLine] = {}
        self._redirects: dict[str, str] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def story(self, versions: Iterable[bytes]) -> Story:
        """Write every version of a story, oldest first. Returns the newest."""
        folder = ""
        story: Story | None = None
        for number, raw in enumerate(versions, 1):
            story = decode(raw)
            folder = folder or f"{layout.STORIES}/{layout.folder_of(story)}"
            self.write(f"{folder}/{layout.version_name(number)}", raw)
        if story is None:
            raise ValueError("a story has at least one version")
        for former in story.former_paths:
            self._redirects[former] = story.path
        return story

    def draft(self, item: bytes) -> None:
        story = decode(item)
        self.write(f"{layout.DRAFTS}/{layout.name_of(story)}.json", item)

    def photo(self, line: layout.PhotoLine, source: Path | None) -> None:
        """Copy a photo under its sha-256 and remember its words."""
        if source is not None:
            data = source.read_bytes()
            extension = source.suffix.lstrip(".").lower() or "jpg"
            name = layout.media_file(hashlib.sha256(data).hexdigest(), extension)
            line.file = f"photos/{name}"
            self.write(line.file, data)
        self._photos[line.uri] = line

    def media(self, source: Path, sha256: str, extension: str) -> None:
        self.copy(f"media/{layout.media_file(sha256, extension)}", source)

    def finish(self) -> None:
        """Write what is known only at the end."""
        lines = [msgspec.json.encode(line) for _, line in sorted(self._photos.items())]
        self.write(layout.PHOTOS, b"".join(line + b"\n" for line in lines))
        pairs = [f"{old} {new}\n" for old, new in sorted(self._redirects.items())]
        self.write(layout.REDIRECTS, "".join(pairs).encode())
        self.write(layout.MARK, _README.encode())

    def copy(self, name: str, source: Path) -> None:
        """Copy a file that is named by its content; what is there already is the same."""
        target = self.folder / name
        if target.is_file() and target.stat().st_size == source.stat().st_size:
            self.kept += 1
            return
        self.write(name, source.read_bytes())

    def write(self, name: str, data: bytes) -> None:
        target = self.folder / name
        if target.is_file() and target.stat().st_size == len(data) and target.read_bytes() == data:
            self.kept += 1
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = target.with_name(f".{target.name}.new")
        aside.write_bytes(data)
        aside.replace(target)
        self.written += 1
