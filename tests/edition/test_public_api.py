# SPDX-License-Identifier: AGPL-3.0-or-later
"""What other parts may import from the edition."""

from __future__ import annotations

import inspect

import tamizdat.edition
from tamizdat.edition import Edition, Report


def test_the_public_names_are_these() -> None:
    assert sorted(tamizdat.edition.__all__) == [
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
    assert all(hasattr(tamizdat.edition, name) for name in tamizdat.edition.__all__)


def test_an_edition_can_be_asked_for_these_things() -> None:
    public = [name for name in vars(Edition) if not name.startswith("_")]
    assert sorted(public) == [
        "build",
        "needs_build",
        "number",
        "publish",
        "read",
        "refresh",
        "related",
        "resign",
    ]
    options = inspect.signature(Edition).parameters
    assert list(options)[:6] == ["folder", "media", "tree", "brotli", "workers", "clock"]


def test_a_report_says_these_things() -> None:
    assert Report.__struct_fields__ == (
        "edition",
        "stories",
        "pages",
        "files",
        "removed",
        "seconds",
        "full",
        "problems",
    )
