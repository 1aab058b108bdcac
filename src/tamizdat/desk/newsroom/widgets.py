# SPDX-License-Identifier: AGPL-3.0-or-later
"""Form fields of the desk: texts that count themselves, and a picker for topics and places."""

from __future__ import annotations

from typing import Any

from django import forms
from wagtail.admin.widgets import AdminAutoHeightTextInput


class _Counted:
    """Shows how many characters are written, and says when they are more than fit.

    ``fits`` is where the text begins to be cut in lists and mail; more may be written.
    """

    def __init__(self, *args: Any, fits: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.attrs["data-fits"] = str(fits)  # type: ignore[attr-defined]  # a widget is mixed in

    class Media:
        js = ("newsroom/desk.js",)


class CountedInput(_Counted, AdminAutoHeightTextInput):
    pass


class CountedTextarea(_Counted, AdminAutoHeightTextInput):
    pass


class TermPicker(forms.SelectMultiple):
    """Many of many: typed, found, shown as chips. Without script it is a plain list.

    ``kind`` is the word for one of them: “topic”.
    """

    template_name = "newsroom/term_picker.html"

    def __init__(self, kind: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["kind"] = self.kind
        return context

    class Media:
        js = ("newsroom/desk.js",)
