# SPDX-License-Identifier: AGPL-3.0-or-later
"""Cases: what a reader is shown, step after step, and what it must make of it."""

from __future__ import annotations

import copy
import gzip
from collections.abc import Iterator
from typing import Any, NamedTuple

import brotli
from tuf.api.metadata import MetaFile

from tamizdat.edition.signed import current, layout
from tamizdat.edition.signed.shards import KEY, Slot

from .forge import (
    edited,
    entry,
    fast_forward,
    name_of,
    objects,
    record_of,
    replaced,
    resigned,
    shard_of,
    signed_shard,
    singly,
    with_record,
    without,
)
from .paper import Editions, Files, Press, article, signer

PAGE = "/2026/pier-9/"
OTHER = "/2026/pier-10/"
PHOTO = "/photos/crane.png"
BLOCKED = b"<!doctype html><title>Blocked</title><h1>Access is restricted</h1>"


class Step(NamedTuple):
    """One visit. ``error`` is the code of the exception, ``""`` where the page is read;
    ``endless`` are names whose bytes do not end; ``hours`` the clock's distance from NOW."""

    files: Files
    error: str = ""
    path: str = PAGE
    endless: tuple[str, ...] = ()
    hours: float = 0


class Case(NamedTuple):
    name: str
    steps: tuple[Step, ...]


def cases(made: Editions, other: Press, others: Files) -> Iterator[Case]:
    """Every case. ``others`` is the folder of another newsroom."""
    for part in (honest(made), pages(made), shards(made), records(made)):
        yield from part
    yield from foreign(made, others)
    yield from faulty(made)
    for more in (signatures(made, other), versions(made), rotations(made)):
        yield from more


def honest(made: Editions) -> Iterator[Case]:
    first, second, third = made.first, made.second, made.third
    for path in ("/", "/новости/мост/", "/أخبار/الميناء/", PHOTO, "/empty.txt", "/2026/pier-5/"):
        yield Case(f"honest: {path}", (Step(second, path=path),))
    yield Case("honest: the same letters written in another way", (
        Step(second, path="/новости/е\u0308лка-и-и\u0306од/"),
    ))  # fmt: skip
    yield Case("honest: nothing at this path", (Step(second, "absent", "/nothing/"),))
    yield Case("honest: gone by the recent index", (Step(second, "absent", "/2026/pier-8/"),))
    yield Case("honest: gone by the base index", (Step(second, "absent", "/2026/pier-4/"),))
    yield Case("honest: updates follow each other", (Step(first), Step(second), Step(third)))
    yield Case("honest: without current", (Step(singly(second)),))
    yield Case("honest: current is damaged", (Step({**second, layout.CURRENT: b"TZM2\nx"}),))
    parts = current.decode(second[layout.CURRENT]).items()
    written = {name[9:]: data for name, data in parts if name.startswith("metadata/")}
    yield Case("honest: current with its digits written out", (
        Step({**second, layout.CURRENT: by_hand(written)}),
    ))  # fmt: skip
    yield Case("honest: a part of current ends within a number of bytes", (
        Step({**second, layout.CURRENT: by_hand({"timestamp.json": b"{\xff"})}),
    ))  # fmt: skip
    yield Case("honest: current is one edition behind", (
        Step(second), Step({**second, layout.CURRENT: first[layout.CURRENT]}),
    ))  # fmt: skip
    yield Case("honest: the clock is years ahead", (Step(second, hours=80 * 8766),))
    yield Case("honest: frozen for a month, shown as of its date", (Step(second, hours=720),))
    packed = objects(second, PAGE)[1]
    yield Case("honest: no compressed file", (Step(without(second, packed)),))
    yield Case(
        "honest: only the compressed file", (Step(without(second, objects(second, PAGE)[0])),)
    )


def by_hand(parts: dict[str, bytes]) -> bytes:
    """``metadata/current`` with its parts as they are, nothing packed."""
    head = "".join(f"{name} {len(data)}\n" for name, data in parts.items())
    return f"TZM2\n{head}\n".encode() + b"".join(parts.values())


def pages(made: Editions) -> Iterator[Case]:
    files = made.second
    plain, packed = objects(files, PAGE)
    body = files[plain]
    false = article("Pier 9 is closed", "Stay at home.").body
    photo = objects(files, PHOTO)[0]

    def both(data: bytes) -> Files:
        return {**files, plain: data, packed: brotli.compress(data)}

    def only(data: bytes) -> Files:
        return {**without(files, plain), packed: data}

    yield Case("page: altered", (Step(both(false), "tampered"),))
    yield Case("page: one bit altered", (Step(both(bytes([body[0] ^ 1]) + body[1:]), "tampered"),))
    yield Case("page: swapped for another page", (
        Step(both(files[objects(files, OTHER)[0]]), "tampered"),
    ))  # fmt: skip
    yield Case("page: its old version", (
        Step(_old_page(made), "tampered", "/2026/pier-3/"),
    ))  # fmt: skip
    yield Case("page: truncated", (Step(both(body[:-20]), "tampered"),))
    yield Case("page: empty", (Step({**files, plain: b"", packed: b""}, "tampered"),))
    yield Case("page: a block page instead", (
        Step({**files, plain: BLOCKED, packed: BLOCKED}, "tampered"),
    ))  # fmt: skip
    yield Case("page: endless", (Step(files, "too-long", endless=(plain, packed)),))
    yield Case("photo: longer than its entry", (
        Step({**files, photo: files[photo] + b"x"}, "too-long", PHOTO),
    ))  # fmt: skip
    yield Case("photo: endless", (Step(files, "too-long", PHOTO, (photo,)),))
    yield Case("page: missing", (Step(without(files, plain, packed), "missing"),))
    yield Case("compression: gzip under the name of brotli", (
        Step(only(gzip.compress(body, mtime=0)), "tampered"),
    ))  # fmt: skip
    yield Case("compression: not compressed", (Step(only(body), "tampered"),))
    yield Case("compression: a bomb", (
        Step(only(brotli.compress(bytes(50_000_000), quality=5)), "tampered"),
    ))  # fmt: skip
    yield Case("compression: cut off", (Step(only(files[packed][:-9]), "tampered"),))
    yield Case("compression: another page", (Step(only(brotli.compress(false)), "tampered"),))
    yield Case("compression: damaged, the plain file is whole", (
        Step({**files, packed: b"\xff" * 40}),
    ))  # fmt: skip


def _old_page(made: Editions) -> Files:
    plain, packed = objects(made.second, "/2026/pier-3/")
    old, old_packed = objects(made.first, "/2026/pier-3/")
    first = made.first
    return {**made.second, plain: first[old], packed: first[old_packed]}


def shards(made: Editions) -> Iterator[Case]:
    files = made.second
    name = shard_of(files, layout.ARCHIVE, PAGE)
    data = files[name]
    neighbour = next(
        n for n in files if n.startswith(name[:72]) and n != name and files[n][:5] == data[:5]
    )
    old = shard_of(made.first, layout.BASE, PAGE)
    recent = shard_of(files, layout.RECENT, PAGE)
    slots = data[9 + 64 :]

    def step(changed: bytes, error: str) -> tuple[Step]:
        return (Step({**files, name: changed}, error),)

    yield Case("shard: an entry altered", step(data[:-20] + b"x" + data[-19:], "tampered"))
    yield Case("shard: a sibling altered", step(data[:20] + b"x" + data[21:], "tampered"))
    yield Case("shard: an entry taken out", step(data[:-52], "tampered"))
    yield Case("shard: all entries taken out", step(data[:73], "tampered"))
    yield Case("shard: an entry added", step(data + slots[:52], "tampered"))
    yield Case("shard: wrong magic", step(b"TZS2" + data[4:], "format"))
    yield Case("shard: wrong depth", step(data[:4] + b"\3" + data[5:], "format"))
    yield Case("shard: wrong number", step(data[:8] + bytes([data[8] ^ 1]) + data[9:], "format"))
    yield Case("shard: another shard of the index", step(files[neighbour], "format"))
    yield Case("shard: another, with the number asked for", (
        *step(files[neighbour][:5] + data[5:9] + files[neighbour][9:], "tampered"),
    ))  # fmt: skip
    yield Case("shard: of an older index", step(made.first[old], "format"))
    yield Case("shard: of another index", step(files[recent], "format"))
    yield Case("shard: truncated", step(data[:-1], "format"))
    yield Case("shard: empty", step(b"", "format"))
    yield Case("shard: a block page instead", step(BLOCKED, "format"))
    yield Case("shard: endless", (Step(files, "too-long", endless=(name,)),))
    yield Case("shard: missing", (Step(without(files, name), "missing"),))
    yield Case("shard: of an upper index missing", (Step(without(files, recent), "missing"),))
    yield from signed_shards(made)


def signed_shards(made: Editions) -> Iterator[Case]:
    """Shards that break a rule and are signed for, by a thief of the online key or a mistake."""
    low, high = (Slot(bytes([n] * KEY), bytes(32), 1, 5, 1, 0, 1).pack() for n in (1, 200))
    for what, entries in (
        ("out of order", high + low),
        ("one key twice", low + low),
        ("half an entry", low + high[:20]),
    ):
        files = signed_shard(made.press, made.second, entries)
        yield Case(f"signed shard: {what}", (Step(files, "format"),))


def records(made: Editions) -> Iterator[Case]:
    press, files = made.press, made.second
    recent, base = (record_of(files, t) for t in (layout.RECENT, layout.BASE))
    name = next(n for n in current.decode(files[layout.CURRENT]) if n.endswith(".recent"))

    def signed(record: bytes, error: str, target: str = layout.RECENT, **info: Any) -> tuple[Step]:
        return (Step(with_record(press, files, target, record, **info), error),)

    altered = replaced(files, {name: recent._replace(edition=9).encode()})
    yield Case("record: altered", (Step(altered, "tampered"),))
    yield Case("record: missing", (Step(without(singly(files), name), "missing"),))
    yield Case("record: endless", (Step(singly(files), "too-long", endless=(name,)),))
    yield Case("record: over another base", signed(recent._replace(since=3).encode(), "tampered"))
    yield Case("record: wrong magic", signed(b"TZI2" + recent.encode()[4:], "format"))
    yield Case("record: too short", signed(recent.encode()[:-1], "format"))
    yield Case("record: depth 25", signed(recent._replace(depth=25).encode(), "format"))
    yield Case("record: nothing, with a root", signed(recent._replace(count=0).encode(), "format"))
    yield Case("record: signed for as too long", signed(recent.encode(), "format", length=70_000))
    older = with_record(press, files, layout.RECENT, recent._replace(edition=4).encode())
    yield Case("record: its edition goes back", (Step(files), Step(older, "rollback"), Step(files)))
    lower = with_record(press, files, layout.BASE, base._replace(edition=3).encode())
    lower = with_record(press, lower, layout.RECENT, recent._replace(since=3).encode())
    yield Case("record: the base goes back", (Step(files), Step(lower, "rollback")))

    def add(live: Any) -> None:
        live.targets[layout.ARCHIVE] = live.targets[layout.BASE]

    sealed = entry(files, PAGE)._replace(edition=9, day=9)
    for what, slot in {
        "with the same": sealed,
        "withdrawn": sealed._replace(status=layout.WITHDRAWN),
        "of another type": sealed._replace(media=0),
    }.items():
        laid = signed_shard(press, files, slot.pack())
        yield Case(f"index: a sealed page is overlaid, {what}", (Step(laid),))

    live = name_of(files, "live")
    grabbed = singly({**files, live: resigned(files[live], add, [press.online])})
    yield Case("record: the online key signs an archive, which is not asked", (Step(grabbed),))


def foreign(made: Editions, others: Files) -> Iterator[Case]:
    """Metadata that is another newsroom's, no metadata at all, or not there."""
    files = made.second
    stamp, targets = files[layout.TIMESTAMP], name_of(files, "targets")
    following = layout.metadata_name("root", 2)

    def one(name: str, data: bytes, error: str) -> tuple[Step]:
        return (Step(replaced(files, {name: data}), error),)

    yield Case("metadata: another newsroom's folder", (Step(others, "signer"),))
    yield Case("metadata: another newsroom's timestamp", (
        *one(layout.TIMESTAMP, others[layout.TIMESTAMP], "signer"),
    ))  # fmt: skip
    yield Case("metadata: another newsroom's targets", one(targets, others[targets], "signer"))
    yield Case("metadata: nothing but block pages", (
        Step(dict.fromkeys([*files, following], BLOCKED), "format"),
    ))  # fmt: skip
    yield Case("metadata: a block page for a root that is not there", (
        Step({**files, following: BLOCKED}, "format"),
    ))  # fmt: skip
    yield Case("metadata: an endless root", (Step(files, "too-long", endless=(following,)),))
    yield Case("metadata: not JSON", one(layout.TIMESTAMP, stamp[:-3], "format"))
    yield Case("metadata: deep JSON", one(layout.TIMESTAMP, b"[" * 3_900, "format"))
    yield Case("metadata: timestamp missing", (
        Step(without(singly(files), layout.TIMESTAMP), "missing"),
    ))  # fmt: skip


def faulty(made: Editions) -> Iterator[Case]:
    """Metadata of the newsroom's own that is too long, in another's place, or says too little."""
    files, press = made.second, made.press
    stamp, snapshot = files[layout.TIMESTAMP], name_of(files, "snapshot")
    targets = name_of(files, "targets")

    def one(name: str, data: bytes, error: str) -> tuple[Step]:
        return (Step(replaced(files, {name: data}), error),)

    yield Case("metadata: endless", (
        Step(files, "too-long", endless=(layout.CURRENT, layout.TIMESTAMP)),
    ))  # fmt: skip
    yield Case("metadata: current endless, the rest whole", (
        Step(files, endless=(layout.CURRENT,)),
    ))  # fmt: skip
    yield Case("metadata: endless snapshot", (
        Step(singly(files), "too-long", endless=(snapshot,)),
    ))  # fmt: skip

    def swell(signed: Any) -> None:
        signed.unrecognized_fields["x"] = "x" * 4_000

    huge = resigned(stamp, swell, [press.online])
    yield Case("metadata: huge and signed", one(layout.TIMESTAMP, huge, "too-long"))
    yield Case("metadata: snapshot in the place of targets", (
        *one(targets, files[snapshot], "format"),
    ))  # fmt: skip
    yield Case("metadata: a part is missing and nowhere else", (
        Step(without(singly(files), snapshot), "missing"),
    ))  # fmt: skip
    yield from swapped(made)

    def unsay(signed: Any) -> None:
        del signed.unrecognized_fields["issued"]

    def forget(signed: Any) -> None:
        del signed.meta["live.json"]

    yield Case("metadata: timestamp without its date", (
        *one(layout.TIMESTAMP, resigned(stamp, unsay, [press.online]), "format"),
    ))  # fmt: skip
    yield Case("metadata: snapshot without live", (
        *one(snapshot, resigned(files[snapshot], forget, [press.online]), "format"),
    ))  # fmt: skip


def swapped(made: Editions) -> Iterator[Case]:
    """What the holders signed for one role, shown as another: the signatures hold."""
    first, second, press = made.first, made.second, made.press
    targets, archive = name_of(first, "targets"), name_of(first, "archive")
    yield Case("metadata: archive in the place of targets", (
        Step(replaced(second, {targets: second[archive]}), "format"),
        Step(second),
    ))  # fmt: skip
    yield Case("metadata: targets in the place of archive", (
        Step(replaced(first, {archive: first[targets]}), "format"),
        Step(second),
    ))  # fmt: skip

    def lead(signed: Any) -> None:
        signed.meta["targets.json"].version = 2

    snapshot, sealed = name_of(second, "snapshot"), name_of(second, "archive")
    led = {
        snapshot: resigned(second[snapshot], lead, [press.online]),
        layout.metadata_name("targets", 2): second[sealed],
    }
    yield Case("metadata: the online key leads to the archive in the place of targets", (
        Step(replaced(second, led), "format"),
        Step(second),
    ))  # fmt: skip


def signatures(made: Editions, other: Press) -> Iterator[Case]:
    files, press = made.second, made.press
    stamp, targets = files[layout.TIMESTAMP], name_of(files, "targets")
    archive = name_of(files, "archive")
    holder = press.holders[0]

    def one(name: str, data: bytes, error: str) -> tuple[Step]:
        return (Step(replaced(files, {name: data}), error),)

    def nothing(signed: Any) -> None:
        pass

    def date(found: Any) -> None:
        found["signed"]["issued"] = "2026-12-01T12:00:00Z"

    def unsigned(found: Any) -> None:
        found["signatures"] = []

    def twice(found: Any) -> None:
        found["signatures"] = [found["signatures"][0]] * 2

    yield Case("signature: timestamp altered", one(layout.TIMESTAMP, edited(stamp, date), "signer"))
    yield Case("signature: none", one(layout.TIMESTAMP, edited(stamp, unsigned), "signer"))
    yield Case("signature: by another newsroom's online key", (
        *one(layout.TIMESTAMP, resigned(stamp, nothing, [other.online]), "signer"),
    ))  # fmt: skip
    for role, name in (("targets", targets), ("archive", archive)):
        yield Case(f"signature: {role} by one holder", (
            *one(name, resigned(files[name], nothing, [holder]), "signer"),
        ))  # fmt: skip
        yield Case(f"signature: {role} by the online key", (
            *one(name, resigned(files[name], nothing, [press.online]), "signer"),
        ))  # fmt: skip
        yield Case(f"signature: {role} twice by one holder", (
            *one(name, edited(files[name], twice), "format"),
        ))  # fmt: skip
    live = name_of(files, "live")
    yield Case("signature: live by a holder", (
        *one(live, resigned(files[live], nothing, [holder]), "signer"),
    ))  # fmt: skip
    doubled = stamp.replace(b'"signed":{', b'"signed":{"issued":"2026-12-01T12:00:00Z",', 1)
    yield Case("signature: a member twice", one(layout.TIMESTAMP, doubled, "format"))


def versions(made: Editions) -> Iterator[Case]:
    first, second, press = made.first, made.second, made.press
    stamp = layout.TIMESTAMP
    names = {role: name_of(second, role) for role in ("snapshot", "live", "archive")}
    old = {role: name_of(first, role) for role in names}

    def one(name: str, data: bytes, error: str) -> tuple[Step]:
        return (Step(replaced(second, {name: data}), error),)

    yield Case("rollback: the whole folder", (Step(second), Step(first, "rollback"), Step(second)))
    yield Case("rollback: the timestamp", (
        Step(second), Step(replaced(second, {stamp: first[stamp]}), "rollback"), Step(second),
    ))  # fmt: skip
    for role in names:
        yield Case(f"mixed: an old {role} under the new name", (
            *one(names[role], first[old[role]], "rollback"),
        ))  # fmt: skip
    yield Case("mixed: new timestamp, all else old", (
        Step(singly({**first, stamp: second[stamp]}), "missing"),
    ))  # fmt: skip
    half = without(singly(second), names["live"])
    yield Case("interrupted: an update that stops in its middle leaves no trace", (
        Step(first), Step(half, "missing"), Step(first), Step(second),
    ))  # fmt: skip

    def lower(signed: Any) -> None:
        signed.version += 1
        signed.meta["live.json"].version = 1

    def point(signed: Any) -> None:
        signed.version += 1
        signed.snapshot_meta = MetaFile(press.snapshot + 1)

    made_stamp = resigned(second[stamp], point, [press.online])
    made_snapshot = resigned(second[names["snapshot"]], lower, [press.online])
    following = layout.metadata_name("snapshot", press.snapshot + 1)
    thief = singly({**second, stamp: made_stamp, following: made_snapshot})
    yield Case("rollback: of one role, signed by the online key", (
        Step(second), Step(thief, "rollback"), Step(second),
    ))  # fmt: skip
    forward = fast_forward(press, second)
    yield Case("fast-forward: a thief's versions hide what follows", (
        Step(forward), Step(second, "rollback"),
    ))  # fmt: skip
    yield Case("fast-forward: new keys end it", (Step(forward), Step(made.third)))


def rotations(made: Editions) -> Iterator[Case]:
    second, third, press = made.second, made.third, made.press
    name = layout.metadata_name("root", 2)
    root = third[name]
    old, new = press.holders, made.later.holders

    def signed(*signers: Any, change: Any = lambda signed: None) -> Files:
        return {**third, name: resigned(root, change, signers)}

    def skip(signed: Any) -> None:
        signed.version = 3

    def two_names(signed: Any) -> None:
        key = copy.deepcopy(old[0].public_key)
        key.keyid = "f" * 16
        signed.add_key(key, "root")

    yield Case("root: signed by one holder", (Step(signed(old[0]), "signer"),))
    yield Case("root: signed by the old keys only", (Step(signed(old[0], old[2]), "signer"),))
    yield Case("root: signed by the new keys only", (Step(signed(new[0], new[2]), "signer"),))
    yield Case("root: signed by strangers", (
        Step(signed(signer("stranger 1"), signer("stranger 2")), "signer"),
    ))  # fmt: skip
    yield Case("root: a version left out", (Step(signed(*old[:2], change=skip), "rollback"),))
    yield Case("root: one key under two identifiers", (
        Step(signed(*old[:2], change=two_names), "format"),
    ))  # fmt: skip
    keys = root.index(b'"keys":{') + len(b'"keys":{')
    first = root[keys : root.index(b"},", keys) + 1]
    twice = root[:keys] + first + b"," + root[keys:]
    yield Case("root: an identifier twice", (Step({**third, name: twice}, "format"),))
    yield Case("root: the old online key counts no more", (
        Step({**third, **_stamped_by(press, third)}, "signer"),
    ))  # fmt: skip
    yield Case("root: hidden by a mirror, which then has nothing newer", (
        Step(third), Step(without(second, name), "signer"), Step(third),
    ))  # fmt: skip
    yield Case("root: newly seen, then hidden: what was seen is kept", (
        Step(third), Step(without(third, name)),
    ))  # fmt: skip


def _stamped_by(press: Press, files: Files) -> Files:
    made = resigned(files[layout.TIMESTAMP], lambda signed: None, [press.online])
    return replaced(files, {layout.TIMESTAMP: made})
