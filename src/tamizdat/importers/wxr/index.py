# SPDX-License-Identifier: AGPL-3.0-or-later
"""What items refer to before it appears: attachments, authors, terms, reusable blocks.

Kept in a temporary SQLite file, so memory stays flat; it goes away with the importer.
"""

from __future__ import annotations

import re
import sqlite3
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from tamizdat.importers.canon.pictures import absolute, uri_of
from tamizdat.importers.port import PHOTO_TYPES, PhotoFile
from tamizdat.importers.words import plain
from tamizdat.importers.wxr.item import Item

_SIZE = re.compile(r"(?:-\d{2,5}x\d{2,5}|-scaled|-e\d{9,})(?=\.\w+$)")
_SCHEMA = """
CREATE TABLE attachment (id TEXT PRIMARY KEY, url TEXT, file TEXT, parent TEXT, caption TEXT,
                         credit TEXT, alt TEXT, used INTEGER DEFAULT 0, what TEXT);
CREATE INDEX attachment_file ON attachment (file);
CREATE INDEX attachment_parent ON attachment (parent);
CREATE TABLE block (id TEXT PRIMARY KEY, html TEXT);
CREATE TABLE author (login TEXT PRIMARY KEY, name TEXT);
CREATE TABLE term (slug TEXT PRIMARY KEY, id TEXT, name TEXT, parent TEXT);
CREATE TABLE page (id TEXT PRIMARY KEY, parent TEXT, slug TEXT);
"""


def file_key(url: str) -> str:
    """What all sizes of one picture share: its path below the uploads folder, without a size."""
    try:
        path = unquote(urlsplit(url).path)
    except ValueError:
        return ""
    below = path.split("/wp-content/uploads/")[-1].split("/files/")[-1].lstrip("/")
    return _SIZE.sub("", below).lower()


class Index:
    """The look-up tables of one export."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="tamizdat-wxr-")
        self._db = sqlite3.connect(Path(self._folder.name) / "index.sqlite3", isolation_level=None)
        self._db.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;" + _SCHEMA)
        self._db.execute("BEGIN")

    def close(self) -> None:
        self._db.close()
        self._folder.cleanup()

    def add_attachment(self, item: Item) -> None:
        url = item["wp:attachment_url"].strip() or item["guid"].strip()
        self._db.execute(
            "INSERT OR REPLACE INTO attachment VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?)",
            (
                item.id,
                url,
                file_key(url),
                item["wp:post_parent"].strip(),
                plain(item["excerpt:encoded"]) or plain(item["content:encoded"]),
                plain(item.meta.get("_media_credit", "") or item.meta.get("credit", "")),
                plain(item.meta.get("_wp_attachment_image_alt", "")),
                item.what,
            ),
        )

    def add_block(self, item: Item) -> None:
        self._put("block", item.id, item["content:encoded"])

    def add_page(self, item: Item) -> None:
        self._put("page", item.id, item["wp:post_parent"].strip(), item["wp:post_name"])

    def add_author(self, login: str, name: str) -> None:
        self._put("author", login, name)

    def add_term(self, slug: str, number: str, name: str, parent: str) -> None:
        self._put("term", slug, number, name, parent)

    def _put(self, table: str, *row: str) -> None:
        marks = ", ".join("?" * len(row))
        self._db.execute(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", row)  # noqa: S608

    def _one(self, sql: str, *args: Any) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._db.execute(sql, args).fetchone()
        return row

    def block(self, number: str) -> str:
        row = self._one("SELECT html FROM block WHERE id = ?", number)
        return row[0] if row else ""

    def author(self, login: str) -> str:
        row = self._one("SELECT name FROM author WHERE login = ?", login)
        return row[0] if row else ""

    def term_name(self, slug: str) -> str:
        row = self._one("SELECT name FROM term WHERE slug = ?", slug)
        return row[0] if row else ""

    def term_slug(self, number: str) -> str:
        row = self._one("SELECT slug FROM term WHERE id = ?", number)
        return row[0] if row else ""

    def root_of(self, slug: str) -> str:
        """The topmost ancestor of a category; itself where it has none."""
        seen = {slug}
        while True:
            row = self._one("SELECT parent FROM term WHERE slug = ?", slug)
            if not row or not row[0] or row[0] in seen:
                return slug
            slug = row[0]
            seen.add(slug)

    def attachment(self, number: str) -> tuple[Any, ...] | None:
        return self._one(
            "SELECT id, url, caption, credit, alt FROM attachment WHERE id = ?", number
        )

    def attachment_at(self, url: str) -> tuple[Any, ...] | None:
        return self._one(
            "SELECT id, url, caption, credit, alt FROM attachment WHERE file = ?", file_key(url)
        )

    def children(self, parent: str) -> list[str]:
        """The pictures that were uploaded to a post, in their order."""
        rows = self._db.execute(
            "SELECT id, url FROM attachment WHERE parent = ? ORDER BY CAST(id AS INTEGER)",
            (parent,),
        )
        return [number for number, url in rows if is_photo(url)]

    def use(self, number: str) -> None:
        self._db.execute("UPDATE attachment SET used = 1 WHERE id = ?", (number,))

    def attachments(self) -> list[tuple[str, str, int]]:
        """Each attachment at the end: what, url, whether a story shows it."""
        return list(self._db.execute("SELECT what, url, used FROM attachment ORDER BY rowid"))


def is_photo(url: str) -> bool:
    try:
        return urlsplit(url).path.rsplit(".", 1)[-1].lower() in PHOTO_TYPES
    except ValueError:
        return False


class MediaFolder:
    """A copy of the old site's uploads. Nothing outside it is ever opened."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder.resolve() if folder else None

    def find(self, *urls: str) -> Path | None:
        """The file of the first address that lies in the folder, under any usual prefix."""
        if self.folder is None:
            return None
        for url in urls:
            for relative in self._candidates(url):
                path = (self.folder / relative).resolve()
                if path.is_relative_to(self.folder) and path.is_file():
                    return path
        return None

    def _candidates(self, url: str) -> list[str]:
        try:
            path = unquote(urlsplit(url).path).lstrip("/").replace("\0", "")
        except ValueError:
            return []
        below = path.split("wp-content/uploads/")[-1]
        whole = _SIZE.sub("", below)
        tried = [whole, below, f"uploads/{whole}", f"wp-content/uploads/{whole}", path]
        return [t for t in dict.fromkeys([*tried, whole.rsplit("/", 1)[-1]]) if t]


class WxrPictures:
    """Finds a post's pictures: by number, by address, in the media folder."""

    def __init__(self, index: Index, media: MediaFolder, base: str) -> None:
        self.index = index
        self.media = media
        self.base = base
        self.used: list[str] = []

    def find(self, src: str, ref: str = "") -> PhotoFile | None:
        url = absolute(self.base, src) if src else ""
        row = self.index.attachment(ref) if ref else None
        if url and (row is None or file_key(row[1]) != file_key(url)):
            row = self.index.attachment_at(url)
        if row is None:
            if not url.startswith(("http://", "https://")):
                return None
            return PhotoFile(uri=uri_of(url), url=url, path=self.media.find(url))
        number, original, caption, credit, alt = row
        if not is_photo(original):
            return None
        self.index.use(number)
        path = self.media.find(original, url)
        return PhotoFile(
            uri=uri_of(original), url=original, path=path, caption=caption, credit=credit, alt=alt
        )
