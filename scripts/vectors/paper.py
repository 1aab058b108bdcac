# SPDX-License-Identifier: AGPL-3.0-or-later
"""A small invented newsroom whose keys are known to everyone, and the editions it publishes.

What always holds: everything is a function of this file and the libraries; no clock, no chance.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from unicodedata import normalize

import brotli
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata

from tamizdat.edition.signed import current, keys, layout, roles
from tamizdat.edition.signed.shards import Record, Slot, build, depth_for, key_of

FIRST_DAY = datetime(2026, 5, 4, 6, 0, tzinfo=UTC)
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
Files = dict[str, bytes]


class Page(NamedTuple):
    """What lies at a path."""

    body: bytes = b""
    media: str = "text/html; charset=utf-8"
    status: int = layout.OK


class Placed(NamedTuple):
    """A page of an index, with the edition and the time in which it last changed."""

    page: Page
    edition: int
    when: datetime


def signer(seed: str) -> CryptoSigner:
    """A key pair that everyone can make."""
    private = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(seed.encode()).digest())
    public = keys.public_key(private.public_key().public_bytes_raw().hex())
    return CryptoSigner(private, public)


def article(title: str, text: str, language: str = "en") -> Page:
    return Page(
        f"<!doctype html><html lang={language}><meta charset=utf-8><title>{title}</title>"
        f"<main><h1>{title}</h1><p>{text}</main>".encode()
    )


class Press:
    """A newsroom: its keys, its metadata, and all files of its folder so far."""

    def __init__(self, seed: str, name: str, start: datetime = FIRST_DAY) -> None:
        self.holders = [signer(f"{seed}: holder {n}") for n in (1, 2, 3)]
        self.online = signer(f"{seed}: online")
        self.files: Files = {}
        self.live = self.snapshot = self.timestamp = 0
        self.site = self._json({
            "format": 1, "name": name, "address": "https://gazette.example/", "entries": [],
            "languages": [{"code": "en", "name": "English", "direction": "ltr", "front": "/"}],
            "recipient": "", "reader": {},
            "seeds": [{"url": "https://one.example/", "cohort": ""}],
        })  # fmt: skip
        public = [holder.public_key for holder in self.holders]
        offline = roles.first(public, self.online.public_key, self.site, start)
        self.offline = self.sign(offline, self.holders[:2])
        self.keep_offline()

    def sign(self, offline: roles.Offline, signers: Iterable[CryptoSigner]) -> roles.Offline:
        """With the holders' signatures, where none is."""
        signed = copy.deepcopy(offline)
        for part in signed:
            if not part.signatures:
                for key in signers:
                    part.sign(key, append=True)
        return signed

    def keep_offline(self) -> None:
        parts: tuple[Metadata[Any], ...] = tuple(self.offline)
        for role, part in zip(roles.OFFLINE, parts, strict=True):
            self.files[layout.metadata_name(role, part.signed.version)] = roles.encode(part)
        self.put_target(layout.SITE, self.site)

    def put_target(self, name: str, data: bytes) -> str:
        name = layout.target_name(name, hashlib.sha256(data).hexdigest())
        self.files[name] = data
        return name

    def index(
        self,
        pages: Mapping[str, Placed],
        edition: int,
        when: datetime,
        *,
        since: int = 0,
        depth: int | None = None,
    ) -> bytes:
        """Keep an index and what it names; returns its record."""
        slots = sorted(self.slot(path, *placed) for path, placed in pages.items())
        depth = depth_for(len(slots)) if depth is None else depth
        made: dict[int, bytes] = {}
        root = build((slot.pack() for slot in slots), depth, made.__setitem__)
        for number, data in made.items():
            self.files[layout.shard_name(root.hex(), number)] = data
        return Record(depth, len(slots), edition, int(when.timestamp()), since, root).encode()

    def slot(self, path: str, page: Page, edition: int, when: datetime) -> Slot:
        day = layout.day_number(when)
        key = key_of(normalize("NFC", path))
        if page.status == layout.GONE:
            return Slot(key, bytes(32), 0, edition, day, layout.GONE, 0)
        digest = hashlib.sha256(page.body)
        self.files[layout.object_name(digest.hexdigest())] = page.body
        if page.body and not page.media.startswith("image/png"):
            packed = brotli.compress(page.body, quality=5)
            self.files[layout.object_name(digest.hexdigest(), brotli=True)] = packed
        number = layout.media_number(page.media)
        return Slot(key, digest.digest(), len(page.body), edition, day, page.status, number)

    def publish(self, when: datetime, contents: Mapping[str, bytes]) -> Files:
        """Sign ``contents`` (targets of ``live``); returns the whole folder as it then is."""
        mirrors = self._json({
            "format": 1, "mirrors": [{"url": "https://two.example/paper/", "cohort": "a"}],
        })  # fmt: skip
        targets = {**contents, layout.MIRRORS: mirrors}
        records = [self.put_target(name, data) for name, data in targets.items()]
        self.live, self.snapshot = self.live + 1, self.snapshot + 1
        self.timestamp += 1
        live = roles.live(self.live, targets, self.online, when)
        snapshot = roles.snapshot(self.snapshot, self.offline, self.live, self.online, when)
        timestamp = roles.timestamp(self.timestamp, self.snapshot, self.online, when)
        self.files[layout.metadata_name("live", self.live)] = roles.encode(live)
        self.files[layout.metadata_name("snapshot", self.snapshot)] = roles.encode(snapshot)
        self.files[layout.TIMESTAMP] = roles.encode(timestamp)
        self.files[layout.CURRENT] = self.current(records[:-1])
        return dict(self.files)

    def current(self, records: list[str]) -> bytes:
        _, targets, archive = self.offline.versions()
        names = [
            layout.TIMESTAMP,
            layout.metadata_name("snapshot", self.snapshot),
            layout.metadata_name("targets", targets),
            layout.metadata_name("live", self.live),
            layout.metadata_name("archive", archive),
            *records,
        ]
        if sealed := roles.target_sha256(self.offline.archive, layout.ARCHIVE):
            names.append(layout.target_name(layout.ARCHIVE, sealed))
        return current.encode({name: self.files[name] for name in names})

    def seal(self, record: bytes, when: datetime) -> None:
        self.put_target(layout.ARCHIVE, record)
        self.offline = self.sign(roles.with_archive(self.offline, record, when), self.holders[:2])
        self.keep_offline()

    def replace_keys(self, seed: str, when: datetime) -> None:
        """Another online key, and another third holder, signed by the two others."""
        before = self.online.public_key.keyid
        self.online = signer(f"{seed}: second online")
        new = signer(f"{seed}: fourth holder")
        old = self.holders[2].public_key.keyid
        made = roles.with_holder(self.offline, old, new.public_key, when)
        for role in ("snapshot", "timestamp"):
            made.root.signed.revoke_key(before, role)
            made.root.signed.add_key(self.online.public_key, role)
        made.targets.signed.revoke_key(before, "live")
        made.targets.signed.add_key(self.online.public_key, "live")
        self.holders[2] = new
        self.offline = self.sign(made, self.holders[:2])
        self.keep_offline()

    @staticmethod
    def _json(data: object) -> bytes:
        return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()


def first_pages() -> dict[str, Page]:
    """The paper as it was when it was sealed: 36 paths."""
    pages = {
        "/": article("The Harbour Gazette", "Read in four towns."),
        "/ru/": article("Вестник гавани", "Читают в четырёх городах.", "ru"),
        "/about/": article("About us", "We write about the harbour."),
        "/css/paper.css": Page(b"body{max-width:40rem;margin:auto}", "text/css"),
        "/js/reader.js": Page(b"'use strict';", "text/javascript"),
        "/feed.xml": Page(b"<rss version='2.0'><channel/></rss>", "application/rss+xml"),
        "/feed.json": Page(b'{"version":"1.1","items":[]}', "application/feed+json"),
        "/photos/crane.png": Page(hashlib.sha512(b"crane").digest() * 3, "image/png"),
        "/empty.txt": Page(b"", "text/plain"),
        "/robots.txt": Page(b"User-agent: *\nAllow: /\n", "text/plain"),
        "/новости/мост/": article("Мост открыли", "Через реку снова ходят.", "ru"),
        "/новости/ёлка-и-йод/": article("Ёлка и йод", "О буквах с точками.", "ru"),
        "/أخبار/الميناء/": article("الميناء", "عادت السفن.", "ar"),
        "/أخبار/المدرسة/": article("المدرسة", "فتحت أبوابها.", "ar"),
        "/topics/water & bread/": article("Water & bread", "A topic with a sign in its path."),
    }
    for number in range(1, 22):
        title = f"Pier {number} is mended"
        pages[f"/2026/pier-{number}/"] = article(title, f"Plank by plank: {number * 7} of them.")
    return pages


class Editions(NamedTuple):
    """The folders of the vectors."""

    first: Files  # edition 2: base and recent, nothing sealed
    second: Files  # edition 5: three indexes
    third: Files  # edition 6, after all keys but two were replaced
    press: Press  # after ``second``
    later: Press  # after ``third``


def editions() -> Editions:
    """Publish six editions."""
    press = Press("harbour", "The Harbour Gazette")
    pages = {path: Placed(page, 1, FIRST_DAY) for path, page in first_pages().items()}
    base = press.index(pages, 1, FIRST_DAY, depth=3)
    day = FIRST_DAY + timedelta(days=1)
    changed = {"/": Placed(article("The Harbour Gazette", "Now in five towns."), 2, day)}
    recent = press.index(changed, 2, day, since=1)
    first = press.publish(day, {layout.RECENT: recent, layout.BASE: base})
    _seal(press, pages | changed)
    second = press.publish(NOW, _after_sealing(press))
    later = copy.deepcopy(press)
    later.replace_keys("harbour", NOW + timedelta(hours=1))
    record = later.index({"/": Placed(article("New keys", "Still us."), 6, NOW)}, 6, NOW, since=4)
    third = later.publish(
        NOW + timedelta(hours=1), {**_after_sealing(later), layout.RECENT: record}
    )
    return Editions(first, second, third, press, later)


def _seal(press: Press, pages: Mapping[str, Placed]) -> None:
    day = FIRST_DAY + timedelta(days=60)
    press.seal(press.index(pages, 3, day, depth=2), day)
    empty = press.index({}, 3, day)
    press.publish(day, {layout.RECENT: press.index({}, 3, day, since=3), layout.BASE: empty})


def _after_sealing(press: Press) -> dict[str, bytes]:
    fourth, fifth = NOW - timedelta(days=20), NOW
    base = {
        "/": Placed(article("The Harbour Gazette", "Six towns read us."), 4, fourth),
        "/2026/pier-3/": Placed(article("Pier 3 is mended", "Corrected: 22 planks."), 4, fourth),
        "/2026/pier-22/": Placed(article("Pier 22 is mended", "The last but one."), 4, fourth),
        "/2026/pier-4/": Placed(Page(status=layout.GONE), 4, fourth),
    }
    tombstone = article("Withdrawn", "We withdrew this story.")._replace(status=layout.WITHDRAWN)
    moved = article("Moved", "See /2026/pier-7/.")._replace(status=layout.MOVED)
    recent = {
        "/2026/pier-5/": Placed(tombstone, 5, fifth),
        "/2026/pier-6/": Placed(moved, 5, fifth),
        "/2026/pier-8/": Placed(Page(status=layout.GONE), 5, fifth),
        "/2026/pier-22/": Placed(article("Pier 22 is mended", "Twice now."), 5, fifth),
        "/новости/мост/": Placed(article("Мост закрыли", "Уточнено.", "ru"), 5, fifth),
        "/2026/pier-23/": Placed(article("Pier 23 is mended", "The last one."), 5, fifth),
    }
    return {
        layout.RECENT: press.index(recent, 5, fifth, since=4),
        layout.BASE: press.index(base, 4, fourth, depth=1),
    }
