# SPDX-License-Identifier: AGPL-3.0-or-later
"""Lies in what a mirror says: other bytes, older ones, those of others."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import brotli

from tamizdat.edition.signed import current, layout
from tests.lying.liar import Answer, Reply, honest
from tests.lying.scene import Files, Scene

READS = "reads"  # the present edition, verified: the lie was harmless
OLDER = "older"  # a former edition, verified and with its date, by who has not seen a newer one
PLAIN_PAGE = b"<!doctype html><title>Restricted</title><h1>Access is restricted</h1>" * 20


@dataclass(frozen=True)
class Lie:
    """``python`` and ``browser``: what the verifying readers say of it, an error's code or one of
    the words above; ``first|returning`` where who has read before is told otherwise. ``slow``
    ones take seconds."""

    name: str
    tell: Callable[[Scene], Answer]
    python: str
    browser: str
    slow: bool = False

    def said_by(self, reader: str, *, returning: bool) -> str:
        first, _, second = getattr(self, reader).partition("|")
        return str(second or first) if returning else str(first)


def instead(changes: Callable[[Scene], Mapping[str, bytes | Reply | None]]) -> Any:
    """An honest mirror of the present edition but for these files; None: not there."""

    def tell(scene: Scene) -> Answer:
        changed = changes(scene)

        def answer(name: str) -> Reply | None:
            if name not in changed:
                return honest(scene.present)(name)
            found = changed[name]
            return Reply(found) if isinstance(found, bytes) else found

        return answer

    return tell


def all_objects(change: Callable[[Scene, str, bytes], bytes | Reply | None]) -> Any:
    return _all("objects/", change)


def all_shards(change: Callable[[Scene, str, bytes], bytes | Reply | None]) -> Any:
    return _all("shards/", change)


def _all(prefix: str, change: Callable[[Scene, str, bytes], bytes | Reply | None]) -> Any:
    return instead(
        lambda scene: {
            name: change(scene, name, data)
            for name, data in scene.present.items()
            if name.startswith(prefix)
        }
    )


def copy_of(files: Callable[[Scene], Files]) -> Any:
    return lambda scene: honest(files(scene))


def one_by_one(changes: Callable[[Scene], Mapping[str, bytes | Reply | None]]) -> Any:
    """The same where there is no ``current``: the files are asked for one by one."""
    return instead(lambda scene: {layout.CURRENT: None, **changes(scene)})


def page(change: Callable[[bytes], bytes]) -> Any:
    """Both files of the page are those of changed bytes."""

    def changes(scene: Scene) -> dict[str, bytes]:
        plain, data = scene.plain(scene.present), change(scene.text(scene.present))
        return {plain: data, f"{plain}.br": brotli.compress(data)}

    return instead(changes)


def signed(change: Callable[[dict[str, Any]], None], *roles: str) -> Any:
    """The JSON of roles is changed, and nobody signs it."""

    def changes(scene: Scene) -> dict[str, bytes]:
        made: dict[str, bytes] = {}
        for name, data in scene.present.items():
            if name.startswith("metadata/") and name.removesuffix(".json").endswith(roles):
                document = json.loads(data)
                change(document)
                made[name] = json.dumps(document).encode()
        return made

    return one_by_one(changes)


def parts(scene: Scene, files: Files) -> dict[str, bytes]:
    return current.decode(files[layout.CURRENT])


def mixed(*from_old: str) -> Any:
    """``current`` of the present edition, with some parts of the one before."""

    def tell(scene: Scene) -> Answer:
        old = parts(scene, scene.seen)
        made: dict[str, bytes] = {}
        for name, data in parts(scene, scene.present).items():
            kind = name.rpartition(".")[0].rpartition(".")[2] or name
            kind = name.rpartition(".")[2] if name.startswith("targets/") else kind
            kind = "timestamp" if name == layout.TIMESTAMP else kind
            others = {n: d for n, d in old.items() if n.endswith((f".{kind}.json", f".{kind}"))}
            if kind == "timestamp":
                others = {layout.TIMESTAMP: old[layout.TIMESTAMP]}
            made.update(others if kind in from_old else {name: data})
        files = {**scene.seen, **scene.present, layout.CURRENT: current.encode(made)}
        if "timestamp" in from_old:
            files[layout.TIMESTAMP] = old[layout.TIMESTAMP]
        return honest(files)

    return tell


@cache
def bomb() -> bytes:
    """Some fifty bytes of brotli that are 64 MB."""
    return bytes(brotli.compress(bytes(64_000_000), quality=5, lgwin=24))


@cache
def gzip_bomb() -> bytes:
    return gzip.compress(bytes(64_000_000), 6)


def _raise_version(document: dict[str, Any]) -> None:
    document["signed"]["version"] += 100


def _another_day(document: dict[str, Any]) -> None:
    document["signed"]["issued"] = "2026-01-01T00:00:00Z"


def _live_longer(document: dict[str, Any]) -> None:
    document["signed"]["expires"] = "2126-01-01T00:00:00Z"


def _unsigned(document: dict[str, Any]) -> None:
    document["signatures"] = []


def _signed_many_times(document: dict[str, Any]) -> None:
    document["signatures"] *= 5_000


def _own_keys(document: dict[str, Any]) -> None:
    document["signed"]["delegations"]["roles"][0]["threshold"] = 0


def _twice(scene: Scene) -> dict[str, bytes]:
    data = scene.present[layout.TIMESTAMP]
    return {layout.TIMESTAMP: data.replace(b'{"signatures"', b'{"signed":{},"signatures"', 1)}


def _altered(data: bytes) -> bytes:
    made = data.replace(b"Edition 3 of it.", b"Nothing happened", 1)
    assert made != data
    assert len(made) == len(data)
    return made


def _flip(data: bytes) -> bytes:
    return data[:-30] + bytes([data[-30] ^ 1]) + data[-29:]


def _swapped(scene: Scene) -> dict[str, bytes]:
    here, there = scene.plain(scene.present), scene.plain(scene.present, scene.neighbour)
    made: dict[str, bytes] = {}
    for end in ("", ".br"):
        made |= {here + end: scene.present[there + end], there + end: scene.present[here + end]}
    return made


def _former(scene: Scene) -> dict[str, bytes]:
    here, there = scene.plain(scene.present), scene.plain(scene.seen)
    return {here + end: scene.seen[there + end] for end in ("", ".br")}


def _others_page(scene: Scene) -> dict[str, bytes]:
    text = next(d for d in scene.other.values() if b"What another newsroom says" in d)
    here = scene.plain(scene.present)
    return {here: text, f"{here}.br": brotli.compress(text)}


def _other_shard(scene: Scene) -> dict[str, bytes]:
    """The shard beside it: whole, of the same index, of another number."""
    name = scene.shards(scene.present)["archive"]
    beside = next(n for n in scene.present if n != name and n[:70] == name[:70])
    return {name: scene.present[beside]}


def _other_index(scene: Scene) -> dict[str, bytes]:
    names = scene.shards(scene.present)
    return {names["recent"]: scene.present[names["base"]]}


def _former_shard(scene: Scene) -> dict[str, bytes]:
    now, before = (scene.shards(files)["recent"] for files in (scene.present, scene.seen))
    return {now: scene.seen[before]}


def _another_hash(scene: Scene) -> dict[str, bytes]:
    """The index is made to say that the former page is the page."""
    name = scene.shards(scene.present)["recent"]
    old, new = (bytes.fromhex(scene.plain(f)[-64:]) for f in (scene.present, scene.seen))
    made = scene.present[name].replace(old, new)
    assert made != scene.present[name]
    return {name: made}


def _no_entry(scene: Scene) -> dict[str, bytes]:
    name = scene.shards(scene.present)["recent"]
    return {name: scene.present[name][:-52]}


def _nothing_at_all(scene: Scene) -> dict[str, bytes]:
    name = scene.shards(scene.present)["recent"]
    return {name: scene.present[name][:9]}


def _wrong_depth(scene: Scene) -> dict[str, bytes]:
    name = scene.shards(scene.present)["recent"]
    data = scene.present[name]
    return {name: data[:4] + b"\xff" + data[5:]}


def _own_root(scene: Scene) -> dict[str, bytes]:
    """Another newsroom's keys, as if they were this newsroom's next."""
    document = json.loads(scene.other["metadata/1.root.json"])
    document["signed"]["version"] = 2
    return {"metadata/2.root.json": json.dumps(document).encode()}


def _coup(scene: Scene) -> dict[str, bytes]:
    return {**scene.other, **_own_root(scene)}


def _lying_list(scene: Scene) -> dict[str, bytes]:
    data = scene.present[layout.CURRENT]
    return {layout.CURRENT: data.replace(b"timestamp.json ", b"timestamp.json 9", 1)}


def _many_parts(scene: Scene) -> dict[str, bytes]:
    head = "TZM2\n" + "".join(f"{n}.snapshot.json 1\n" for n in range(1_000)) + "\n"
    return {layout.CURRENT: head.encode() + b"x" * 1_000}


def _ways_out(scene: Scene) -> dict[str, bytes]:
    data = scene.present[layout.CURRENT]
    return {layout.CURRENT: data.replace(b"timestamp.json ", b"../../objects/x ", 1)}


def _deep(_: Scene) -> dict[str, bytes]:
    return {layout.TIMESTAMP: b'{"signed":' * 390}


def _br(data: bytes) -> dict[str, str | None]:
    return {"Content-Encoding": "br", "Content-Length": str(len(data))}


def _only_packed(change: Callable[[bytes, bytes], bytes | Reply]) -> Any:
    """The compressed file of the page lies, the plain one is not there."""

    def changes(scene: Scene) -> dict[str, bytes | Reply | None]:
        plain = scene.plain(scene.present)
        packed = change(scene.present[f"{plain}.br"], scene.present[plain])
        return {plain: None, f"{plain}.br": packed}

    return instead(changes)


BYTES = [
    Lie("a word of the page is another", page(_altered), "tampered", "altered"),
    Lie("a bit of the page is another", page(_flip), "tampered", "altered"),
    Lie("two pages are swapped", instead(_swapped), "tampered", "altered"),
    Lie("the page as it was in the last edition", instead(_former), "tampered", "altered"),
    Lie("another newsroom's page", instead(_others_page), "tampered", "tooLong"),
    Lie("the page is cut short", page(lambda d: d[:500]), "tampered", "altered"),
    Lie("the page goes on after its end", page(lambda d: d + b"<p>More."), "tampered", "tooLong"),
    Lie("the page is empty", page(lambda _: b""), "tampered", "altered"),
    Lie("every page is a block page", all_objects(lambda *_: PLAIN_PAGE), "tampered", "altered"),
    Lie("pages are not there", all_objects(lambda *_: None), "missing", "missing"),
    Lie("the shard beside it", instead(_other_shard), "format", "format"),
    Lie("the shard of another index", instead(_other_index), "format", "format"),
    Lie("the shard of the last edition", instead(_former_shard), "tampered", "altered"),
    Lie(
        "the index says that the old page is the page",
        instead(_another_hash),
        "tampered",
        "altered",
    ),
    Lie("the index does not have the page", instead(_no_entry), "tampered", "altered"),
    Lie("the index has nothing", instead(_nothing_at_all), "format", "format"),
    Lie("the shard says another depth", instead(_wrong_depth), "format", "format"),
    Lie("shards are empty", all_shards(lambda *_: b""), "format", "format"),
    Lie("shards are not there", all_shards(lambda *_: None), "missing", "missing"),
    Lie("shards are cut short", all_shards(lambda s, n, d: d[: len(d) // 2]), "format", "format"),
    Lie("compressed: a bomb of 64 MB", _only_packed(lambda *_: bomb()), "tampered", "tooLong"),
    Lie(
        "compressed: gzip that says brotli",
        _only_packed(lambda _, d: gzip.compress(d)),
        "tampered",
        "altered",
    ),
    Lie("compressed: twice", _only_packed(lambda d, _: brotli.compress(d)), "tampered", "altered"),
    Lie("compressed: cut short", _only_packed(lambda d, _: d[:-9]), "tampered", "altered"),
    Lie("compressed: not at all", _only_packed(lambda _, d: d), "tampered", "altered"),
    Lie(
        "compressed: with more behind it",
        _only_packed(lambda d, _: d + b"more"),
        "tampered",
        "reads",
    ),
]

METADATA = [
    Lie(
        "the edition before the last", copy_of(lambda s: s.old), "older|rollback", "older|rollback"
    ),
    Lie("the last edition, frozen", copy_of(lambda s: s.seen), OLDER, OLDER),
    Lie("a new timestamp over the old snapshot", mixed("snapshot"), READS, READS),
    Lie("an old timestamp over all that is new", mixed("timestamp"), OLDER, OLDER),
    Lie("old signatures of the live part", mixed("live"), READS, READS),
    Lie("old records of the index", mixed("recent"), READS, READS),
    Lie("another newsroom's copy", copy_of(lambda s: s.other), "signer", "signer"),
    Lie(
        "another newsroom's current",
        instead(lambda s: {layout.CURRENT: s.other[layout.CURRENT]}),
        READS,
        READS,
    ),
    Lie(
        "another newsroom's timestamp",
        one_by_one(lambda s: {layout.TIMESTAMP: s.other[layout.TIMESTAMP]}),
        "signer",
        "signer",
    ),
    Lie("another newsroom's keys", instead(_own_root), "signer", "signer"),
    Lie("another newsroom's keys, and all of its copy", instead(_coup), "signer", "signer"),
    Lie(
        "the first keys once more",
        instead(lambda s: {"metadata/2.root.json": s.present["metadata/1.root.json"]}),
        "rollback",
        "rollback",
    ),
    Lie("nobody signed the timestamp", signed(_unsigned, "timestamp"), "signer", "signer"),
    Lie("nobody signed what is live", signed(_unsigned, ".live"), "signer", "signer"),
    Lie("the timestamp says another day", signed(_another_day, "timestamp"), "signer", "signer"),
    Lie("the timestamp holds for a century", signed(_live_longer, "timestamp"), "signer", "signer"),
    Lie(
        "all versions are higher",
        signed(_raise_version, "timestamp", ".snapshot", ".live"),
        "signer",
        "signer",
    ),
    Lie(
        "one signature is enough, targets says",
        signed(_own_keys, ".targets"),
        "format|reads",
        "format|reads",
    ),
    Lie(
        "one signature, 5,000 times", signed(_signed_many_times, "timestamp"), "too-long", "tooLong"
    ),
    Lie("a member of the timestamp twice", one_by_one(_twice), "format", "format"),
    Lie("the timestamp is very deep", one_by_one(_deep), "format", "format"),
    Lie("metadata is not there", instead(lambda s: dict.fromkeys(s.present)), "missing", "missing"),
    Lie("current is a block page", instead(lambda _: {layout.CURRENT: PLAIN_PAGE}), READS, READS),
    Lie(
        "all metadata is a block page",
        instead(lambda s: dict.fromkeys(s.present, PLAIN_PAGE)),
        "format",
        "format",
    ),
    Lie("current says that its parts are longer", instead(_lying_list), READS, READS),
    Lie("current has a thousand parts", instead(_many_parts), READS, READS),
    Lie("current names files elsewhere", instead(_ways_out), READS, READS),
]
