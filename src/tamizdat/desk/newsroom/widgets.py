# SPDX-License-Identifier: AGPL-3.0-or-later
"""Form fields of the desk: texts that count themselves, long lists, the blocks of a text.

What always holds: hundreds of topics cost a page no more than their words. (Django renders a
template for each option, and Wagtail packs all blocks anew with each form: half of the editor's
time.)
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from wagtail.admin.telepath import register
from wagtail.admin.telepath.widgets import WidgetAdapter
from wagtail.admin.widgets import AdminAutoHeightTextInput
from wagtail.blocks.base import BlockWidget
from wagtail.snippets.widgets import AdminSnippetChooser


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


class LongSelect(forms.Select):
    """A list to choose from that may have hundreds of options; it has no groups."""

    template_name = "newsroom/long_select.html"

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = forms.Widget.get_context(self, name, value, attrs)
        if self.allow_multiple_selected:
            context["widget"]["attrs"]["multiple"] = True
        context["widget"]["options"] = self._options(self.format_value(value))
        return context

    def _options(self, chosen: list[str]) -> SafeString:
        return format_html_join(
            "\n",
            '<option value="{}"{}>{}</option>',
            (
                (value, SafeString(" selected") if value in chosen else "", label)
                for value, label in ((str(v if v is not None else ""), w) for v, w in self.choices)
            ),
        )


class TermPicker(LongSelect, forms.SelectMultiple):
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


class _TermPickerAdapter(WidgetAdapter):
    """The editor's script only looks the field up: it needs no second copy of all terms."""

    def js_args(self, widget: TermPicker) -> list[str]:
        return [format_html('<select name="{}" id="{}" multiple></select>', "__NAME__", "__ID__")]


register(_TermPickerAdapter(), TermPicker)


class BodyWidget(BlockWidget):
    """The blocks of a text. What they are is packed once a process and language, not every time:
    nothing in it depends on who asks or on the text."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._js_context: Any
        self._block_json: Any
        self._packed: dict[str | None, tuple[Any, Any]] = {}  # Shared by the copies in forms.

    def _build_block_json(self) -> None:
        language = get_language()
        if language not in self._packed:
            super()._build_block_json()
            self._packed[language] = self._js_context, self._block_json
        self._js_context, self._block_json = self._packed[language]


class KnownChooser(AdminSnippetChooser):
    """Does not ask again for the one that its form has at hand (``known``)."""

    known: Any = None

    def get_instance(self, value: Any) -> Any:
        if self.known is not None and value == self.known.pk:
            return self.known
        return super().get_instance(value)
