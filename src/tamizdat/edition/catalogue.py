# SPDX-License-Identifier: AGPL-3.0-or-later
"""The catalogue: what the builder knows of the stories of the present edition, in SQLite.

What always holds:

- It is derived: everything in it can be made again from the stories.
- ``meta['pointer']`` is the ``edition.json`` that it belongs to; it is committed before the
  pointer is switched, so after a crash it is equal to the pointer or one ahead of it.
- Counters (``listings.stories``, ``periods.stories``) are kept with the rows that they count, so
  publishing never counts a table.

What is not done here: the text of stories (``storylog``), choosing what goes on a page.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from tamizdat.edition import volumes
from tamizdat.edition.batches import Batch, Placed, batch
from tamizdat.edition.paths import media_sha256
from tamizdat.edition.rows import Membership, StoryRow
from tamizdat.edition.site import ListingKind
from tamizdat.edition.views import Card
from tamizdat.edition.volumes import Volume

SCHEMA = 3
NAME = "catalogue.sqlite3"
Mode = Literal["write", "bulk", "built", "read"]
_INDEXES = """
CREATE UNIQUE INDEX stories_uri ON stories (uri);
CREATE INDEX stories_path ON stories (path);
CREATE INDEX stories_translation ON stories (translation) WHERE translation <> '';
CREATE INDEX garbage_edition ON garbage (edition);
"""
_REMEMBERED = 50_000  # ids of files at hand while stories are inserted
_LISTINGS = 1000  # whose volumes are at hand
_VARIABLES = 900  # SQLite allows 999 in a query in its smallest builds
_COLUMNS = (
    "id, uri, version, language, path, live, month, rank, updated, translation, card, detail, "
    "start, length"
)
_INSERTED = (
    "id, uri, version, language, path, live, month, rank, updated, translation, card, start, "
    "length, detail"
)


class Detail(msgspec.Struct, array_like=True, frozen=True):
    """The part of a row that is in other tables too. ``files`` are ids."""

    memberships: tuple[Membership, ...]
    related: tuple[str, ...]
    files: tuple[int, ...]
    former: tuple[str, ...]


class _PageDetail(msgspec.Struct, array_like=True, frozen=True):
    """The same as far as a story's page needs it."""

    memberships: msgspec.Raw
    related: tuple[str, ...]
    files: msgspec.Raw
    former: tuple[str, ...]


class Kept(NamedTuple):
    """A story in the catalogue: its row (with no ``files``, but their ids), and where its text is
    in the story log."""

    id: int
    row: StoryRow
    files: tuple[int, ...]
    start: int
    length: int


class ListingRow(NamedTuple):
    id: int
    kind: ListingKind
    language: str
    slug: str
    title: str
    stories: int


_details = msgspec.json.Decoder(Detail)
_page_details = msgspec.json.Decoder(_PageDetail)
_card = msgspec.json.Decoder(Card)
_encode = msgspec.json.Encoder().encode


@cache
def _schema() -> str:
    return resources.files("tamizdat.edition").joinpath("schema.sql").read_text()


class Catalogue:
    """One catalogue file. ``write``: for publishing; ``bulk``: a new one, being filled;
    ``built``: read while nobody writes; ``read``: read beside a builder."""

    def __init__(self, path: Path, mode: Mode = "write") -> None:
        if mode == "bulk":
            self.db = sqlite3.connect(path, isolation_level=None)
            self.db.execute("PRAGMA journal_mode = OFF")
            self.db.execute("PRAGMA synchronous = OFF")
            self.db.execute("PRAGMA cache_size = -65536")
            self.db.executescript(_schema())
            self.db.execute(f"PRAGMA user_version = {SCHEMA}")
        else:
            options = {"write": "mode=rw", "built": "mode=ro&immutable=1", "read": "mode=ro"}[mode]
            uri = f"{path.absolute().as_uri()}?{options}"
            self.db = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=10)
            self.db.execute("PRAGMA cache_size = -32768")
            if mode == "built":  # Else what is read once would be mapped anew each time.
                self.db.execute("PRAGMA mmap_size = 1073741824")
        if mode == "write":
            self.db.execute("PRAGMA journal_mode = WAL")
            self.db.execute("PRAGMA synchronous = FULL")
        self._listings: dict[tuple[str, str, str], int] = {}
        self._files: dict[str, int] = {}
        self._volumes: dict[int, list[Volume]] = {}

    def close(self) -> None:
        self.db.close()

    def __enter__(self) -> Catalogue:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # What belongs to the whole

    def meta(self, key: str) -> bytes:
        """A value kept with the catalogue; empty where there is none."""
        found = self.db.execute("SELECT value FROM meta WHERE key = ?", [key]).fetchone()
        return bytes(found[0]) if found else b""

    def set_meta(self, key: str, value: bytes) -> None:
        self.db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", [key, value])

    @property
    def usable(self) -> bool:
        return self.db.execute("PRAGMA user_version").fetchone()[0] == SCHEMA  # type: ignore[no-any-return]  # sqlite3 returns Any

    # Stories

    def story(self, uri: str) -> Kept | None:
        query = f"SELECT {_COLUMNS} FROM stories WHERE uri = ?"  # noqa: S608 (a constant)
        return next(map(_kept, self.db.execute(query, [uri])), None)

    def stories(self, ids: Iterable[int]) -> Iterator[Kept]:
        """The stories with these ids, in the order of their ids."""
        for part in _parts(sorted(set(ids))):
            query = f"SELECT {_COLUMNS} FROM stories WHERE id IN ({_marks(part)}) ORDER BY id"  # noqa: S608 (a constant)
            yield from map(_kept, self.db.execute(query, part).fetchall())

    def range(self, first: int, last: int) -> Iterator[Kept]:
        """Stories as their pages need them: without memberships and files."""
        query = f"SELECT {_COLUMNS} FROM stories WHERE id BETWEEN ? AND ? ORDER BY id"  # noqa: S608 (a constant)
        for columns in self.db.execute(query, [first, last]):
            detail = _page_details.decode(columns[11])
            yield _made(columns, (), detail.related, detail.former, ())

    def at_path(self, path: str) -> list[str]:
        """The uris of the stories that claim an address."""
        query = "SELECT uri FROM stories WHERE path = ? ORDER BY uri"
        return [uri for (uri,) in self.db.execute(query, [path])]

    def live_cards(self, uris: Iterable[str]) -> dict[str, Card]:
        """The cards of those of these stories that are published now."""
        found: dict[str, Card] = {}
        for part in _parts(sorted(set(uris))):
            query = f"SELECT uri, card FROM stories WHERE live = 1 AND uri IN ({_marks(part)})"  # noqa: S608 (a constant)
            found.update((uri, _card.decode(card)) for uri, card in self.db.execute(query, part))
        return found

    def card_at(self, path: str) -> Card | None:
        """The card of the story that is published at an address."""
        query = "SELECT card FROM stories WHERE path = ? AND live = 1"
        found = self.db.execute(query, [path]).fetchone()
        return _card.decode(found[0]) if found else None

    def translations(self, keys: Iterable[str]) -> dict[str, list[tuple[int, int, Card]]]:
        """Published stories by the key they share with their translations: id, month, card;
        newest first."""
        found: dict[str, list[tuple[int, int, Card]]] = {}
        for part in _parts(sorted(set(keys) - {""})):
            query = (
                "SELECT translation, id, month, card FROM stories WHERE translation <> '' "  # noqa: S608 (constants)
                f"AND translation IN ({_marks(part)}) AND live = 1 ORDER BY rank DESC"
            )
            for key, number, month, card in self.db.execute(query, part):
                found.setdefault(key, []).append((number, month, _card.decode(card)))
        return found

    def references(self, uri: str) -> list[int]:
        """The ids of the stories that show this one under “Read more”."""
        query = "SELECT story FROM refs WHERE target = ? ORDER BY story"
        return [story for (story,) in self.db.execute(query, [uri])]

    def redirect(self, path: str) -> tuple[str, str] | None:
        """Where a former address leads: path and language of the story that had it last."""
        query = (
            "SELECT s.path, s.language FROM redirects r JOIN stories s ON s.id = r.story "
            "WHERE r.path = ? AND s.path <> ? ORDER BY s.rank DESC, s.uri LIMIT 1"
        )
        found: tuple[str, str] | None = self.db.execute(query, [path, path]).fetchone()
        return found

    def file(self, path: str) -> str | None:
        """The sha-256 of the file at a media path, where a published story shows it."""
        query = "SELECT 1 FROM files WHERE path = ? AND refs > 0"
        return media_sha256(path) if self.db.execute(query, [path]).fetchone() else None

    def file_paths(self, files: Iterable[int]) -> list[str]:
        found: list[str] = []
        for part in _parts(sorted(files)):
            query = f"SELECT path FROM files WHERE id IN ({_marks(part)})"  # noqa: S608 (a constant)
            found += [path for (path,) in self.db.execute(query, part)]
        return found

    def shown_files(self) -> Iterator[tuple[str, str]]:
        """Path and sha-256 of every file that a published story shows."""
        for (path,) in self.db.execute("SELECT path FROM files WHERE refs > 0"):
            yield path, media_sha256(path)

    def shown_by(self, wanted: Collection[str]) -> dict[str, str]:
        """Of files a story each that shows them: path and the story's uri. Looks at all stories."""
        ids = dict(self.db.execute("SELECT id, path FROM files WHERE refs > 0"))
        ids = {number: path for number, path in ids.items() if path in wanted}
        found: dict[str, str] = {}
        for uri, detail in self.db.execute("SELECT uri, detail FROM stories ORDER BY id"):
            for number in ids.keys() & _details.decode(detail).files:
                found.setdefault(ids[number], uri)
        return found

    # Writing stories

    def insert(self, row: StoryRow, start: int, length: int, number: int | None = None) -> int:
        """Add a story; returns its id."""
        number = number or self.next_id()
        self.insert_batch(batch([Placed(row, (start, length))], number))
        return number

    def next_id(self) -> int:
        found = self.db.execute("SELECT coalesce(max(id), 0) + 1 FROM stories").fetchone()
        return int(found[0])

    def insert_batch(self, rows: Batch) -> None:
        """Add stories that have their ids."""
        files = [self._files.get(path) or self._file_id(path) for path, _ in rows.files]
        stories = [
            (*columns, before + _encode([files[n] for n in places])[1:-1] + after)
            for columns, (before, places, after) in zip(rows.stories, rows.details, strict=True)
        ]
        groups = sorted(
            [(self.listing_id(kind, language, slug), m) for kind, language, slug, m in rows.groups]
        )
        members = [(listing, *member) for listing, group in groups for member in group]
        shown = [(n, file) for file, (_, n) in zip(files, rows.files, strict=True)]
        run = self.db.executemany
        run(f"INSERT INTO stories ({_INSERTED}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?)", stories)  # noqa: S608 (a constant)
        run("INSERT INTO members VALUES (?, ?, ?, ?)", members)
        run("INSERT INTO refs VALUES (?, ?)", rows.refs)
        run("INSERT INTO redirects VALUES (?, ?)", rows.former)
        run("UPDATE files SET refs = refs + ? WHERE id = ?", shown)

    def _file_id(self, path: str) -> int:
        if len(self._files) > _REMEMBERED:
            self._files.clear()
        self.db.execute("INSERT OR IGNORE INTO files (path) VALUES (?)", [path])
        found = self.db.execute("SELECT id FROM files WHERE path = ?", [path]).fetchone()
        self._files[path] = int(found[0])
        return self._files[path]

    def delete(self, kept: Kept) -> None:
        """Take a story back, and everything that ``insert`` added with it. Not the counters."""
        row, story = kept.row, kept.id
        run = self.db.executemany
        run(
            "DELETE FROM members WHERE listing = ? AND period = ? AND rank = ? AND story = ?",
            [
                (self.listing_id(m.kind, row.language, m.slug), m.period, row.rank, story)
                for m in row.memberships
            ],
        )
        run("DELETE FROM refs WHERE target = ? AND story = ?", [(u, story) for u in row.related])
        run("UPDATE files SET refs = refs - 1 WHERE id = ?", [(file,) for file in kept.files])
        run("DELETE FROM redirects WHERE path = ? AND story = ?", [(p, story) for p in row.former])
        self.db.execute("DELETE FROM stories WHERE id = ?", [story])

    def add_indexes(self) -> None:
        """Make the indexes that a bulk load goes without. Raises ``sqlite3.IntegrityError`` where
        two stories have one uri."""
        self.db.executescript(_INDEXES)

    # Listings

    def listing_id(self, kind: ListingKind, language: str, slug: str) -> int:
        """The id of a listing, made where it is new."""
        key = (kind, language, slug)
        if key not in self._listings:
            self.db.execute(
                "INSERT OR IGNORE INTO listings (kind, language, slug) VALUES (?, ?, ?)", key
            )
            found = self.find_listing(kind, language, slug)
            assert found is not None  # noqa: S101 (it was just added)
            self._listings[key] = found.id
        return self._listings[key]

    def find_listing(self, kind: ListingKind, language: str, slug: str) -> ListingRow | None:
        query = "SELECT * FROM listings WHERE kind = ? AND language = ? AND slug = ?"
        return next(map(ListingRow._make, self.db.execute(query, [kind, language, slug])), None)

    def listing(self, number: int) -> ListingRow:
        query = "SELECT * FROM listings WHERE id = ?"
        return ListingRow._make(self.db.execute(query, [number]).fetchone())

    def listings(self, kind: ListingKind, language: str) -> Iterator[ListingRow]:
        """The listings of a kind that have stories."""
        query = "SELECT * FROM listings WHERE kind = ? AND language = ? AND stories > 0"
        yield from map(ListingRow._make, self.db.execute(query, [kind, language]))

    def periods(self, listing: int) -> list[tuple[int, int]]:
        """A site's months and the number of stories in each, newest first."""
        query = "SELECT period, stories FROM periods WHERE listing = ? ORDER BY period DESC"
        return self.db.execute(query, [listing]).fetchall()

    def position(self, listing: int, period: int, rank: int) -> int:
        """How many stories of a period come before this rank."""
        query = "SELECT count(*) FROM members WHERE listing = ? AND period = ? AND rank < ?"
        return self.db.execute(query, [listing, period, rank]).fetchone()[0]  # type: ignore[no-any-return]  # sqlite3 returns Any

    def members(self, listing: int, period: int, skip: int, limit: int) -> list[int]:
        """The ids of a period's stories, oldest first."""
        query = (
            "SELECT story FROM members WHERE listing = ? AND period = ? "
            "ORDER BY rank, story LIMIT ? OFFSET ?"
        )
        return [s for (s,) in self.db.execute(query, [listing, period, limit, skip])]

    def volumes(self, listing: int) -> list[Volume]:
        """A listing's volumes, oldest first."""
        found = self._volumes.get(listing)
        if found is None:
            query = "SELECT first, last, name FROM volumes WHERE listing = ? ORDER BY first"
            found = list(map(Volume._make, self.db.execute(query, [listing])))
            if len(self._volumes) < _LISTINGS:
                self._volumes[listing] = found
        return found

    def set_volumes(self, listing: int, old: Sequence[Volume], new: Sequence[Volume]) -> None:
        """Put a listing's volumes in the place of those it had."""
        self._volumes.pop(listing, None)
        kept = set(old) & set(new)
        self.db.executemany(
            "DELETE FROM volumes WHERE listing = ? AND first = ?",
            [(listing, volume.first) for volume in old if volume not in kept],
        )
        self.db.executemany(
            "INSERT INTO volumes VALUES (?, ?, ?, ?)",
            [(listing, *volume) for volume in new if volume not in kept],
        )

    def ranks(self, listing: int, start: int) -> list[int]:
        """As ``volumes.Read``: as many ranks as decide where a volume of a listing ends."""
        query = (
            "SELECT rank FROM members WHERE listing = ? AND period = 0 AND rank >= ? "
            "ORDER BY rank LIMIT ?"
        )
        return [r for (r,) in self.db.execute(query, [listing, start, volumes.WHOLE])]

    def count(self, listing: int, first: int, last: int) -> int:
        """As ``volumes.Count``, of a listing."""
        query = (
            "SELECT count(*) FROM members WHERE listing = ? AND period = 0 AND rank BETWEEN ? AND ?"
        )
        return self.db.execute(query, [listing, first, last]).fetchone()[0]  # type: ignore[no-any-return]  # sqlite3 returns Any

    def between(self, listing: int, first: int, last: int) -> list[int]:
        """The ids of a listing's stories with these ranks, newest first."""
        query = (
            "SELECT story FROM members WHERE listing = ? AND period = 0 AND rank BETWEEN ? AND ? "
            "ORDER BY rank DESC, story DESC"
        )
        return [s for (s,) in self.db.execute(query, [listing, first, last])]

    def latest(self, listing: int, limit: int) -> list[int]:
        """The ids of a listing's latest stories, newest first."""
        query = (
            "SELECT story FROM members WHERE listing = ? "
            "ORDER BY period DESC, rank DESC, story DESC LIMIT ?"
        )
        return [s for (s,) in self.db.execute(query, [listing, limit])]

    def since(self, listing: int, period: int, rank: int) -> list[tuple[int, int]]:
        """Rank and id of a listing's stories from a rank in a period on."""
        query = "SELECT rank, story FROM members WHERE listing = ? AND period >= ? AND rank >= ?"
        return self.db.execute(query, [listing, period, rank]).fetchall()

    def near(self, listing: int, period: int, rank: int, limit: int) -> list[int]:
        """The ids of a listing's stories nearest to a rank: ``limit`` before, ``limit`` after."""
        found: list[int] = []
        for sign, order in (("<", "DESC"), (">", "ASC")):
            query = (
                f"SELECT story FROM members WHERE listing = ? AND (period, rank) {sign} (?, ?) "  # noqa: S608 (constants)
                f"ORDER BY period {order}, rank {order} LIMIT ?"
            )
            found += [s for (s,) in self.db.execute(query, [listing, period, rank, limit])]
        return found

    def oldest(self, listing: int) -> Kept | None:
        query = "SELECT story FROM members WHERE listing = ? ORDER BY period, rank, story LIMIT 1"
        found = self.db.execute(query, [listing]).fetchone()
        return next(self.stories(found), None) if found else None

    def card_rows(self, ids: Sequence[int]) -> dict[int, Card]:
        found: dict[int, Card] = {}
        for part in _parts(ids):
            query = f"SELECT id, card FROM stories WHERE id IN ({_marks(part)})"  # noqa: S608 (a constant)
            found.update(
                (number, _card.decode(card)) for number, card in self.db.execute(query, part)
            )
        return found

    def month(self, month: int) -> list[tuple[str, str, str]]:
        """Path, date of change and translation key of a month's stories, oldest first; of all
        issues of newsletters for 0."""
        query = (
            "SELECT s.path, s.updated, s.translation FROM listings l "
            "JOIN members m ON m.listing = l.id AND m.period = ? JOIN stories s ON s.id = m.story "
            "WHERE l.kind = ? ORDER BY s.rank, s.path"
        )
        kind = "site" if month else "newsletter"
        return self.db.execute(query, [month, kind]).fetchall()

    def months(self) -> list[tuple[int, str]]:
        return self.db.execute("SELECT month, updated FROM months ORDER BY month").fetchall()

    def set_month(self, month: int, updated: str) -> None:
        """Keep the date of the last change in a month; forget the month where it is empty."""
        if updated:
            self.db.execute("INSERT OR REPLACE INTO months VALUES (?, ?)", [month, updated])
        else:
            self.db.execute("DELETE FROM months WHERE month = ?", [month])


def decode_card(raw: bytes) -> Card:
    return _card.decode(raw)


def _kept(columns: tuple[Any, ...]) -> Kept:
    detail = _details.decode(columns[11])
    return _made(columns, detail.memberships, detail.related, detail.former, detail.files)


def _made(
    columns: tuple[Any, ...],
    memberships: tuple[Membership, ...],
    related: tuple[str, ...],
    former: tuple[str, ...],
    files: tuple[int, ...],
) -> Kept:
    """A story of its columns, in the order of ``_COLUMNS``, and of what its detail says."""
    number, uri, version, language, path, live, month, rank, updated = columns[:9]
    translation, card, _, start, length = columns[9:]
    row = StoryRow(
        uri, version, language, path, bool(live), month, rank, updated, translation, card,
        memberships, related, (), former,
    )  # fmt: skip
    return Kept(number, row, files, start, length)


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))


def _parts(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), _VARIABLES):
        yield values[start : start + _VARIABLES]
