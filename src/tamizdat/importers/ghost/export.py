# SPDX-License-Identifier: AGPL-3.0-or-later
"""A Ghost export, typed.

What always holds: posts stay undecoded bytes until their turn, so that only one is held as
objects at a time; the file itself is mapped, not read. Everything else (tags, users, who wrote
what) is small and held whole: about 1 kB for each post.
"""

from __future__ import annotations

import mmap
from collections import defaultdict
from pathlib import Path
from typing import Any

import msgspec

from tamizdat.importers.decoding import decode as decode_text
from tamizdat.importers.errors import DamagedError, RefusedError

MAX_FILE = 4 << 30
Id = str | int


class Row(msgspec.Struct):
    """A user or tag."""

    id: Id
    name: str | None = None
    slug: str | None = None
    visibility: str | None = None


class Link(msgspec.Struct):
    """A row that ties a post to a tag or author."""

    post_id: Id
    tag_id: Id | None = None
    author_id: Id | None = None
    sort_order: int | None = 0


class Meta(msgspec.Struct):
    """What newer versions keep beside a post."""

    post_id: Id
    feature_image_alt: str | None = None
    feature_image_caption: str | None = None
    email_only: bool | int | None = False


class Setting(msgspec.Struct):
    key: str = ""
    value: Any = None


class Post(msgspec.Struct):
    """A post or page. ``page`` and ``author_id`` are of version 1."""

    id: Id
    title: str | None = None
    slug: str | None = None
    html: str | None = None
    lexical: str | None = None
    mobiledoc: str | None = None
    markdown: str | None = None
    plaintext: str | None = None
    feature_image: str | None = None
    image: str | None = None
    featured: bool | int | None = False
    page: bool | int | None = False
    type: str | None = None
    status: str | None = None
    visibility: str | None = None
    locale: str | None = None
    language: str | None = None
    custom_excerpt: str | None = None
    canonical_url: str | None = None
    author_id: Id | None = None
    created_at: str | int | None = None
    updated_at: str | int | None = None
    published_at: str | int | None = None
    email_only: bool | int | None = False


class Data(msgspec.Struct):
    """The tables that matter to a paper; others are skipped while decoding."""

    posts: list[msgspec.Raw] = []
    users: list[Row] = []
    tags: list[Row] = []
    posts_tags: list[Link] = []
    posts_authors: list[Link] = []
    posts_meta: list[Meta] = []
    settings: list[Setting] = []


class _Holder(msgspec.Struct):
    data: Data


class _Db(msgspec.Struct):
    db: list[_Holder] | None = None
    data: Data | None = None
    posts: list[msgspec.Raw] | None = None


class Export:
    """The tables, with look-ups by post."""

    def __init__(self, path: Path) -> None:
        self.path = path
        data = _read(path)
        self.posts = data.posts
        self.users = {str(u.id): u for u in data.users}
        self.tags = {str(t.id): t for t in data.tags}
        self.meta = {str(m.post_id): m for m in data.posts_meta}
        self.settings = {s.key: s.value for s in data.settings}
        self._tags = _by_post(data.posts_tags)
        self._authors = _by_post(data.posts_authors)

    def tags_of(self, post: Post) -> list[Row]:
        links = self._tags.get(str(post.id), ())
        return [self.tags[str(x.tag_id)] for x in links if str(x.tag_id) in self.tags]

    def authors_of(self, post: Post) -> list[Row]:
        links = self._authors.get(str(post.id), ())
        found = [self.users[str(x.author_id)] for x in links if str(x.author_id) in self.users]
        if not found and str(post.author_id) in self.users:
            return [self.users[str(post.author_id)]]
        return found


def _by_post(links: list[Link]) -> dict[str, list[Link]]:
    found: defaultdict[str, list[Link]] = defaultdict(list)
    for link in links:
        found[str(link.post_id)].append(link)
    for listed in found.values():
        listed.sort(key=lambda link: link.sort_order or 0)
    return dict(found)


def _read(path: Path) -> Data:
    size = path.stat().st_size
    if size == 0:
        raise DamagedError(f"{path}: the file is empty. Export it again: Settings, Labs, Export")
    if size > MAX_FILE:
        raise RefusedError(f"{path}: larger than {MAX_FILE >> 30} GB")
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        start = bytes(mapped[:4])
        if start[:2] in {b"\xff\xfe", b"\xfe\xff"} or start[:3] == b"\xef\xbb\xbf" or 0 in start:
            text, _ = decode_text(bytes(mapped), str(path))
            return _decoded(text.lstrip("\ufeff").encode(), path)
        return _decoded(mapped, path)


def _decoded(raw: bytes | mmap.mmap, path: Path) -> Data:
    try:
        whole = msgspec.json.decode(memoryview(raw), type=_Db)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise DamagedError(f"{path}: this is no whole Ghost export: {error}") from error
    if whole.db:
        data = whole.db[0].data
    elif whole.data is not None:
        data = whole.data
    elif whole.posts is not None:
        data = Data(posts=whole.posts)
    else:
        raise DamagedError(f"{path}: it holds no posts: no “db”, “data” or “posts” in it")
    data.posts = [msgspec.Raw(bytes(post)) for post in data.posts]
    return data
