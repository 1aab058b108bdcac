# SPDX-License-Identifier: AGPL-3.0-or-later
"""The index is a function of its entries, whatever its history."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tamizdat.edition import index as module
from tamizdat.edition.errors import StoreError
from tamizdat.edition.index import EMPTY, Changes, Entry, Index, differences, key
from tamizdat.edition.store import Store

PATHS = st.integers(0, 40).map(lambda n: f"/page-{n}/")
ENTRIES = st.none() | st.integers(0, 3).map(lambda n: Entry("", f"{n:064x}", n, 1, "text/html"))
CHANGES = st.dictionaries(PATHS, ENTRIES, max_size=20)


def named(changes: Changes) -> Changes:
    return {
        path: entry and Entry(path, entry.sha256, entry.length, 1, "text/html")
        for path, entry in changes.items()
    }


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHARD", 3)
    monkeypatch.setattr(module, "STREAMED", 8)


@pytest.mark.usefixtures("small_shards")
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(history=st.lists(CHANGES, max_size=6))
def test_history_does_not_show_in_the_tree(history: list[Changes]) -> None:
    with tempfile.TemporaryDirectory() as name:
        store = Store(Path(name))
        tree, present, left = EMPTY, {}, set[str]()
        for changes in map(named, history):
            index = Index(store)
            before, old = tree, dict(present)
            tree = index.update(tree, changes)
            present = {p: e for p, e in (present | changes).items() if e is not None}
            left = (left | index.replaced) - index.written
            for garbage in left:
                store.discard(garbage, "index")
            assert {e.path: e for e in index.walk(tree.root)} == present
            if before.root and before.root not in left:
                found = {(d.old or d.new).path for d in differences(index, before.root, tree.root)}  # type: ignore[union-attr]  # one of them is there
                assert found == {p for p in old | present if old.get(p) != present.get(p)}
        fresh = Index(Store(Path(name) / "fresh"))
        ordered = sorted(present.values(), key=lambda entry: key(entry.path))
        assert fresh.build(ordered, len(ordered)) == tree
        assert set(Index(store).files(tree.root)) == set(store_names(store))
        for path, entry in present.items():
            assert Index(store).lookup(tree.root, path) == entry
        assert Index(store).lookup(tree.root, "/nowhere/") is None


def store_names(store: Store) -> list[str]:
    return [name for prefix in range(256) for name in store.names("index", prefix)]


def test_a_change_rewrites_a_few_small_files(quick: Path) -> None:
    index = Index(Store(quick))
    entries = sorted(
        (Entry(f"/p/{n}/", f"{n:064x}", n, 1, "text/html") for n in range(20_000)),
        key=lambda entry: key(entry.path),
    )
    tree = index.build(entries, len(entries))
    fresh = Index(Store(quick))
    fresh.update(tree, {"/new/": Entry("/new/", "0" * 64, 1, 2, "text/html")})
    assert len(fresh.written) <= 5
    written = sum(len(Store(quick).get(name, "index")) for name in fresh.written)
    assert written < 16_000


def test_a_damaged_index_says_what_to_do(quick: Path) -> None:
    store = Store(quick)
    name = store.put(b"{", "index")
    with pytest.raises(StoreError, match="build the paper anew"):
        Index(store).lookup(name, "/x/")
