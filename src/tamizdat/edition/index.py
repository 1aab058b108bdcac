# SPDX-License-Identifier: AGPL-3.0-or-later
"""The index: path → what lies there, as a tree of small files named by their sha-256.

What always holds:

- The tree is a function of its entries alone: a subtree with at most ``SHARD`` entries is one
  shard, a larger one is a branch of sixteen by the next hexadecimal digit of the sha-256 of the
  path. So the number of shards follows the size, and no history shows in it.
- Files are never changed, only added: an old root stays whole until its files are removed.
- A change rewrites the shards of what changed and the branches above them, nothing else.

What is not done here: signing, keeping bytes (``store``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import msgspec

from tamizdat.edition.errors import StoreError
from tamizdat.edition.store import Store

SHARD = 64
_DIGITS = "0123456789abcdef"
_AT_HAND = 4096  # files, some 20 kB each
_KEPT = 1500  # the same from one run to the next
STREAMED = 4096  # entries; a larger index is put together from its 256 parts


class Entry(msgspec.Struct, array_like=True, frozen=True):
    """What lies at a path. ``edition`` is the one in which it last changed; ``status`` is 200, 301
    (to ``location``, a path) or 410."""

    path: str
    sha256: str
    length: int
    edition: int
    media_type: str
    status: int = 200
    location: str = ""

    def same(self, other: Entry | None) -> bool:
        """True where readers see no difference."""
        return other is not None and (
            self.sha256 == other.sha256
            and self.status == other.status
            and self.location == other.location
            and self.media_type == other.media_type
        )


class Shard(msgspec.Struct, frozen=True, tag_field="kind", tag="shard"):
    """Entries in the order of the sha-256 of their paths."""

    entries: tuple[Entry, ...]


class Branch(msgspec.Struct, frozen=True, tag_field="kind", tag="branch"):
    """Sixteen subtrees: sha-256 (empty where there is none) and number of entries of each."""

    children: tuple[str, ...]
    counts: tuple[int, ...]


class Subtree(NamedTuple):
    """A tree's root (empty where it has no entries) and how many entries it has."""

    root: str
    size: int


EMPTY = Subtree("", 0)
Changes = dict[str, Entry | None]
Nodes = dict[str, Shard | Branch]
"""Files of trees by their names. As these are their sha-256, what is at hand stays true."""


class Difference(NamedTuple):
    """A path whose entry is another in two trees; None where it is in one only."""

    old: Entry | None
    new: Entry | None


Known = dict[tuple[str, str], list[Difference]]
"""What differs between two trees, by their roots: who changed one into the other knows it."""
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Shard | Branch)


def key(path: str) -> str:
    """Where in the tree a path is: the sha-256 of its UTF-8."""
    return hashlib.sha256(path.encode()).hexdigest()


class Index:
    """Reads and writes index trees in a store. ``nodes`` are at hand already, from a former run;
    more are put there. ``known``: what is known to differ between trees. After ``update``,
    ``written`` are the names of files added and ``replaced`` those of files that only the older
    tree has."""

    def __init__(
        self, store: Store, nodes: Nodes | None = None, known: Known | None = None
    ) -> None:
        self._store = store
        self.known: Known = {} if known is None else known
        self._nodes: Nodes = {} if nodes is None else nodes
        if len(self._nodes) > _KEPT:
            self._nodes.clear()
        self._pending: dict[str, bytes] | None = None
        self.written: set[str] = set()
        self.replaced: set[str] = set()

    def lookup(self, root: str, path: str) -> Entry | None:
        """What lies at a path. Raises ``FileNotFoundError`` where the tree was removed."""
        digits = key(path)
        for digit in digits:
            if not root:
                return None
            node = self.node(root)
            if isinstance(node, Shard):
                return next((e for e in node.entries if e.path == path), None)
            root = node.children[int(digit, 16)]
        return None

    def node(self, name: str) -> Shard | Branch:
        """One file of the tree. Raises ``StoreError`` where it is damaged."""
        node = self._nodes.get(name)
        if node is None:
            if len(self._nodes) > _AT_HAND and not self._pending:
                self._nodes.clear()
            try:
                node = _decoder.decode(self._store.get(name, "index"))
            except msgspec.DecodeError as error:
                raise StoreError(f"index file {name} is damaged: build the paper anew") from error
            self._nodes[name] = node
        return node

    def walk(self, root: str) -> Iterator[Entry]:
        """Every entry, in the order of their keys."""
        if not root:
            return
        node = self.node(root)
        if isinstance(node, Shard):
            yield from node.entries
            return
        for child in node.children:
            yield from self.walk(child)

    def walk_part(self, root: str, digit: str) -> Iterator[Entry]:
        """The entries whose keys begin with a digit, in their order."""
        node = self.node(root) if root else None
        if isinstance(node, Branch):
            yield from self.walk(node.children[int(digit, 16)])
        elif node is not None:
            yield from (entry for entry in node.entries if key(entry.path)[0] == digit)

    def files(self, root: str) -> Iterator[str]:
        """The names of the tree's files. A subtree that fits in a shard is one: it is not read."""
        if not root:
            return
        yield root
        node = self.node(root)
        if isinstance(node, Branch):
            for child, count in zip(node.children, node.counts, strict=True):
                if count > SHARD:
                    yield from self.files(child)
                elif child:
                    yield child

    def update(self, tree: Subtree, changes: Changes) -> Subtree:
        """The tree with entries set, and removed where the change is None."""
        ordered = sorted(((key(p), p, e) for p, e in changes.items()), key=lambda change: change[0])
        self._pending = {}
        made = self._update(tree, [(k, e or p) for k, p, e in ordered], 0)
        self._flush(made.root, self._pending)
        self._pending = None
        self.replaced -= self.written
        return made

    def build(self, entries: Iterable[Entry], count: int) -> Subtree:
        """A new tree of ``count`` entries given in the order of their keys."""
        if count <= STREAMED:
            return self._make([(key(e.path), e) for e in entries], 0)
        outer = [EMPTY] * 16
        for digit, part in groupby(entries, lambda entry: key(entry.path)[0]):
            outer[int(digit, 16)] = self.build_part(part)
        return self.join(outer)

    def build_part(self, entries: Iterable[Entry]) -> Subtree:
        """The part of a tree of more than ``STREAMED`` entries whose keys begin with one digit."""
        keyed = ((key(e.path), e) for e in entries)
        inner = [EMPTY] * 16
        for second, group in groupby(keyed, lambda pair: pair[0][1]):
            inner[int(second, 16)] = self._make(list(group), 2)
        return self.join(inner)

    def _update(self, tree: Subtree, changes: list[tuple[str, Entry | str]], depth: int) -> Subtree:
        if not tree.root:
            return self._make([(k, e) for k, e in changes if isinstance(e, Entry)], depth)
        node = self.node(tree.root)
        if isinstance(node, Shard):
            changed = {k for k, _ in changes}
            kept = [(k, e) for e in node.entries if (k := key(e.path)) not in changed]
            kept += [(k, e) for k, e in changes if isinstance(e, Entry)]
            made = self._make(sorted(kept, key=lambda pair: pair[0]), depth)
        else:
            children = [Subtree(*pair) for pair in zip(node.children, node.counts, strict=True)]
            for digit, group in groupby(changes, lambda pair: pair[0][depth]):
                place = int(digit, 16)
                children[place] = self._update(children[place], list(group), depth + 1)
            made = self.join(children)
        if made.root != tree.root:
            self._replace(tree.root)
        return made

    def _make(self, entries: list[tuple[str, Entry]], depth: int) -> Subtree:
        if not entries:
            return EMPTY
        if len(entries) <= SHARD:
            return self._write(Shard(tuple(e for _, e in entries)), len(entries))
        children = [EMPTY] * 16
        for digit, group in groupby(entries, lambda pair: pair[0][depth]):
            children[int(digit, 16)] = self._make(list(group), depth + 1)
        return self.join(children)

    def join(self, children: Sequence[Subtree]) -> Subtree:
        """One tree of sixteen."""
        count = sum(child.size for child in children)
        if count > SHARD:
            branch = Branch(tuple(c.root for c in children), tuple(c.size for c in children))
            return self._write(branch, count)
        entries = [entry for child in children for entry in self.walk(child.root)]
        for child in children:
            if child.root:
                self._replace(child.root)
        return self._write(Shard(tuple(entries)), count) if count else EMPTY

    def _write(self, node: Shard | Branch, count: int) -> Subtree:
        data = _encoder.encode(node)
        if self._pending is None:
            return Subtree(self._store.put(data, "index"), count)
        name = self._store.digest(data)
        self._pending[name] = data
        self._nodes[name] = node
        return Subtree(name, count)

    def _flush(self, name: str, pending: dict[str, bytes]) -> None:
        """Write what of the new tree is new: a change makes nodes that do not stay in it."""
        if name not in pending:
            return
        self._store.put(pending[name], "index")
        self.written.add(name)
        node = self._nodes[name]
        for child in node.children if isinstance(node, Branch) else ():
            self._flush(child, pending)

    def _replace(self, name: str) -> None:
        self.replaced.add(name)


def differences(index: Index, old: str, new: str) -> Iterator[Difference]:
    """What changed between two trees; equal subtrees are not read."""
    yield from index.known.get((old, new)) or _compared(index, old, new)


def _compared(index: Index, old: str, new: str) -> Iterator[Difference]:
    if old == new:
        return
    if not (old and new):
        for entry in index.walk(old or new):
            yield Difference(entry, None) if old else Difference(None, entry)
        return
    first, second = (index.node(root) for root in (old, new))
    if isinstance(first, Branch) and isinstance(second, Branch):
        for left, right in zip(first.children, second.children, strict=True):
            if left != right:
                yield from _compared(index, left, right)
        return
    before = {entry.path: entry for entry in index.walk(old)}
    after = {entry.path: entry for entry in index.walk(new)}
    for path, entry in after.items():
        if not entry.same(before.get(path)):
            yield Difference(before.get(path), entry)
    for path, entry in before.items():
        if path not in after:
            yield Difference(entry, None)
