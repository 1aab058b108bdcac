# SPDX-License-Identifier: AGPL-3.0-or-later
"""The verifying reader, beyond the vectors: requests, limits, memory, and bytes of any kind."""

from __future__ import annotations

import contextlib
import hashlib
import json
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import brotli
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tamizdat.edition.signed import current, layout
from tamizdat.edition.signed.client import SignedReader, unpack, verify
from tamizdat.edition.signed.errors import (
    BadFormatError,
    MissingError,
    StaleError,
    TamperedError,
    VerifyError,
)
from tamizdat.edition.signed.shards import Slot
from tamizdat.edition.signed.workflow import check_strictly
from tests.signed.copies import MemoryFetcher
from tests.signed.test_vectors import ROOT, VECTORS, folder

NOW = datetime.fromisoformat(VECTORS["now"])
SECOND = folder("second")
METADATA = sorted(name for name in current.decode(SECOND[layout.CURRENT]))


def reading(
    files: dict[str, bytes], state: Path, **more: bool
) -> tuple[SignedReader, MemoryFetcher]:
    fetch = MemoryFetcher(files)
    return SignedReader(fetch, state, ROOT, lambda: NOW, **more), fetch


def test_one_article_costs_one_file_of_metadata_its_shards_and_its_bytes(tmp_path: Path) -> None:
    reader, fetch = reading(SECOND, tmp_path)
    reader.read("/2026/pier-9/")
    kinds = [name.partition("/")[0] for name in fetch.asked]
    assert kinds == ["metadata", "metadata", "shards", "shards", "shards", "objects"]


def test_a_second_article_costs_no_metadata(tmp_path: Path) -> None:
    reader, fetch = reading(SECOND, tmp_path)
    reader.read("/2026/pier-9/")
    fetch.asked.clear()
    reader.read("/2026/pier-9/")
    assert [name.partition("/")[0] for name in fetch.asked] == ["objects"]


def test_all_entries_can_be_walked(tmp_path: Path) -> None:
    reader, _ = reading(SECOND, tmp_path)
    walked = list(reader.walk())
    counts = {index: record.count for index, record in reader.edition.records.items()}
    assert {index: sum(i == index for i, _ in walked) for index in counts} == counts


def test_the_files_of_an_edition_are_those_of_the_copy(tmp_path: Path) -> None:
    reader, _ = reading(folder("third"), tmp_path)
    files = reader.edition.files
    assert {"metadata/1.root.json", "metadata/2.root.json", layout.TIMESTAMP} <= set(files)
    assert {name: folder("third")[name] for name in files} == files


def test_site_and_mirrors_are_read(tmp_path: Path) -> None:
    reader, _ = reading(SECOND, tmp_path)
    assert json.loads(reader.target(layout.SITE))["name"] == "The Harbour Gazette"
    assert json.loads(reader.target(layout.MIRRORS))["mirrors"]
    with pytest.raises(MissingError):
        reader.target("live/nothing")


def test_a_machine_may_ask_for_the_letter_of_tuf(tmp_path: Path) -> None:
    reader, _ = reading(folder("first"), tmp_path, strict=True)
    with pytest.raises(StaleError, match="timestamp"):
        reader.refresh()
    assert not list(tmp_path.iterdir())


def test_damaged_memory_is_said_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "trusted.json").write_bytes(b"{")
    reader, _ = reading(SECOND, tmp_path)
    with pytest.raises(BadFormatError, match="remove it"):
        reader.read("/")


def test_a_path_must_begin_with_a_slash(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="slash"):
        reading(SECOND, tmp_path)[0].find("about/")


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(METADATA), st.data())
def test_no_altered_byte_of_metadata_is_believed(name: str, data: st.DataObject) -> None:
    """Wherever a bit is flipped: the copy is refused, or what was read is what was signed."""
    altered = bytearray(SECOND[name])
    bit = data.draw(st.integers(0, len(altered) * 8 - 1))
    altered[bit // 8] ^= 1 << bit % 8
    files = {n: d for n, d in SECOND.items() if n != layout.CURRENT} | {name: bytes(altered)}
    with TemporaryDirectory() as state, contextlib.suppress(VerifyError):
        reader, _ = reading(files, Path(state))
        edition = reader.refresh()
        assert edition.number == 5
        assert reader.read("/2026/pier-9/")


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from([*METADATA, layout.CURRENT, "metadata/2.root.json"]), st.binary(max_size=300)
)
def test_bytes_of_any_kind_raise_nothing_but_our_errors(name: str, data: bytes) -> None:
    files = {n: d for n, d in SECOND.items() if n != layout.CURRENT} | {name: data}
    with TemporaryDirectory() as state, contextlib.suppress(VerifyError):
        reading(files, Path(state))[0].read("/")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
)
members = st.sampled_from(
    ["_type", "version", "expires", "meta", "keys", "roles", "targets", "delegations"]
)


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(METADATA[:-3]), members, json_values)
def test_metadata_of_any_shape_raises_nothing_but_our_errors(
    name: str, member: str, value: object
) -> None:
    files = {n: d for n, d in SECOND.items() if n != layout.CURRENT}
    with contextlib.suppress(ValueError):
        found = json.loads(SECOND[name])
        found["signed"][member] = value
        files[name] = json.dumps(found).encode()
    changed = files[name] != SECOND[name]
    with TemporaryDirectory() as state, contextlib.suppress(VerifyError):
        assert reading(files, Path(state))[0].read("/") or changed


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"1",
        b'{"signed": 1}',
        b'{"signed": {"keys": 1}}',
        b'{"signed": {"keys": {"a": 1}}}',
        b'{"signed": {}, "signed": {}}',
        b'{"a":' * 3_000,
        b'{"signed": {}}x',
    ],
)
def test_what_is_not_metadata_is_refused(data: bytes) -> None:
    with pytest.raises(BadFormatError):
        check_strictly("timestamp.json", data)


@given(st.binary(max_size=3_000))
def test_compressed_bytes_come_out_as_they_were(body: bytes) -> None:
    slot = slot_of(body)
    assert unpack(brotli.compress(body), slot) == body
    assert verify(body, slot) == body


@given(st.binary(max_size=300))
def test_compressed_bytes_of_any_kind_are_refused(data: bytes) -> None:
    with pytest.raises(TamperedError):
        unpack(data, slot_of(b"an article that nobody else has written" * 40))


def test_what_follows_the_end_of_the_compressed_bytes_is_refused_or_ignored() -> None:
    body = b"article" * 100
    with contextlib.suppress(TamperedError):
        assert unpack(brotli.compress(body) + b"more", slot_of(body)) == body


def slot_of(body: bytes) -> Slot:
    return Slot(b"k" * 10, hashlib.sha256(body).digest(), len(body), 1, 1, 0, 1)
