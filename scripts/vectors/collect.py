# SPDX-License-Identifier: AGPL-3.0-or-later
"""All vectors as one JSON file; its members are explained in tests/vectors/README.md."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import timedelta
from typing import Any

from tuf.api.metadata import Metadata

from tamizdat.edition.signed import cohorts, layout
from tamizdat.edition.signed.shards import Record, Slot, build, key_of

from .cases import Case, Step, cases
from .forge import entries, entry, record_of
from .paper import NOW, Files, Placed, Press, article, editions, first_pages

PATHS = (
    "/",
    "/2026/pier-1/",
    "/новости/мост/",
    "/أخبار/الميناء/",
    "/topics/water & bread/",
    "/a%20b/",
)


class Pool:
    """Bytes by a short name, each once."""

    def __init__(self) -> None:
        self.blobs: dict[str, str] = {}

    def add(self, data: bytes) -> str:
        name = hashlib.sha256(data).hexdigest()[:12]
        self.blobs[name] = base64.b64encode(data).decode()
        return name


def vectors() -> bytes:
    """The bytes of vectors.json."""
    pool = Pool()
    made = editions()
    other = Press("hill", "The Hill Post")
    pages = {"/2026/pier-9/": Placed(article("Ours", "Not theirs."), 9, NOW)}
    record = other.index(pages, 9, NOW)
    empty = other.index({}, 9, NOW, since=9)
    others = other.publish(NOW, {layout.BASE: record, layout.RECENT: empty})
    folders = {"first": made.first, "second": made.second, "third": made.third, "other": others}
    found = {
        "format": 1,
        "now": stamp(0),
        "root": pool.add(made.first["metadata/1.root.json"]),
        "keys": [{"path": path, "key": key_of(path).hex()} for path in PATHS],
        "records": [_record(made.second, t) for t in (layout.RECENT, layout.BASE, layout.ARCHIVE)],
        "indexes": [_index(pool, count, depth) for count, depth in ((1, 0), (5, 1), (40, 4))],
        "lookups": [_lookup(made.second, path) for path in sorted(first_pages())],
        "folders": {
            name: {n: pool.add(data) for n, data in sorted(files.items())}
            for name, files in folders.items()
        },
        "cohorts": _cohorts(pool),
        "cases": [_case(pool, folders, case) for case in cases(made, other, others)],
    }
    found["blobs"] = dict(sorted(pool.blobs.items()))
    return json.dumps(found, ensure_ascii=False, indent=0).encode() + b"\n"


def stamp(hours: float) -> str:
    return f"{NOW + timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}"


def _record(files: Files, target: str) -> dict[str, Any]:
    record = record_of(files, target)
    shown = {**record._asdict(), "root": record.root.hex()}
    return {"target": target, "bytes": record.encode().hex(), **shown}


def _cohorts(pool: Pool) -> dict[str, Any]:
    """A list of mirrors of which each cohort can read its own part."""
    secret = hashlib.sha256(b"cohorts").digest()
    told = {name: cohorts.cohort(secret, name) for name in ("north", "south")}
    urls = {name: [f"https://{name}-{n}.example/" for n in (1, 2)] for name in told}
    common = "https://all.example/"
    mirrors = {
        "format": 1,
        "mirrors": [{"url": common, "cohort": ""}, {"url": "https://no.example/", "cohort": "x"}],
        "sealed": {
            one.identifier: cohorts.seal(one, _listed(name, urls[name]))
            for name, one in told.items()
        },
    }
    readers = [{"told": one.told, "urls": [*urls[name], common]} for name, one in told.items()]
    lost = cohorts.Cohort(told["north"].identifier, hashlib.sha256(b"another").digest()).told
    nothing = [{"told": "", "urls": [common]}, {"told": lost, "urls": [common]}]
    return {"mirrors": pool.add(json.dumps(mirrors).encode()), "readers": [*readers, *nothing]}


def _listed(name: str, urls: list[str]) -> bytes:
    mirrors = [{"url": url, "cohort": name} for url in urls]
    return json.dumps({"format": 1, "mirrors": mirrors}).encode()


def _index(pool: Pool, count: int, depth: int) -> dict[str, Any]:
    """An index of ``count`` made-up entries: every entry, and every shard's file."""
    slots = sorted(_slot(number) for number in range(count))
    shards: dict[int, bytes] = {}
    root = build((slot.pack() for slot in slots), depth, shards.__setitem__)
    record = Record(depth, count, 7, 1_790_000_000, 0, root)
    return {
        "record": record.encode().hex(),
        "root": root.hex(),
        "entries": [{**s._asdict(), "key": s.key.hex(), "sha256": s.sha256.hex()} for s in slots],
        "shards": [pool.add(shards[number]) for number in range(1 << depth)],
    }


def _slot(number: int) -> Slot:
    digest = hashlib.sha256(b"entry %d" % number).digest()
    key = key_of(f"/entries/{number}/")
    return Slot(
        key, digest, number * 1_000_003, number + 1, 2_000 + number, number % 3, number % 32
    )


def _lookup(files: Files, path: str) -> dict[str, Any]:
    slot = entry(files, path)
    return {
        "path": path,
        "status": layout.HTTP_STATUS[slot.status],
        "sha256": slot.sha256.hex(),
        "length": slot.length,
        "edition": slot.edition,
        "day": slot.day,
        "media": layout.media_type(slot.media),
    }


def _case(pool: Pool, folders: dict[str, Files], case: Case) -> dict[str, Any]:
    return {"name": case.name, "steps": [_step(pool, folders, step) for step in case.steps]}


def _step(pool: Pool, folders: dict[str, Files], step: Step) -> dict[str, Any]:
    """A step as the folder that it is nearest to, and what is other in it."""

    def other(name: str) -> dict[str, str | None]:
        files = folders[name]
        changed = {n: pool.add(d) for n, d in sorted(step.files.items()) if files.get(n) != d}
        return {**changed, **{n: None for n in sorted(files) if n not in step.files}}

    nearest = min(folders, key=lambda name: len(other(name)))
    made: dict[str, Any] = {"folder": nearest, "files": other(nearest), "path": step.path}
    if step.endless:
        made["endless"] = list(step.endless)
    if step.hours:
        made["now"] = stamp(step.hours)
    made["error"] = step.error
    return made if step.error else {**made, "expect": _expected(step)}


def _expected(step: Step) -> dict[str, Any]:
    found = entries(step.files, step.path)
    slot = next(iter(found.values()))
    sealed = found.get(layout.ARCHIVE)
    expires = Metadata.from_bytes(step.files[layout.TIMESTAMP]).signed.expires
    return {
        "sha256": slot.sha256.hex(),
        "stale": NOW + timedelta(hours=step.hours) >= expires,
        "changed_after_sealing": sealed is not None and _shown(sealed) != _shown(slot),
    }


def _shown(slot: Slot) -> tuple[bytes, int, int]:
    return slot.sha256, slot.status, slot.media
