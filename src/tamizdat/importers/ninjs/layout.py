# SPDX-License-Identifier: AGPL-3.0-or-later
"""How an export lies on disk. Names are made of what is in a story, so they never change.

::

    README.txt                                     what all this is
    stories/2026/11/slug-1a2b3c4d/v0001.json …     every version, exactly as it was published
    drafts/slug-1a2b3c4d.json                      what is not published, as the desk has it
    photos/ab/abcdef….jpg                          photos, cleaned, by their sha-256
    photos.jsonl                                   uri, file, caption, credit, alt: one a line
    media/ab/abcdef….pdf                           recordings, films, documents, readers' files
    redirects                                      "/old /new" a line
"""

from __future__ import annotations

import hashlib

import msgspec

from tamizdat.edition.story import Story
from tamizdat.importers.words import slug

MARK = "README.txt"
STORIES, DRAFTS, PHOTOS, REDIRECTS = "stories", "drafts", "photos.jsonl", "redirects"


class PhotoLine(msgspec.Struct, omit_defaults=True):
    """A line of ``photos.jsonl``. ``file`` is relative to the export; empty where it is lost."""

    uri: str
    file: str = ""
    title: str = ""
    caption: str = ""
    credit: str = ""
    alt: str = ""
    taken: str = ""
    file_photo: bool = False
    licence: str = ""
    focal_point: tuple[int, int, int, int] | None = None


def short(uri: str) -> str:
    """Eight letters that tell stories of one slug apart."""
    return hashlib.sha256(uri.encode()).hexdigest()[:8]


def folder_of(first: Story) -> str:
    """Where a story's versions lie, told by its first version: ``2026/11/slug-1a2b3c4d``."""
    when = first.first_created or first.version_created or "0000-00"
    return f"{when[:4]}/{when[5:7]}/{name_of(first)}"


def name_of(story: Story) -> str:
    return f"{slug(story.slugline or story.headline)[:60].strip('-')}-{short(story.uri)}"


def version_name(number: int) -> str:
    return f"v{number:04d}.json"


def media_file(sha256: str, extension: str) -> str:
    return f"{sha256[:2]}/{sha256}.{extension}"
