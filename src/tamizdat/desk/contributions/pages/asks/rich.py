# SPDX-License-Identifier: AGPL-3.0-or-later
"""A text of paragraphs, emphasis and links: Wagtail's editor, and a plain box without script.

What always holds: whatever a browser sends comes out as canonical HTML (``edition.body``) or as an
error in words; nothing is read of what is much longer than any text may be.
"""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString
from wagtail.admin.rich_text.editors.draftail import DraftailRichTextArea
from wagtail.rich_text import expand_db_html

from tamizdat.desk.contributions import content
from tamizdat.edition import body

FEATURES = ["bold", "italic", "link"]
MOST_SENT = 20_000  # characters of markup; to make sense of a megabyte of tags takes a minute
_TYPED = "-typed"
_BROKEN = (
    ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OverflowError,
)  # fmt: skip


class Unreadable(str):
    """What a browser sent where no text could be read of it."""

    __slots__ = ()


class Overlong(str):
    """What was sent, as it came."""

    __slots__ = ()


class RichText(DraftailRichTextArea):
    """``name`` is filled by Wagtail's editor, ``name-typed`` by who has no script."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(features=FEATURES, attrs=attrs)

    def render(
        self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None
    ) -> SafeString:
        return format_html(
            '{}<noscript><textarea name="{}" rows="6" aria-label="Text">{}</textarea></noscript>',
            super().render(name, as_words(value), attrs, renderer),
            name + _TYPED,
            value or "",
        )

    def format_value(self, value: Any) -> Any:
        # Wagtail's reader of HTML wants every element closed.
        return super().format_value((value or "").replace("<br>", "<br/>"))

    def value_from_datadict(self, data: Any, files: Any, name: str) -> str:
        typed = data.get(name + _TYPED)
        if typed is not None:
            return Overlong(typed) if len(typed) > MOST_SENT else cleaned(html_of(typed))
        if not data.get(name):
            return ""
        try:
            html = super().value_from_datadict(data, files, name)
            return cleaned(expand_db_html(html or ""))
        except _BROKEN:
            return Unreadable()


def as_words(value: Any) -> Any:
    """For the editor: of what is too long its tags are words, too."""
    return f"<p>{escape(value)}</p>" if isinstance(value, Overlong) else value


def html_of(typed: str) -> str:
    """Of what was typed without an editor: HTML, or paragraphs with empty lines between them."""
    if "<" in typed:
        return typed
    blocks = re.split(r"\n\s*\n", typed.replace("\r\n", "\n"))
    return "".join(f"<p>{escape(one.strip())}</p>".replace("\n", "<br>") for one in blocks)


def cleaned(html: str) -> str:
    if len(html) > MOST_SENT:
        return Overlong(html)
    found = body.clean(html)
    return "" if found == "<p></p>" else found


class SimpleText(forms.CharField):
    """The words of a message, as HTML."""

    def __init__(self, *, language: str, **options: Any) -> None:
        attrs = {"maxlength": content.MOST_TEXT, "lang": language}
        super().__init__(required=False, widget=RichText(attrs=attrs), **options)

    def clean(self, value: Any) -> str:
        if isinstance(value, Unreadable):
            raise ValidationError("The text could not be read. Write it once more.")
        if isinstance(value, Overlong):
            long, most = len(value), content.MOST_TEXT
            raise ValidationError(f"It has {long} characters with its marks: {most} at most.")
        html: str = super().clean(value)
        if not content.is_simple(html):
            raise ValidationError("Use paragraphs, bold, italics and links, and nothing else.")
        long = content.length(html)
        if long > content.MOST_TEXT:
            raise ValidationError(f"It has {long} characters: {content.MOST_TEXT} at most.")
        if len(html) > content.MOST_MARKUP * content.MOST_TEXT:
            raise ValidationError("The addresses of its links are too long.")
        return html
