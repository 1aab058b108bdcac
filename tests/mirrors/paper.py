# SPDX-License-Identifier: AGPL-3.0-or-later
"""A small signed paper of invented pages, made by the builder's store and index and the signer."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import brotli
import msgspec
from securesystemslib.signer import CryptoSigner

from tamizdat.edition.index import EMPTY, Entry, Index
from tamizdat.edition.signed import keys, layout, roles
from tamizdat.edition.signed.client import SignedReader
from tamizdat.edition.signed.fetch import Fetcher, FolderFetcher
from tamizdat.edition.signed.signer import Signer
from tamizdat.edition.store import Pointer, Store

BEGIN = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HTML = "text/html; charset=utf-8"
JPEG = "image/jpeg"


@cache
def all_keys() -> tuple[list[CryptoSigner], CryptoSigner]:
    """The holders' keys and the online one."""
    return [keys.generate() for _ in range(3)], keys.generate()


def signed_first(site: bytes) -> roles.Offline:
    holders, online = all_keys()
    offline = roles.first([k.public_key for k in holders], online.public_key, site, BEGIN)
    for part in offline:
        for key in holders[:2]:
            part.sign(key, append=True)
    return offline


class Paper:
    """A newsroom's edition folder. ``now`` is its clock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = BEGIN
        self.number = 0
        self.entries: dict[str, Entry] = {}
        self._tree = EMPTY
        self._garbage: list[tuple[int, str]] = []
        self.store = Store(folder, brotli=True)
        self.index = Index(self.store)
        key = folder.parent / "online-key"
        keys.write_private(key, all_keys()[1].private_bytes)
        self.signer = Signer(folder, key, clock=lambda: self.now)
        self._begin()

    def _begin(self) -> None:
        site = msgspec.json.encode({"format": 1, "name": "The Lamplighter"})
        offline = signed_first(site)
        self.signer.folder.put_target(layout.SITE, site)
        for role, part in zip(("root", "targets", "archive"), offline, strict=True):
            self.signer.folder.write(layout.metadata_name(role, 1), roles.encode(part))

    @property
    def root(self) -> bytes:
        """What readers begin with."""
        return (self.folder / "metadata/1.root.json").read_bytes()

    def publish(self, pages: Mapping[str, bytes | None], *, full: bool = False) -> int:
        """A new edition with pages set, or taken out where they are None."""
        self.number += 1
        self.now += timedelta(minutes=10)
        changes: dict[str, Entry | None] = {}
        before = Counter(entry.sha256 for entry in self.entries.values())
        for path, data in pages.items():
            changes[path] = None if data is None else self._entry(path, data)
        for path, entry in changes.items():
            if entry is None:
                self.entries.pop(path, None)
            else:
                self.entries[path] = entry
        after = {entry.sha256 for entry in self.entries.values()}
        self._garbage += [(self.number, sha256) for sha256 in before if sha256 not in after]
        self._tree = self.index.update(self._tree, changes)
        built = f"{self.now:%Y-%m-%dT%H:%M:%SZ}"
        pointer = Pointer(
            edition=self.number, root=self._tree.root, files=self._tree.size, built=built
        )
        self._collect(after)
        self.store.switch(msgspec.json.encode(pointer))
        self.signer.follow(self.index, pointer, full=full)
        return self.number

    def sign_again(self) -> None:
        """A day passes and nothing is published."""
        self.now += timedelta(days=1)
        assert self.signer.resign()

    def reader(self, copy: Path | Fetcher, state: Path, root: bytes | None = None) -> SignedReader:
        """A reader of a copy, who knows this newsroom's root."""
        fetch = FolderFetcher(copy) if isinstance(copy, Path) else copy
        return SignedReader(fetch, state, root or self.root, lambda: self.now)

    def copy_to(self, folder: Path) -> None:
        for part in ("metadata", "targets", "shards", "objects"):
            shutil.copytree(self.folder / part, folder / part)

    def _entry(self, path: str, data: bytes) -> Entry:
        media_type = JPEG if path.endswith(".jpg") else HTML
        sha256 = self.store.put(data, compress=media_type == HTML)
        return Entry(path, sha256, len(data), self.number, media_type)

    def _collect(self, needed: set[str]) -> None:
        """As the builder does: what nothing leads to since before the last edition goes."""
        for edition, sha256 in list(self._garbage):
            if edition < self.number - 1:
                self._garbage.remove((edition, sha256))
                if sha256 not in needed:
                    self.store.discard(sha256)


def page(words: str) -> bytes:
    return f"<!doctype html><title>{words}</title><p>{words} ".encode() + b"lamp " * 40


def whole(reader: SignedReader) -> dict[str, bytes]:
    """Everything that a copy has, by key in hexadecimal, each byte verified."""
    reader.refresh()
    found: dict[str, bytes] = {}
    seen: set[bytes] = set()
    for _, slot in reader.walk():
        if slot.key not in seen and slot.status != layout.GONE:
            found[slot.key.hex()] = reader.object(slot)
        seen.add(slot.key)
    return found


def unpacked(data: bytes) -> bytes:
    made: bytes = brotli.decompress(data)
    return made
