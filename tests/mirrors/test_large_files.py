# SPDX-License-Identifier: AGPL-3.0-or-later
"""Files larger than memory should hold: pulled, checked and read part by part."""

from __future__ import annotations

import hashlib
import os
import tracemalloc
from pathlib import Path

import brotli
import pytest

from tamizdat.edition.signed import layout, streams
from tamizdat.edition.signed.check import check
from tamizdat.edition.signed.client import LARGEST
from tamizdat.edition.signed.errors import TamperedError, TooLongError
from tamizdat.edition.signed.fetch import FolderFetcher, HttpFetcher, Streaming
from tamizdat.edition.signed.shards import Slot
from tamizdat.mirrors.pull import pull
from tests.mirrors import servers
from tests.mirrors.paper import Paper, page

VIDEO = 24 << 20


@pytest.fixture
def paper(tmp_path: Path) -> Paper:
    made = Paper(tmp_path / "edition")
    words = b"".join(os.urandom(6).hex().encode() + b" " for _ in range(1 << 18))
    made.publish({"/media/film.jpg": os.urandom(VIDEO), "/en/list/": words, "/en/1/": page("One")})
    return made


def test_a_pull_over_http_holds_no_whole_file_in_memory(paper: Paper, tmp_path: Path) -> None:
    with servers.nginx(paper.folder, tmp_path / "nginx") as url:
        fetch = HttpFetcher(url)
        tracemalloc.start()
        try:
            pull(fetch, tmp_path / "copy", paper.root, clock=lambda: paper.now)
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
            fetch.close()
    print(f"at most {most:,} bytes for a file of {VIDEO:,}")  # noqa: T201
    assert most < VIDEO / 4
    sha256 = paper.entries["/media/film.jpg"].sha256
    for name in (
        layout.object_name(sha256),
        layout.object_name(paper.entries["/en/list/"].sha256),
        layout.object_name(paper.entries["/en/list/"].sha256, brotli=True),
    ):
        assert (tmp_path / "copy" / name).read_bytes() == (paper.folder / name).read_bytes()


def test_a_large_file_that_is_altered_at_its_end_is_not_kept(paper: Paper, tmp_path: Path) -> None:
    film = paper.folder / layout.object_name(paper.entries["/media/film.jpg"].sha256)
    data = bytearray(film.read_bytes())
    data[-1] ^= 1
    film.write_bytes(data)
    with pytest.raises(TamperedError):
        pull(FolderFetcher(paper.folder), tmp_path / "copy", paper.root, clock=lambda: paper.now)
    assert not list((tmp_path / "copy" / "objects").rglob(f"*{film.name}*"))


def test_checking_a_copy_holds_no_whole_file_in_memory(paper: Paper) -> None:
    tracemalloc.start()
    try:
        found = check(FolderFetcher(paper.folder), root=paper.root, clock=lambda: paper.now)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found.ok
    assert most < VIDEO / 4


def test_a_reader_reads_a_large_file_in_parts(paper: Paper, tmp_path: Path) -> None:
    reader = paper.reader(FolderFetcher(paper.folder), tmp_path / "state")
    slot = reader.find("/media/film.jpg").slot
    assert slot is not None
    assert sum(map(len, reader.parts(slot))) == VIDEO
    with pytest.raises(TooLongError, match="larger"):
        reader.object(slot._replace(length=LARGEST + 1))


@pytest.mark.parametrize("change", ["cut", "more", "other", "nothing"])
def test_what_brotli_packed_is_unpacked_to_its_entry_or_refused(change: str) -> None:
    plain = os.urandom(300_000) + b"a" * 3_000_000
    packed = brotli.compress(plain)
    slot = Slot(b"k" * 10, hashlib.sha256(plain).digest(), len(plain), 1, 1, 0, 1)
    sent = {"cut": packed[:-5], "more": packed + b"x", "other": brotli.compress(plain + b"b")}
    parts = sent.get(change, packed)
    coming = [parts[at : at + 1000] for at in range(0, len(parts), 1000)]
    if change == "nothing":
        assert b"".join(streams.proven(streams.unpacked(coming), slot)) == plain
        assert max(map(len, streams.unpacked(coming))) <= 1 << 17
    else:
        with pytest.raises(TamperedError):
            streams.through(streams.proven(streams.unpacked(coming), slot))


def test_both_ways_to_a_copy_hand_files_over_in_parts(tmp_path: Path) -> None:
    assert isinstance(FolderFetcher(tmp_path), Streaming)
    fetch = HttpFetcher("http://127.0.0.1:9/")
    assert isinstance(fetch, Streaming)
    fetch.close()
