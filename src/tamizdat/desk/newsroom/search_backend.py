# SPDX-License-Identifier: AGPL-3.0-or-later
"""Wagtail's search in the database, whose work for one article does not grow with the archive.

Wagtail keeps, for its order by relevance, the average length of all titles, and reads the whole
index at every save for it (0.6 s at 200,000 entries). Our lists are by date: the average is only
made anew when the index is rebuilt (``tamizdat desk update_index``).
"""

from __future__ import annotations

from typing import Any

from wagtail.search.backends import database


def SearchBackend(params: dict[str, Any]) -> Any:  # noqa: N802 (Wagtail's name for it)
    """The backend for the database in use (WAGTAILSEARCH_BACKENDS)."""
    backend = database.SearchBackend(params)
    backend.index_class = _without_averages(backend.index_class)
    return backend


def _without_averages(index_class: type[Any]) -> type[Any]:
    class Index(index_class):
        def _refresh_title_norms(self, full: bool = False) -> None:
            if full:
                super()._refresh_title_norms(full=True)

    return Index
