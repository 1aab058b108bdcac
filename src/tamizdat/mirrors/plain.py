# SPDX-License-Identifier: AGPL-3.0-or-later
"""The paper as plain files on a mirror that is an entry too.

What always holds: each file is whole, new stories come before the lists that lead to them, and
what is gone from the paper is removed at once. What was sent is noted, so that a push that is cut
off goes on where it was. A page whose place is the signed folder's is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

from tamizdat.edition import paths
from tamizdat.edition.errors import StoreError
from tamizdat.edition.index import Difference, Entry, Index
from tamizdat.edition.store import Store
from tamizdat.edition.tree import Tree
from tamizdat.mirrors.errors import SourceError, SupersededError
from tamizdat.mirrors.manifest import Manifest
from tamizdat.mirrors.ports import Outgoing, Target, is_signed

_BATCH = 256


def lay_out(
    target: Target, manifest: Manifest, folder: Path, sent: Callable[[list[Outgoing]], None]
) -> None:
    """Make the plain files of a mirror those of the paper in an edition's folder. ``sent`` is
    told of each batch. Raises ``MirrorError``."""
    store = Store(folder)
    try:
        pointer = store.pointer()
        if pointer is None or manifest.meta("plain") == pointer.root:
            return
        index = Index(store)
        known = Tree.changes(index, manifest.meta("plain") or None, pointer.root)
        changes = _all(manifest, index, pointer.root) if known is None else known
        _lay(target, manifest, store, changes, sent)
    except StoreError as error:
        raise SourceError(str(error)) from error
    except FileNotFoundError as error:
        raise SupersededError(f"{error.filename} was replaced meanwhile") from error
    manifest.set_meta("plain", pointer.root)


def _lay(
    target: Target,
    manifest: Manifest,
    store: Store,
    changes: Iterable[Difference],
    sent: Callable[[list[Outgoing]], None],
) -> None:
    new: list[Entry] = []
    gone: list[str] = []
    for before, after in changes:
        if after is not None:
            new.append(after)
        elif before is not None:
            gone.append(paths.tree_file(before.path))
    have = dict(manifest.db.execute("SELECT name, sha256 FROM plain"))
    new.sort(key=_is_list)
    files = (
        entry
        for entry in new
        if have.get(name := paths.tree_file(entry.path)) != entry.sha256 and not is_signed(name)
    )
    while batch := list(islice(files, _BATCH)):
        outgoing = [_outgoing(store, entry) for entry in batch]
        target.put(outgoing)
        sent(outgoing)
        rows = [(paths.tree_file(entry.path), entry.sha256) for entry in batch]
        manifest.db.executemany("INSERT OR REPLACE INTO plain VALUES (?, ?)", rows)
    _remove(target, manifest, [name for name in gone if name in have])


def _remove(target: Target, manifest: Manifest, names: list[str]) -> None:
    if names:
        target.remove(names)
        rows = [(name,) for name in names]
        manifest.db.executemany("DELETE FROM plain WHERE name = ?", rows)


def _all(manifest: Manifest, index: Index, root: str) -> list[Difference]:
    """Every entry, and what was sent and is in the paper no more."""
    entries = {paths.tree_file(entry.path): entry for entry in index.walk(root)}
    sent = manifest.db.execute("SELECT name, sha256 FROM plain")
    gone = [Entry(_path(name), sha256, 0, 0, "") for name, sha256 in sent if name not in entries]
    return [Difference(None, e) for e in entries.values()] + [Difference(e, None) for e in gone]


def _path(file: str) -> str:
    """The path whose file in the tree this is."""
    page = file.removesuffix("index.html")
    return f"/{page}" if page != file and (not page or page.endswith("/")) else f"/{file}"


def _is_list(entry: Entry) -> bool:
    first = entry.path.startswith(("/media/", "/assets/")) or paths.is_article(entry.path)
    return not first


def _outgoing(store: Store, entry: Entry) -> Outgoing:
    return Outgoing(paths.tree_file(entry.path), Path(store.name(entry.sha256)), entry.length)
