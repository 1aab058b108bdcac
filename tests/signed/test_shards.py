# SPDX-License-Identifier: AGPL-3.0-or-later
"""Indexes as trees of shards: what is in one is proven, and what is not is too."""

from __future__ import annotations

import hashlib
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamizdat.edition.signed import layout
from tamizdat.edition.signed.errors import BadFormatError, TamperedError
from tamizdat.edition.signed.shards import (
    KEY,
    NO_ROOT,
    PER_SHARD,
    PER_SHARD_SEALED,
    SLOT,
    Record,
    Shard,
    Slot,
    build,
    decode,
    depth_for,
    key_of,
    number_of,
)

keys = st.binary(min_size=KEY, max_size=KEY)
slots = st.builds(
    Slot,
    key=keys,
    sha256=st.binary(min_size=32, max_size=32),
    length=st.integers(0, 2**32 - 1),
    edition=st.integers(0, 2**24 - 1),
    day=st.integers(0, 2**16 - 1),
    status=st.integers(0, 3),
    media=st.integers(0, 63),
)
entries = st.lists(slots, min_size=1, max_size=40, unique_by=lambda slot: slot.key).map(sorted)
depths = st.integers(0, 7)


class Made:
    """An index in memory."""

    def __init__(self, slots: list[Slot], depth: int) -> None:
        self.files: dict[int, bytes] = {}
        self.numbers: list[int] = []
        root = build((slot.pack() for slot in slots), depth, self._write)
        self.record = Record(depth, len(slots), 7, 1_790_000_000, 0, root)

    def _write(self, number: int, data: bytes) -> None:
        self.numbers.append(number)
        self.files[number] = data

    def shard(self, key: bytes) -> Shard:
        number = number_of(key, self.record.depth)
        return decode(self.files[number], self.record, number)


@given(entries, depths)
def test_every_member_is_found_as_it_was_signed(slots: list[Slot], depth: int) -> None:
    made = Made(slots, depth)
    for slot in slots:
        assert made.shard(slot.key).find(slot.key) == slot
    walked = [s for n in range(1 << depth) for s in decode(made.files[n], made.record, n).slots()]
    assert walked == slots


@given(entries, depths, keys)
def test_what_is_not_a_member_is_proven_absent(slots: list[Slot], depth: int, key: bytes) -> None:
    known = {slot.key: slot for slot in slots}
    assert Made(slots, depth).shard(key).find(key) == known.get(key)


@given(entries, depths, st.data())
def test_any_flipped_bit_is_refused(slots: list[Slot], depth: int, data: st.DataObject) -> None:
    made = Made(slots, depth)
    number = data.draw(st.integers(0, (1 << depth) - 1))
    file = bytearray(made.files[number])
    bit = data.draw(st.integers(0, len(file) * 8 - 1))
    file[bit // 8] ^= 1 << bit % 8
    with pytest.raises((BadFormatError, TamperedError)):
        decode(bytes(file), made.record, number)


@given(entries, depths, st.data())
def test_no_shard_stands_for_another(slots: list[Slot], depth: int, data: st.DataObject) -> None:
    made = Made(slots, depth)
    asked, given_ = (data.draw(st.integers(0, (1 << depth) - 1)) for _ in range(2))
    if asked != given_:
        with pytest.raises(BadFormatError):
            decode(made.files[given_], made.record, asked)


@given(st.binary(max_size=400), st.integers(0, 3))
def test_bytes_of_any_kind_are_refused_in_words(data: bytes, depth: int) -> None:
    record = Record(depth, 1, 1, 1, 0, hashlib.sha256(b"").digest())
    with pytest.raises((BadFormatError, TamperedError)):
        decode(data, record, 0)


@given(slots)
def test_an_entry_survives_its_encoding(slot: Slot) -> None:
    assert len(slot.pack()) == SLOT
    assert Slot.unpack(slot.pack()) == slot


@given(
    st.builds(
        Record,
        depth=st.integers(0, 24),
        count=st.integers(1, 2**32 - 1),
        edition=st.integers(0, 2**32 - 1),
        built=st.integers(0, 253_402_300_799),
        since=st.integers(0, 2**32 - 1),
        root=st.binary(min_size=32, max_size=32),
    )
)
def test_a_record_survives_its_encoding(record: Record) -> None:
    assert len(record.encode()) == 57
    assert Record.decode(record.encode()) == record


@given(st.binary(max_size=64))
def test_a_record_of_any_bytes_is_read_or_refused(data: bytes) -> None:
    try:
        record = Record.decode(data)
    except BadFormatError:
        return
    assert record.encode() == data


@pytest.mark.parametrize(
    "record",
    [
        Record(25, 1, 1, 1, 0, b"r" * 32),
        Record(0, 1, 1, 2**63, 0, b"r" * 32),
        Record(1, 0, 1, 1, 0, NO_ROOT),
        Record(0, 0, 1, 1, 0, b"r" * 32),
    ],
)
def test_a_record_that_contradicts_itself_is_refused(record: Record) -> None:
    with pytest.raises(BadFormatError):
        Record.decode(record.encode())


def test_signed_entries_that_are_out_of_order_or_place_are_refused() -> None:
    """Also a shard that was signed for must keep the rules: two readers must not see two papers."""
    low, high = (Slot(bytes([n] * KEY), b"h" * 32, 1, 1, 1, 0, 1) for n in (1, 200))
    for bad in (high.pack() + low.pack(), low.pack() + low.pack()):
        record = Record(0, 2, 1, 1, 0, hashlib.sha256(b"\0" + bad).digest())
        with pytest.raises(BadFormatError, match="in order"):
            decode(b"TZS1" + bytes(5) + bad, record, 0)
    empty = hashlib.sha256(b"\0").digest()
    root = hashlib.sha256(b"\1" + hashlib.sha256(b"\0" + high.pack()).digest() + empty).digest()
    with pytest.raises(BadFormatError, match="not its own"):
        decode(b"TZS1\1" + bytes(4) + empty + high.pack(), Record(1, 1, 1, 1, 0, root), 0)


def test_an_index_of_nothing_has_no_files() -> None:
    made = Made([], 0)
    assert made.record.root == NO_ROOT
    assert not made.files
    assert Record.decode(made.record.encode()) == made.record


def test_entries_out_of_order_are_not_written() -> None:
    slot = Slot(b"k" * KEY, b"h" * 32, 1, 1, 1, 0, 1).pack()
    with pytest.raises(ValueError, match="ascending"):
        build([slot, slot], 0, lambda number, data: None)


@pytest.mark.parametrize(
    "values", [{"length": 2**32}, {"edition": 2**24}, {"day": 2**16}, {"status": 4}, {"media": 64}]
)
def test_what_does_not_fit_into_an_entry_is_said(values: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"fit|below"):
        Slot(b"k" * KEY, b"h" * 32, 1, 1, 1, 0, 1)._replace(**values).pack()


def test_the_same_word_written_in_two_ways_has_one_key() -> None:
    assert key_of("/Й") == key_of("/И\u0306")
    assert len(key_of("/")) == KEY


@pytest.mark.parametrize(
    ("count", "depth"), [(0, 0), (1, 0), (6, 0), (7, 1), (2048, 9), (140_000, 15)]
)
def test_the_number_of_shards_follows_the_size(count: int, depth: int) -> None:
    assert depth_for(count) == depth


def test_a_sealed_papers_shards_are_smaller() -> None:
    """A reader needs three of them, and all together are to stay below 6 kB with the metadata."""
    assert depth_for(140_000, PER_SHARD_SEALED) == 17
    assert PER_SHARD_SEALED < PER_SHARD


def test_shards_are_written_in_order_and_all_of_them() -> None:
    made = Made([Slot(b"k" * KEY, b"h" * 32, 1, 1, 1, 0, 1)], 3)
    assert made.numbers == list(range(8))
    assert sorted(map(len, made.files.values())) == [9 + 32 * 3] * 7 + [9 + 32 * 3 + SLOT]


def test_building_holds_hashes_and_little_else() -> None:
    count = 60_000  # 3 MB, in shards of 234
    tail = b"h" * 32 + bytes(10)
    tracemalloc.start()
    build(((n << 56).to_bytes(KEY, "big") + tail for n in range(count)), 8, lambda n, d: None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * 1024 * 1024


def test_names_are_where_the_format_says() -> None:
    ab = "ab" * 32
    assert layout.object_name(ab) == f"objects/ab/{ab}"
    assert layout.object_name(ab, brotli=True) == f"objects/ab/{ab}.br"
    assert layout.shard_name(ab, 0x1234) == f"shards/{ab}/00/001234"
    assert layout.target_name("live/recent", ab) == f"targets/live/{ab}.recent"
    assert layout.target_name("site.json", ab) == f"targets/{ab}.site.json"
    assert layout.metadata_name("root", 3) == "metadata/3.root.json"
