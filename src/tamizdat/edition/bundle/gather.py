# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a bundle is made of: verified pages and pictures, and the part of the signed folder that
proves them.

What always holds: everything here was proven by ``SignedReader`` from the root that it was given;
the same edition and the same ``Plan`` give the same files. A story that is not published, or not
any more, is never among them.

``live/mirrors.json`` is left out: a file that is passed on should not list the mirrors.

What is not done here: choosing the stories, showing them, files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

import msgspec

from tamizdat.edition.bundle.errors import BundleError
from tamizdat.edition.bundle.leaf import Leaf
from tamizdat.edition.signed import current, layout
from tamizdat.edition.signed.client import Edition, SignedReader
from tamizdat.edition.signed.errors import AbsentError, MissingError
from tamizdat.edition.signed.fetch import Fetcher

Form = Literal["zip", "epub", "html"]
FORMS: Final[tuple[Form, ...]] = ("zip", "epub", "html")
_PARTS: Final = ("timestamp", "snapshot", "targets", "live", "archive")
_MOST = 10_000  # stories or pages in a plan


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """``bundle.json``: what is in a bundle, by paths. ``stories`` are shown, in their order;
    ``pages`` are besides them for readers that look paths up. ``renderer`` names the program that
    made what is shown. Nothing here is signed: all of it is compared when a bundle is checked."""

    form: Form
    renderer: str
    stories: tuple[str, ...]
    pages: tuple[str, ...] = ()
    pictures: bool = True
    format: int = 1

    def encode(self) -> bytes:
        return msgspec.json.encode(self)

    @classmethod
    def decode(cls, data: bytes) -> Plan:
        """Raises ``BundleError``."""
        try:
            plan = msgspec.json.decode(data, type=cls)
        except msgspec.DecodeError as error:
            raise BundleError(f"bundle.json cannot be read: {error}") from error
        paths = (*plan.stories, *plan.pages)
        if plan.format != 1 or len(paths) > _MOST or not all(p.startswith("/") for p in paths):
            raise BundleError("bundle.json is of another format than this program reads")
        return plan


class Picture(NamedTuple):
    """A picture of the paper, by its object."""

    name: str
    media_type: str
    data: bytes


class Gathered(NamedTuple):
    """``files``: the part of the signed folder, by names, without the pictures' objects;
    ``pictures`` by their paths."""

    as_of: datetime
    number: int
    expired: tuple[str, ...]
    site: Mapping[str, Any]
    leaves: list[Leaf]
    pictures: Mapping[str, Picture]
    files: Mapping[str, bytes]


class _Noted:
    """A copy of which is noted what was read. Objects are taken as they are, not compressed."""

    def __init__(self, inner: Fetcher) -> None:
        self._inner = inner
        self.files: dict[str, bytes] = {}

    def fetch(self, name: str, limit: int) -> bytes:
        if name.endswith(".br"):
            raise MissingError(f"{name} is not asked for")
        data = self._inner.fetch(name, limit)
        self.files[name] = data
        return data


def gather(fetch: Fetcher, reader_of: Callable[[Fetcher], SignedReader], plan: Plan) -> Gathered:
    """Read all that a plan names, and prove it. ``reader_of(fetcher)`` makes the ``SignedReader``.

    Raises ``VerifyError``: ``AbsentError`` where a story is not published.
    """
    noted = _Noted(fetch)
    reader = reader_of(noted)
    edition = reader.refresh()
    noted.files.clear()  # What is signed is taken as it was verified.
    leaves = [Leaf(path, page(reader, path)) for path in plan.stories]
    for path in plan.pages:
        reader.read(path)
    pictures: dict[str, Picture] = {}
    if plan.pictures:
        for path in dict.fromkeys(p for leaf in leaves for p in leaf.pictures()):
            if found := _picture(reader, path):
                pictures[path] = found
    site = _target(reader, layout.SITE)
    for picture in pictures.values():
        noted.files.pop(picture.name, None)
    files = dict(sorted({**noted.files, **_signed(edition)}.items()))
    known = msgspec.json.decode(site or b"{}")
    return Gathered(edition.as_of, edition.number, edition.expired, known, leaves, pictures, files)


def page(reader: SignedReader, path: str) -> bytes:
    """The bytes of a story's page. Raises ``AbsentError`` where it was withdrawn."""
    slot = reader.find(path).slot
    if slot is None or slot.status != layout.OK:
        raise AbsentError(f"the newsroom has no story at {path}, or none any more")
    return reader.object(slot)


def _picture(reader: SignedReader, path: str) -> Picture | None:
    slot = reader.find(path).slot
    if slot is None or slot.status != layout.OK:
        return None
    name = layout.object_name(slot.sha256.hex())
    return Picture(name, layout.media_type(slot.media), reader.object(slot))


def _target(reader: SignedReader, name: str) -> bytes:
    """A target of TUF, empty where the newsroom has none."""
    return reader.target(name) if name in reader.edition.verified.targets else b""


def _signed(edition: Edition) -> dict[str, bytes]:
    """The metadata and index records, singly and as ``metadata/current``."""
    files = dict(edition.files)
    parts = [n for role in _PARTS for n in files if n.endswith((f"/{role}.json", f".{role}.json"))]
    parts += [name for name in files if name.startswith("targets/")]
    return {**files, layout.CURRENT: current.encode({name: files[name] for name in parts})}
