# SPDX-License-Identifier: AGPL-3.0-or-later
"""An invented newsroom with keys, a paper that it publishes, and readers who follow it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from securesystemslib.signer import CryptoSigner

from tamizdat.edition import Edition, Story
from tamizdat.edition.signed import ceremony, keys
from tamizdat.edition.signed.ceremony import Desk
from tamizdat.edition.signed.client import SignedReader
from tamizdat.edition.signed.fetch import FolderFetcher
from tamizdat.edition.signed.request import Request
from tamizdat.edition.signed.signer import Signer
from tamizdat.edition.signed.told import Mirror
from tamizdat.edition.store import Store
from tests.edition.papers import NOW, SITE, Files, Stories, edition, make_story, whole

HOLDERS = ("anna", "ben", "cleo")
SITE_JSON = b'{"format":1,"name":"The Lantern"}'


class Newsroom:
    """A paper in ``folder/edition``, keys in ``folder/secrets``, and a clock to set."""

    def __init__(self, folder: Path, *, mirrors: Iterable[Mirror] = ()) -> None:
        self.folder = folder
        self.now = NOW
        self.media = Files(folder / "media")
        self.mirrors = tuple(mirrors)
        self.holders: dict[str, CryptoSigner] = {name: keys.generate() for name in HOLDERS}
        self.stories: dict[int, Story] = {}
        self.desk = self.open_desk()
        self.root = b""

    def clock(self) -> datetime:
        return self.now

    def open_desk(self) -> Desk:
        """The desk as another process sees it."""
        secrets, paper = self.folder / "secrets", self.folder / "edition"
        signer = Signer(paper, secrets / "online-key", mirrors=self.mirrors, clock=self.clock)
        return Desk("The Lantern", paper, secrets, signer)

    def found(self) -> Newsroom:
        self.root = ceremony.found(self.desk, self.holders, SITE_JSON, self.now)
        return self

    @property
    def paper(self) -> Edition:
        """The edition, as a program that was just started opens it."""
        desk = self.open_desk()
        return edition(desk.folder.path, media=self.media, signer=desk.signer, clock=self.clock)

    def build(self, count: int = 20) -> Newsroom:
        self.stories |= {n: make_story(n) for n in range(count)}
        self.whole()
        return self

    def whole(self) -> None:
        report = self.paper.build(Stories(self.stories.values()), SITE)
        assert not report.problems, report.problems

    def publish(self, number: int, **changes: object) -> list[str]:
        """Publish a story, or another version of it; what the report calls problems."""
        self.now += timedelta(minutes=1)
        self.stories[number] = make_story(number, **changes)  # type: ignore[arg-type]  # its options
        return self.paper.publish([self.stories[number]], SITE).problems

    def finish(self, request: Request, *names: str) -> Request:
        """Let holders sign, each a copy of their own, and finish."""
        signed = [ceremony.sign(request, self.holders[name]) for name in names]
        with Store(self.desk.folder.path).exclusive():
            return ceremony.finish(self.open_desk(), signed)

    def reader(self, name: str, copy: Path | None = None, root: bytes = b"") -> SignedReader:
        """Somebody who reads a copy and remembers what they saw."""
        fetch = FolderFetcher(copy or self.desk.folder.path)
        return SignedReader(fetch, self.folder / f"reader-{name}", root or self.root, self.clock)

    def copy(self, name: str) -> Path:
        """A copy of the signed folder as it is now."""
        target = self.folder / name
        for part in ("metadata", "targets", "shards", "objects"):
            shutil.copytree(self.desk.folder.path / part, target / part)
        return target

    def check(self, reader: SignedReader) -> None:
        """Every path of the paper is read, verified, as the builder made it; nothing else is."""
        reader.refresh()
        wanted = whole(self.desk.folder.path)
        found = {}
        for path in wanted:
            slot = reader.find(path).slot
            assert slot is not None, path
            found[path] = (slot.status, reader.read(path))
        statuses = {200: 0, 301: 1, 410: 2}
        assert found == {path: (statuses[s], data) for path, (s, _, _, data) in wanted.items()}
