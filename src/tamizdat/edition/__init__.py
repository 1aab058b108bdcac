# SPDX-License-Identifier: AGPL-3.0-or-later
"""The core: stories in, a folder out. These names are its public API."""

from tamizdat.edition.errors import BusyError, EditionError, SiteError, StoreError, StoryError
from tamizdat.edition.media import MediaSource
from tamizdat.edition.paper import Edition, Report
from tamizdat.edition.paths import article_path, media_path
from tamizdat.edition.reader import Found
from tamizdat.edition.site import Site
from tamizdat.edition.sources import FolderSource, StorySource
from tamizdat.edition.story import Story
from tamizdat.edition.views import Card

__all__ = [
    "BusyError",
    "Card",
    "Edition",
    "EditionError",
    "FolderSource",
    "Found",
    "MediaSource",
    "Report",
    "Site",
    "SiteError",
    "StoreError",
    "Story",
    "StoryError",
    "StorySource",
    "article_path",
    "media_path",
]
