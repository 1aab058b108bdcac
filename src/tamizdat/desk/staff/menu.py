# SPDX-License-Identifier: AGPL-3.0-or-later
"""Items of the desk's menus that only some people see. What lies behind one checks for itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from wagtail.admin.menu import MenuItem


class ItemFor(MenuItem):
    """``whom`` says of a user whether the item is shown; it is asked once a page."""

    def __init__(self, whom: Callable[[Any], bool], label: str, url: str, **options: Any) -> None:
        super().__init__(label, url, **options)
        self._whom = whom

    def is_shown(self, request: HttpRequest) -> bool:
        said: dict[Any, bool] = request.__dict__.setdefault("_items_for", {})
        if self._whom not in said:
            said[self._whom] = self._whom(request.user)
        return said[self._whom]
