# SPDX-License-Identifier: AGPL-3.0-or-later
"""The plain tree: the paper as ordinary files, for a web server that knows nothing of us.

What always holds: it follows the pointer and is never ahead of it; each file is whole (hard
links, one rename a file); new stories appear before the lists that lead to them, and what is
gone is removed last. ``tree.json`` names the index that the tree is known to equal, so that
after a crash the next run does the rest, and doing a part twice changes nothing.

What is not done here: statuses. A tombstone and a redirect are pages like others in the tree.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from tamizdat.edition import paths
from tamizdat.edition.index import Branch, Difference, Entry, Index, differences
from tamizdat.edition.store import Store

PASSES = ("stories", "lists", "removals")


class _State(msgspec.Struct):
    root: str


class Tree:
    """The folder ``tree/`` of an edition."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._base = f"{store.folder}/tree/"
        self._temporary = f"{store.folder}/tree-{os.getpid()}.tmp"  # beside it: it may stay
        self._state = store.folder / "tree.json"

    def root(self) -> str | None:
        """The root of the index that the tree equals; empty before the first, None where that
        cannot be known."""
        try:
            return msgspec.json.decode(self._state.read_bytes(), type=_State).root
        except FileNotFoundError:
            return None if Path(self._base).exists() else ""
        except msgspec.DecodeError:
            return None

    def settle(self, root: str) -> None:
        """Say that the tree equals this index now."""
        for left in self._store.folder.glob("tree-*.tmp"):
            left.unlink()
        temporary = self._state.with_suffix(".new")
        temporary.write_bytes(msgspec.json.encode(_State(root)))
        temporary.replace(self._state)

    def follow(self, index: Index, root: str) -> None:
        """Make the tree equal to an index."""
        before = self.root()
        if before == root:
            return
        known = self.changes(index, before, root)
        for step in PASSES:
            self.run(step, _all(index, root) if known is None else known)
        if known is None:
            self.prune(index, root)
        self.settle(root)

    @staticmethod
    def changes(index: Index, before: str | None, root: str) -> list[Difference] | None:
        """What changed since the index that the tree equals; None where that is not known."""
        if before is None:
            return None
        try:
            return list(differences(index, before, root))
        except FileNotFoundError:
            return None

    def run(self, step: str, changes: Iterable[Difference]) -> None:
        """One pass: ``stories`` (and what they show), ``lists`` (all other files), ``removals``."""
        for old, new in changes:
            if new is None:
                if step == "removals" and old is not None:
                    self.remove(old.path)
            elif step == ("stories" if _is_first(new) else "lists"):
                self.link(new)

    def link(self, entry: Entry) -> None:
        """Lay one file out. Raises ``OSError``."""
        file = self._base + paths.tree_file(entry.path)
        source = self._store.name(entry.sha256)
        _link(source, file, self._temporary)
        if self._store.brotli and os.path.exists(f"{source}.br"):
            _link(f"{source}.br", f"{file}.br", self._temporary)

    def remove(self, path: str) -> None:
        """Take one file away, and folders that are empty then."""
        file = Path(self._base + paths.tree_file(path))
        for name in (file, file.with_name(f"{file.name}.br")):
            with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                name.unlink()
        for folder in file.parents:
            if folder == self._store.folder / "tree":
                return
            try:
                folder.rmdir()
            except OSError:
                return

    def prune(self, index: Index, root: str) -> None:
        """Remove whatever the index does not have."""
        known = {paths.tree_file(entry.path) for entry in index.walk(root)}
        for folder, _, names in os.walk(self._base, topdown=False):
            for name in names:
                file = Path(folder, name)
                relative = str(file.relative_to(self._base))
                if relative not in known and relative.removesuffix(".br") not in known:
                    file.unlink()
            if not os.listdir(folder) and folder != self._base:
                Path(folder).rmdir()


def tops(index: Index, root: str) -> list[str]:
    """The subtrees below a root, for work in parts; the root itself where it is a shard."""
    if not root:
        return []
    node = index.node(root)
    return [c for c in node.children if c] if isinstance(node, Branch) else [root]


def _all(index: Index, root: str) -> Iterator[Difference]:
    return (Difference(None, entry) for entry in index.walk(root))


def _is_first(entry: Entry) -> bool:
    return entry.path.startswith(("/media/", "/assets/")) or paths.is_article(entry.path)


def _link(source: str, file: str, temporary: str) -> None:
    try:
        try:
            os.link(source, file)
        except FileNotFoundError:
            _make_folder(file.rpartition("/")[0])
            os.link(source, file)
    except FileExistsError:
        if not os.path.samefile(source, file):
            _replace(source, file, temporary)
    except OSError as error:
        if error.errno not in (errno.EMLINK, errno.EPERM, errno.EXDEV, errno.ENOTSUP):
            raise
        _replace(source, file, temporary)


def _make_folder(folder: str) -> None:
    """Mostly a story's own, in that of its day: asked for at once, where it is new."""
    try:
        os.mkdir(folder)
    except FileExistsError:
        return  # Another worker made it.
    except FileNotFoundError:
        os.makedirs(folder, exist_ok=True)


def _replace(source: str, file: str, temporary: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(temporary)
    try:
        os.link(source, temporary)
    except OSError as error:
        if error.errno not in (errno.EMLINK, errno.EPERM, errno.EXDEV, errno.ENOTSUP):
            raise
        shutil.copyfile(source, temporary)  # A file system without hard links, or out of them.
    os.replace(temporary, file)
