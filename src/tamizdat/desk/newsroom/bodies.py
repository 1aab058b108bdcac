# SPDX-License-Identifier: AGPL-3.0-or-later
"""An article's blocks as the HTML of docs/format/body.md, and that HTML as blocks.

What always holds:

- ``html_from_blocks`` returns canonical HTML (``edition.body.clean`` leaves it as it is); what a
  block refers to and that is gone, or not published, is left out and breaks nothing.
- ``html_from_blocks(blocks_from_html(h)) == h`` for canonical ``h`` whose photos, files and
  stories are known, and whose captions and table cells are plain text.

What is not done here: making files of photos (``photos``), markup of a photo (``photo_figure``,
given by the caller), reading other systems' HTML (``importers``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from html import escape
from typing import Any
from urllib.parse import urlsplit

from tamizdat.desk.newsroom.body_reader import blocks_from_html
from tamizdat.desk.newsroom.media import file_label, media_path
from tamizdat.desk.newsroom.models import Article, Attachment, Photo
from tamizdat.edition.body import clean
from tamizdat.edition.story import ni_uri

__all__ = ["PhotoFigure", "blocks_from_html", "html_from_blocks", "short_figure"]

PhotoFigure = Callable[[Photo, str, str], str]
"""Makes a figure of a photo, its caption and its alternative text, both plain text."""


def short_figure(photo: Photo, caption: str = "", alt: str = "") -> str:
    """The short form of a photo: only its name."""
    return f'<figure class="photo" data-photo="{escape(photo.uri)}"></figure>'


def html_from_blocks(
    article_body: Any, *, photo_figure: PhotoFigure = short_figure, language: str = "en"
) -> str:
    """Turn a ``StreamValue`` into canonical HTML. ``language`` is that of the article."""
    writer = _Writer(photo_figure, language)
    return clean("\n".join(writer.block(child) for child in article_body))


def photos_in(article_body: Any) -> Iterator[tuple[Photo, str, str]]:
    """Every photo in the text with the caption and alternative text it has there, in order."""
    for child in article_body:
        values: Iterable[Any] = ()
        if child.block_type == "photo":
            values = [child.value]
        elif child.block_type == "gallery":
            values = child.value["photos"]
        yield from (_described(value) for value in values if value["photo"])


def files_in(article_body: Any) -> Iterator[Attachment]:
    """Every recording, film and document in the text, in order."""
    for child in article_body:
        if child.block_type in ("audio", "video", "document") and child.value["file"]:
            yield child.value["file"]


def _described(value: Any) -> tuple[Photo, str, str]:
    photo = value["photo"]
    return photo, value["caption"] or photo.caption, value["alt"] or photo.alt_text


class _Writer:
    """One method for each kind of block, named as the block is."""

    def __init__(self, photo_figure: PhotoFigure, language: str) -> None:
        self.photo_figure = photo_figure
        self.language = language

    def block(self, child: Any) -> str:
        write: Callable[[Any], str] = getattr(self, child.block_type)
        return write(child.value)

    def text(self, value: Any) -> str:
        return str(value.source)

    def heading(self, value: Any) -> str:
        level = "h3" if value["level"] == "h3" else "h2"
        return f"<{level}>{escape(value['text'])}</{level}>"

    def quotation(self, value: Any) -> str:
        return f"<blockquote>{value.source}</blockquote>"

    def pull_quote(self, value: Any) -> str:
        cite = f"<cite>{escape(value['attribution'])}</cite>" if value["attribution"] else ""
        return f'<blockquote class="pull">{value["text"].source}{cite}</blockquote>'

    def photo(self, value: Any) -> str:
        return self.photo_figure(*_described(value)) if value["photo"] else ""

    def gallery(self, value: Any) -> str:
        figures = "".join(self.photo(item) for item in value["photos"])
        caption = value["caption"]
        below = f'<p class="caption">{escape(caption)}</p>' if caption else ""
        return f'<div class="gallery">{figures}{below}</div>' if figures else ""

    def audio(self, value: Any) -> str:
        return self._player("audio", value)

    def video(self, value: Any) -> str:
        return self._player("video", value)

    def _player(self, kind: str, value: Any) -> str:
        file: Attachment | None = value["file"]
        if file is None or not file.sha256:
            return ""
        caption = escape(value["caption"] or file.caption)
        below = f"<figcaption>{caption}</figcaption>" if caption else ""
        return (
            f'<figure class="{kind}" data-media="{ni_uri(file.sha256)}">'
            f'<{kind} controls preload="none" src="{media_path(file.sha256, file.media_type)}">'
            f"</{kind}>{below}</figure>"
        )

    def document(self, value: Any) -> str:
        file: Attachment | None = value["file"]
        if file is None or not file.sha256:
            return ""
        label = file_label(file.media_type, file.file_size or 0, self.language)
        return (
            f'<p class="document" data-media="{ni_uri(file.sha256)}">'
            f'<a href="{media_path(file.sha256, file.media_type)}">'
            f"{escape(value['title'] or file.title)}</a> <small>{escape(label)}</small></p>"
        )

    def table(self, value: Any) -> str:
        rows = value.get("data") or []
        headed, labelled = value.get("first_row_is_table_header"), value.get("first_col_is_header")
        caption = escape(value.get("table_caption") or "")
        head = f"<thead>{_row(rows[0], 'col')}</thead>" if headed and rows else ""
        rest = rows[1:] if headed else rows
        body = "".join(_row(row, "row" if labelled else "") for row in rest)
        above = f"<caption>{caption}</caption>" if caption else ""
        table = f"<table>{above}{head}<tbody>{body}</tbody></table>"
        return f'<figure class="table">{table}</figure>'

    def box(self, value: Any) -> str:
        stories: list[Article] = [s for s in value["stories"] if s and s.live and s.path]
        if not stories:
            return ""
        links = "".join(
            f'<li><a href="{escape(s.path)}">{escape(s.headline)}</a></li>' for s in stories
        )
        uris = escape(" ".join(s.story_uri for s in stories))
        title = f"<h2>{escape(value['title'])}</h2>" if value["title"] else ""
        return f'<aside class="box" data-stories="{uris}">{title}<ul>{links}</ul></aside>'

    def link(self, value: Any) -> str:
        what = f" <span>{escape(value['description'])}</span>" if value["description"] else ""
        host = (urlsplit(value["url"]).hostname or "").removeprefix("www.")
        return (
            f'<aside class="link"><a href="{escape(value["url"])}">'
            f"<strong>{escape(value['title'])}</strong>{what} <small>{escape(host)}</small>"
            "</a></aside>"
        )


def _row(cells: list[str | None], scope: str) -> str:
    """A table row. ``scope`` is ``col`` (all are headings), ``row`` (the first is) or empty."""
    out = []
    for number, cell in enumerate(cells):
        text = escape(str(cell)) if cell is not None else ""
        heading = scope == "col" or (scope == "row" and number == 0)
        out.append(f'<th scope="{scope}">{text}</th>' if heading else f"<td>{text}</td>")
    return f"<tr>{''.join(out)}</tr>"
