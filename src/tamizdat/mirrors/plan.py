# SPDX-License-Identifier: AGPL-3.0-or-later
"""What must travel to a mirror, and what may leave it, to bring it to an edition.

What always holds:

- After ``plan`` the manifest names every file that the edition leads to, as there or to be sent,
  and as unneeded everything else that it knows.
- Where neither the base nor the archive changed, the work is that of the recent index, whatever
  the size of the paper; else every entry is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator

from tamizdat.edition.signed import layout, shards
from tamizdat.mirrors.manifest import Manifest
from tamizdat.mirrors.source import Head, Source, shard_names


def plan(manifest: Manifest, source: Source, head: Head) -> None:
    """Note in the manifest what ``head`` needs. Raises ``SupersededError`` and ``SourceError``;
    then nothing was noted."""
    with manifest.transaction():
        if _same_ground(manifest, head):
            _changes(manifest, source, head)
        else:
            manifest.need_all(_everything(source, head))
            manifest.db.execute("DELETE FROM laid")
            _lay(manifest, {slot.key: _object(slot) for slot in source.slots(head.recent)})
        manifest.set_meta("base", head.base.root.hex())
        manifest.set_meta("archive", head.archive.root.hex())


def removable(manifest: Manifest, source: Source, limit: int = 500) -> Iterator[list[str]]:
    """Files that may leave the mirror now, in parts. An object that our own folder still has may
    be another path's too: it stays until our folder is rid of it."""
    last = ""
    while found := manifest.to_remove(limit, last):
        last = found[-1]
        gone = [n for n in found if not n.startswith("objects/") or not source.has(n)]
        if gone:
            yield gone


def _same_ground(manifest: Manifest, head: Head) -> bool:
    return bool(manifest.meta("base")) and (
        manifest.meta("base") == head.base.root.hex()
        and manifest.meta("archive") == head.archive.root.hex()
    )


def _everything(source: Source, head: Head) -> Iterator[tuple[str, int]]:
    yield from _small(source, head)
    for record in (head.base, head.archive):
        yield from _lengths(source, shard_names(record))
    for wanted in source.wanted(head):
        yield from source.variants(wanted.sha256)


def _small(source: Source, head: Head) -> Iterator[tuple[str, int]]:
    """What every edition writes: metadata, targets, the recent index."""
    names = [*head.fixed, *head.roots, *shard_names(head.recent)]
    return _lengths(source, iter(names))


def _lengths(source: Source, names: Iterator[str]) -> Iterator[tuple[str, int]]:
    for name in names:
        yield name, source.length(name)


def _changes(manifest: Manifest, source: Source, head: Head) -> None:
    small = dict(_small(source, head))
    before = {*manifest.below("metadata/"), *manifest.below("targets/"), *_recent(manifest, head)}
    manifest.unneed(before - set(small))
    manifest.need(small.items())
    laid = dict(manifest.db.execute("SELECT key, sha256 FROM laid"))
    now = {slot.key: _object(slot) for slot in source.slots(head.recent)}
    changed = [key for key in {*laid, *now} if laid.get(key) != now.get(key)]
    old = [laid[k] if k in laid else _beneath(source, head, k) for k in changed]
    new = [now[k] if k in now else _beneath(source, head, k) for k in changed]
    manifest.unneed(
        layout.object_name(sha256, brotli=brotli)
        for sha256 in old
        if sha256
        for brotli in (False, True)
    )
    for sha256 in filter(None, new):
        manifest.need(source.variants(sha256))
    manifest.spare(source.has)
    manifest.db.executemany("DELETE FROM laid WHERE key = ?", [(key,) for key in laid.keys() - now])
    _lay(manifest, {key: now[key] for key in changed if key in now})


def _recent(manifest: Manifest, head: Head) -> Iterator[str]:
    """Shards that are neither the base's nor the archive's: those of recent indexes."""
    low = "shards/"
    for root in sorted({head.base.root.hex(), head.archive.root.hex()}):
        yield from manifest.between(low, f"shards/{root}/")
        low = f"shards/{root}/\U0010ffff"
    yield from manifest.between(low, "shards/\U0010ffff")


def _beneath(source: Source, head: Head, key: bytes) -> str:
    """The object that a key has without the recent index; empty where it has none."""
    for record in (head.base, head.archive):
        if slot := source.find(record, key):
            return _object(slot)
    return ""


def _object(slot: shards.Slot) -> str:
    return "" if slot.status == layout.GONE else slot.sha256.hex()


def _lay(manifest: Manifest, laid: dict[bytes, str]) -> None:
    manifest.db.executemany("INSERT OR REPLACE INTO laid VALUES (?, ?)", laid.items())
