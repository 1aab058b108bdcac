# SPDX-License-Identifier: AGPL-3.0-or-later
"""Names, limits and numbers of the signed folder (docs/format/edition-v1.md, sections 1, 2, 9).

What always holds: a name says where a file lies in the folder, with ``/`` between its parts; every
name but ``TIMESTAMP`` and ``CURRENT`` means the same bytes for ever.

What is not done here: reading and writing files.
"""

from __future__ import annotations

import datetime
from typing import Final

TIMESTAMP: Final = "metadata/timestamp.json"
CURRENT: Final = "metadata/current"
SITE: Final = "site.json"  # names of targets, as TUF knows them
RECENT: Final = "live/recent"
BASE: Final = "live/base"
MIRRORS: Final = "live/mirrors.json"
ARCHIVE: Final = "archive/index"

# Bytes at which a download is stopped.
ROOT_LIMIT: Final = 16_000
TIMESTAMP_LIMIT: Final = 4_000
SNAPSHOT_LIMIT: Final = 8_000
TARGETS_LIMIT: Final = 32_000  # targets, live and archive, each
CURRENT_LIMIT: Final = 64_000
RECORD_LIMIT: Final = 64
SITE_LIMIT: Final = 64_000  # site.json and mirrors.json, each
SHARD_LIMIT: Final = 64_000
BROTLI_MORE: Final = 64  # by which what cannot be compressed may grow
MAX_ROOTS: Final = 256  # new versions of root followed at once
MAX_PARTS: Final = 16  # of ``metadata/current``
RECENT_LIMIT: Final = 2_048  # entries that the writer keeps in ``recent``

OK: Final = 0  # statuses of an entry
MOVED: Final = 1
WITHDRAWN: Final = 2
GONE: Final = 3
HTTP_STATUS: Final = (200, 301, 410, 404)

FIRST_DAY: Final = datetime.date(2020, 1, 1)
MEDIA_TYPES: Final = (
    "application/octet-stream",
    "text/html; charset=utf-8",
    "application/xml",
    "application/rss+xml",
    "application/feed+json",
    "application/json",
    "application/manifest+json",
    "text/plain; charset=utf-8",
    "text/css; charset=utf-8",
    "text/javascript; charset=utf-8",
    "image/svg+xml",
    "image/png",
    "image/jpeg",
    "image/webp",
    "image/avif",
    "image/gif",
    "image/x-icon",
    "text/csv; charset=utf-8",
    "text/vtt; charset=utf-8",
    "application/pdf",
    "audio/mpeg",
    "audio/mp4",
    "audio/ogg",
    "audio/opus",
    "audio/wav",
    "video/mp4",
    "video/webm",
    "application/zip",
    "application/msword",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.oasis.opendocument.text",
)
_NUMBERS: Final = {name: number for number, name in enumerate(MEDIA_TYPES)}
_NUMBERS.update({name.partition(";")[0]: number for number, name in enumerate(MEDIA_TYPES)})


def metadata_name(role: str, version: int) -> str:
    """Where a version of a role's metadata lies; ``timestamp`` has no versions: ``TIMESTAMP``."""
    return f"metadata/{version}.{role}.json"


def target_name(target: str, sha256: str) -> str:
    """Where a target of TUF lies: ``live/recent`` at ``targets/live/HASH.recent``."""
    folder, slash, name = target.rpartition("/")
    return f"targets/{folder}{slash}{sha256}.{name}"


def object_name(sha256: str, *, brotli: bool = False) -> str:
    """Where a file of the paper lies, by its sha-256 in hexadecimal."""
    return f"objects/{sha256[:2]}/{sha256}{'.br' if brotli else ''}"


def shard_name(root: str, number: int) -> str:
    """Where a shard lies, by the root of its index in hexadecimal."""
    digits = f"{number:06x}"
    return f"shards/{root}/{digits[:2]}/{digits}"


def media_number(media_type: str) -> int:
    """The number of a media type, with or without its charset; 0 where it has none."""
    number = _NUMBERS.get(media_type)
    return _NUMBERS.get(media_type.partition(";")[0].strip(), 0) if number is None else number


def media_type(number: int) -> str:
    """The media type of a number; a number not known here is that of plain bytes."""
    return MEDIA_TYPES[number] if number < len(MEDIA_TYPES) else MEDIA_TYPES[0]


def day_number(when: datetime.datetime) -> int:
    """Days since 2020-01-01 in UTC, as entries count them; 0 before, 65,535 at most.

    Raises ``ValueError`` where ``when`` has no time zone.
    """
    if when.tzinfo is None:
        raise ValueError("a time without its zone has no day in UTC")
    days = (when.astimezone(datetime.UTC).date() - FIRST_DAY).days
    return min(max(days, 0), 0xFFFF)


def day(number: int) -> datetime.date:
    """The date that ``day_number`` counted."""
    return FIRST_DAY + datetime.timedelta(days=number)
