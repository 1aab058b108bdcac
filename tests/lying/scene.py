# SPDX-License-Identifier: AGPL-3.0-or-later
"""A newsroom with three editions and a sealed archive, another newsroom, and what readers know."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tamizdat.edition import Edition
from tamizdat.edition.signed import layout, seal
from tamizdat.edition.signed.client import SignedReader
from tamizdat.edition.signed.fetch import Fetcher, FolderFetcher
from tamizdat.edition.signed.shards import key_of, number_of
from tests.edition.papers import edition, make_story
from tests.signed.newsroom import Newsroom

STORY, NEIGHBOUR = 3, 5
Files = Mapping[str, bytes]


class Packing(Newsroom):
    """A newsroom whose pages lie there compressed too."""

    @property
    def paper(self) -> Edition:
        desk = self.open_desk()
        return edition(
            desk.folder.path,
            media=self.media,
            signer=desk.signer,
            clock=self.clock,
            brotli=True,
        )


@dataclass(frozen=True)
class Scene:
    """``old``, ``seen`` and ``present`` are three editions of one newsroom, in their order; the
    story at ``path`` is another in each. ``other`` is another newsroom's copy, with the same
    paths. ``memory`` is a folder of what a reader remembers who has read ``seen``."""

    newsroom: Newsroom
    path: str
    neighbour: str
    old: Files
    seen: Files
    present: Files
    other: Files
    memory: Path

    @property
    def root(self) -> bytes:
        return self.newsroom.root

    def text(self, files: Files) -> bytes:
        """The story as an edition of this newsroom has it."""
        return files[self.plain(files)]

    def plain(self, files: Files, path: str = "") -> str:
        slot = self._reader(files).find(path or self.path).slot
        assert slot is not None
        return layout.object_name(slot.sha256.hex())

    def shards(self, files: Files, path: str = "") -> dict[str, str]:
        """Names of the shards in which the story may be, by their index."""
        records = self._reader(files).edition.records
        key = key_of(path or self.path)
        return {
            index: layout.shard_name(record.root.hex(), number_of(key, record.depth))
            for index, record in records.items()
            if record.count
        }

    def reader(
        self, fetch: Fetcher, state: Path, *, later: timedelta = timedelta()
    ) -> SignedReader:
        return SignedReader(fetch, state, self.root, lambda: self.newsroom.now + later)

    def remembering(self, state: Path) -> Path:
        """What somebody remembers who has read ``seen``."""
        shutil.copytree(self.memory, state)
        return state

    def _reader(self, files: Files) -> SignedReader:
        folder = (
            self.newsroom.folder
            / {id(self.old): "old", id(self.seen): "seen", id(self.present): "present"}[id(files)]
        )
        return self.reader(FolderFetcher(folder), self.newsroom.folder / f"knows-{folder.name}")


def make(folder: Path) -> Scene:
    """Signed now, so that the clocks of browsers are right."""
    newsroom = _newsroom(folder / "newsroom")
    copies = {}
    for number, name in enumerate(("old", "seen", "present"), 1):
        newsroom.publish(STORY, version=1 + number, body=_body(f"Edition {number} of it."))
        copies[name] = _files(newsroom.copy(name))
    other = _newsroom(folder / "other")
    other.publish(STORY, version=9, body=_body("What another newsroom says."))
    memory = folder / "memory"
    scene = Scene(
        newsroom,
        _path(STORY),
        _path(NEIGHBOUR),
        other=_files(other.copy("copy")),
        memory=memory,
        **copies,
    )
    scene.reader(FolderFetcher(newsroom.folder / "seen"), memory).read(scene.path)
    return scene


def _newsroom(folder: Path) -> Newsroom:
    newsroom = Packing(folder)
    newsroom.now = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=10)
    newsroom.found().build(24)
    newsroom.finish(seal.prepare(newsroom.desk, newsroom.now), "anna", "ben")
    newsroom.publish(STORY, version=2, body=_body("Before."))
    newsroom.publish(NEIGHBOUR, version=2, body=_body("The neighbour."))
    newsroom.whole()  # So that there is a base between the archive and what is recent.
    return newsroom


def _body(words: str) -> str:
    return f"<p>{words}</p>" + "<p>The ferries wait at the pier until the fog lifts.</p>" * 30


def _path(number: int) -> str:
    return next(str(alt.value) for alt in make_story(number).alt_ids if alt.role == "path")


def _files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
