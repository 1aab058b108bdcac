# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a first visit costs before the article's own bytes: ``python -m bench.verify_bytes``.

What always holds:

- The reader is ours (``SignedReader``), cold for every path; the metadata is made by the code that
  signs real editions, with version numbers of an old newsroom; only the entries are made up.
- Counted are the bytes of files, as they lie there: metadata and shards, not the article.
- What every single article of the paper would cost is reckoned besides, from the same shards'
  lengths: a few that are read say little of the dearest one.
- Requests one after the other are measured, not reasoned: every request takes ``LATENCY``, and the
  longest chain of requests that do not overlap is counted.

What is not done here: bytes of HTTP and TLS.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import brotli

from tamizdat.edition.signed import current, keys, layout, roles
from tamizdat.edition.signed.client import SignedReader
from tamizdat.edition.signed.errors import MissingError, TooLongError
from tamizdat.edition.signed.shards import (
    HASH,
    PER_SHARD,
    PER_SHARD_SEALED,
    SLOT,
    Record,
    build,
    depth_for,
    key_of,
    number_of,
)

PER_STORY = 1.4  # entries: its page, and its share of lists, feeds and photos
RECENT = layout.RECENT_LIMIT
SIZES = (1_000, 100_000, 1_000_000)
PATHS = 200
CHAINS = 5  # paths for which requests are timed
LATENCY = 0.05  # seconds
LIMIT_BYTES, LIMIT_REQUESTS = 6_000, 4
HEAD = 9  # bytes of a shard before its path
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BODY = b"<!doctype html><title>An article</title>"
SHA256 = hashlib.sha256(BODY).digest()


class Figures(NamedTuple):
    """Bytes over the paths that were read, and the longest chain of requests; ``dearest`` of all
    paths."""

    state: str
    median: float
    ninety_nine: int
    most: int
    metadata: int
    requests: int
    dearest: int

    @property
    def ok(self) -> bool:
        return max(self.most, self.dearest) <= LIMIT_BYTES and self.requests <= LIMIT_REQUESTS


class Copy:
    """A copy of which only what is going to be asked for is kept. ``spans`` are when requests
    began and ended; they take ``latency`` seconds."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {
            layout.object_name(SHA256.hex(), brotli=True): brotli.compress(BODY)
        }
        self.latency = 0.0
        self.forget()

    def forget(self) -> None:
        self.bytes = 0
        self.spans: list[tuple[float, float]] = []
        self._lock = threading.Lock()

    def fetch(self, name: str, limit: int) -> bytes:
        began = time.monotonic()
        time.sleep(self.latency)
        data = self.files.get(name)
        with self._lock:
            self.spans.append((began, time.monotonic()))
            if data is not None and not name.startswith("objects/"):
                self.bytes += len(data)
        if data is None:
            raise MissingError(name)
        if len(data) > limit:
            raise TooLongError(name)
        return data

    def chain(self) -> int:
        """The most requests of which each began after the one before had ended."""
        count, free = 0, 0.0
        for began, ended in sorted(self.spans, key=lambda span: span[1]):
            if began >= free:
                count, free = count + 1, ended
        return count


def entries(count: int) -> list[bytes]:
    """Made-up packed entries, ascending by key."""
    tail = SHA256 + len(BODY).to_bytes(4, "big") + bytes((0, 0, 7, 9, 0, 1))
    return sorted(key_of(path_of(number)) + tail for number in range(count))


def path_of(number: int) -> str:
    return f"/2026/{number % 12 + 1:02}/story-{number}/"


def index(
    copy: Copy, slots: list[bytes], asked: Iterable[bytes], per_shard: int, since: int = 0
) -> Record:
    """Build an index and keep the shards in which the keys asked for lie."""
    depth = depth_for(len(slots), per_shard)
    wanted = {number_of(key, depth) for key in asked}
    kept: dict[int, bytes] = {}

    def write(number: int, data: bytes) -> None:
        if number in wanted:
            kept[number] = data

    root = build(slots, depth, write)
    for number, data in kept.items():
        copy.files[layout.shard_name(root.hex(), number)] = data
    return Record(depth, len(slots), 9, int(NOW.timestamp()), since, root)


def sign(copy: Copy, recent: Record, base: Record, archive: Record | None) -> bytes:
    """Sign the records with new keys; returns the root."""
    holders, online = [keys.generate() for _ in range(3)], keys.generate()
    site = b'{"format":1}'
    offline = roles.first([h.public_key for h in holders], online.public_key, site, NOW)
    if archive is not None:
        offline = roles.with_archive(offline, archive.encode(), NOW)
    for part in offline:
        for holder in holders[:2]:
            part.sign(holder, append=True)
    contents = {layout.RECENT: recent.encode(), layout.BASE: base.encode(), layout.MIRRORS: b"{}"}
    version = 54_321
    live = roles.live(version, contents, online, NOW)
    snapshot = roles.snapshot(version, offline, version, online, NOW)
    timestamp = roles.timestamp(version, version, online, NOW)
    parts = {
        layout.TIMESTAMP: roles.encode(timestamp),
        layout.metadata_name("snapshot", version): roles.encode(snapshot),
        layout.metadata_name("targets", 1): roles.encode(offline.targets),
        layout.metadata_name("live", version): roles.encode(live),
        layout.metadata_name("archive", offline.archive.signed.version): roles.encode(
            offline.archive
        ),
    }
    sealed = {layout.ARCHIVE: archive.encode()} if archive else {}
    for name, data in [*list(contents.items())[:2], *sealed.items()]:
        parts[layout.target_name(name, hashlib.sha256(data).hexdigest())] = data
    copy.files[layout.CURRENT] = current.encode(parts)
    return roles.encode(offline.root)


def visit(copy: Copy, root: bytes, path: str) -> int:
    """Read one article with no memory; returns the bytes that proved it."""
    copy.forget()
    with tempfile.TemporaryDirectory() as state:
        reader = SignedReader(copy, Path(state), root, lambda: NOW + timedelta(hours=1))
        if reader.read(path) != BODY:
            raise AssertionError(f"{path} was read as something else")
    return copy.bytes


def lengths(slots: list[bytes], depth: int) -> list[int]:
    """Bytes of each shard of an index, by its number."""
    if not slots:
        return [0]
    found = [HEAD + HASH * depth] * (1 << depth)
    for slot in slots:
        found[number_of(slot, depth)] += SLOT
    return found


def reckoned(slots: list[bytes], layers: list[tuple[list[bytes], Record]]) -> Counter[int]:
    """How many articles cost how many bytes of shards."""
    sizes = [(record.depth, lengths(laid, record.depth)) for laid, record in layers]
    return Counter(sum(size[number_of(slot, depth)] for depth, size in sizes) for slot in slots)


def figures(state: str, copy: Copy, root: bytes, paths: list[str], costs: Counter[int]) -> Figures:
    counted = sorted(visit(copy, root, path) for path in paths)
    copy.latency = LATENCY
    chains = []
    for path in paths[:CHAINS]:
        visit(copy, root, path)
        chains.append(copy.chain())
    copy.latency = 0.0
    metadata = len(copy.files[layout.CURRENT])
    if counted[-1] > metadata + max(costs):
        raise AssertionError("an article cost more than was reckoned")
    return Figures(
        state,
        statistics.median(counted),
        counted[min(len(counted) * 99 // 100, len(counted) - 1)],
        counted[-1],
        metadata,
        max(chains),
        metadata + max(costs),
    )


def measure_size(stories: int, visits: int, chance: random.Random) -> list[Figures]:
    """The three states of a paper of so many stories."""
    count = int(stories * PER_STORY)
    slots = entries(count)
    paths = [path_of(chance.randrange(count)) for _ in range(visits)]
    asked = [key_of(path) for path in paths]
    some = sorted(chance.sample(slots, min(RECENT, count)))
    tenth = sorted(chance.sample(slots, count // 10))
    found = []
    for state in ("fresh", "recent", "sealed"):
        copy, sealed = Copy(), state == "sealed"
        per_shard = PER_SHARD_SEALED if sealed else PER_SHARD
        over = some if state != "fresh" else []
        whole = index(copy, slots, asked, per_shard)
        recent = index(copy, over, asked, per_shard, since=9)
        base = index(copy, tenth, asked, per_shard) if sealed else whole
        root = sign(copy, recent, base, whole if sealed else None)
        layers = [(over, recent), (tenth if sealed else slots, base)]
        layers += [(slots, whole)] if sealed else []
        found.append(figures(state, copy, root, paths, reckoned(slots, layers)))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, action="append", help="Stories; may be repeated.")
    parser.add_argument("--paths", type=int, default=PATHS, help="Articles read in each state.")
    parser.add_argument("--json", type=Path, help="A file to write every figure to.")
    arguments = parser.parse_args()
    chance = random.Random(3)
    sizes = arguments.size or SIZES
    results = {size: measure_size(size, arguments.paths, chance) for size in sizes}
    ok = all(found.ok for states in results.values() for found in states)
    print("| stories | state | metadata | median | 99 of 100 | most | of all, most | in a row |")
    print("|---|---|---|---|---|---|---|---|")
    for size, states in results.items():
        for f in states:
            print(
                f"| {size:,} | {f.state} | {f.metadata:,} B | {f.median:,.0f} B "
                f"| {f.ninety_nine:,} B | {f.most:,} B | {f.dearest:,} B | {f.requests} |"
            )
    met = "met" if ok else "NOT met"
    print(
        f"\nLimits: {LIMIT_BYTES:,} B (every article of all), "
        f"{LIMIT_REQUESTS} requests in a row: {met}."
    )
    if arguments.json:
        shown = {str(size): [f._asdict() for f in states] for size, states in results.items()}
        arguments.json.write_text(json.dumps({"ok": ok, "sizes": shown}))
    return 0 if ok else 1


if __name__ == "__main__":
    raise SystemExit(main())
