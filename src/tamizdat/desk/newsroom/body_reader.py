# SPDX-License-Identifier: AGPL-3.0-or-later
"""Canonical HTML (docs/format/body.md) read into an article's blocks. See ``bodies``.

What always holds: any HTML may come in, it is cleaned first; nothing that has words is lost
without a word to ``on_loss``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import uuid4

from lxml import html as lxml_html

from tamizdat.desk.newsroom.models import Attachment, Photo
from tamizdat.edition.body import clean

Raw = dict[str, Any]
_TEXT = frozenset(["p", "ul", "ol", "h2", "h3"])


def _ignore(_: str) -> None:
    """The default for callers that do not report."""


def blocks_from_html(
    html: str,
    *,
    photos: Mapping[str, Photo] | None = None,
    files: Mapping[str, Attachment] | None = None,
    stories: Mapping[str, int] | None = None,
    on_loss: Callable[[str], None] = _ignore,
) -> list[Raw]:
    """Read a body into a StreamField's raw data: ``[{"type", "value", "id"}]``.

    ``photos`` by the URI in ``data-photo``, ``files`` by the ``ni:`` URI in ``data-media``,
    ``stories`` from URI to the article's primary key. ``on_loss`` is told, in a sentence, of each
    thing that could not be taken.
    """
    reader = _Reader(photos or {}, files or {}, stories or {}, on_loss)
    return [{"type": kind, "value": value, "id": str(uuid4())} for kind, value in reader.read(html)]


class _Reader:
    """One method for each kind of element: ``read_figure_photo`` reads ``figure.photo``."""

    def __init__(
        self,
        photos: Mapping[str, Photo],
        files: Mapping[str, Attachment],
        stories: Mapping[str, int],
        on_loss: Callable[[str], None],
    ) -> None:
        self.photos = photos
        self.files = files
        self.stories = stories
        self.on_loss = on_loss

    def read(self, html: str) -> Iterator[tuple[str, Any]]:
        text: list[str] = []
        for element in _elements(clean(html)):
            kind = f"{element.tag}_{element.get('class') or ''}".rstrip("_")
            if kind in _TEXT:
                text.append(_source(element))
                continue
            if text:
                yield "text", "\n".join(text)
                text = []
            block = getattr(self, f"read_{kind}")(element)
            if block:
                yield block
        if text:
            yield "text", "\n".join(text)

    def read_blockquote(self, element: Any) -> tuple[str, Any]:
        return "quotation", "".join(map(_source, element))

    def read_blockquote_pull(self, element: Any) -> tuple[str, Any]:
        text = "".join(_source(p) for p in element.iterchildren("p"))
        return "pull_quote", {"text": text, "attribution": self._plain(element, "cite")}

    def read_figure_photo(self, element: Any) -> tuple[str, Any] | None:
        value = self._photo(element)
        return ("photo", value) if value else None

    def _photo(self, element: Any) -> Raw | None:
        photo = self.photos.get(element.get("data-photo"))
        if photo is None:
            self.on_loss(f"A photo is not known: {element.get('data-photo')}")
            return None
        for small in element.xpath("./figcaption/small"):
            small.drop_tree()
        caption = self._plain(element, "figcaption")
        alt = next(iter(element.xpath(".//img/@alt")), "")
        return {
            "photo": photo.pk,
            "caption": "" if caption == photo.caption else caption,
            "alt": "" if alt == photo.alt_text else alt,
        }

    def read_div_gallery(self, element: Any) -> tuple[str, Any] | None:
        found = [self._photo(figure) for figure in element.iterchildren("figure")]
        values = [value for value in found if value]
        if not values:
            return None
        items = [{"type": "item", "value": value, "id": str(uuid4())} for value in values]
        return "gallery", {"photos": items, "caption": self._plain(element, "p")}

    def read_figure_audio(self, element: Any) -> tuple[str, Any] | None:
        return self._file("audio", element, "caption", "figcaption")

    def read_figure_video(self, element: Any) -> tuple[str, Any] | None:
        return self._file("video", element, "caption", "figcaption")

    def read_p_document(self, element: Any) -> tuple[str, Any] | None:
        return self._file("document", element, "title", "a")

    def read_p_caption(self, element: Any) -> tuple[str, Any]:
        return "text", f"<p>{_inner(element)}</p>"

    def _file(self, kind: str, element: Any, name: str, tag: str) -> tuple[str, Any] | None:
        file = self.files.get(element.get("data-media") or "")
        text = self._plain(element, tag)
        if file is None:
            self.on_loss(f"A file is not known: {text or element.get('data-media')}")
            return None
        same = text == (file.title if name == "title" else file.caption)
        return kind, {"file": file.pk, name: "" if same else text}

    def read_figure_table(self, element: Any) -> tuple[str, Any]:
        if element.xpath(".//td//a | .//th//a"):
            self.on_loss("Links in a table were turned into plain text.")
        rows = [list(row) for row in element.iter("tr")]
        width = max((len(row) for row in rows), default=0)
        data = [[_words(cell) for cell in row] + [""] * (width - len(row)) for row in rows]
        headed = bool(element.xpath("./table/thead"))
        labelled = any(row and row[0].tag == "th" for row in rows[1 if headed else 0 :])
        return "table", _table(data, self._plain(element[0], "caption"), headed, labelled)

    def read_aside_box(self, element: Any) -> tuple[str, Any] | None:
        title = self._plain(element, "h2")
        uris = (element.get("data-stories") or "").split()
        known = [self.stories[uri] for uri in uris if uri in self.stories]
        if len(known) < len(uris) or not uris:
            self.on_loss(f"A box names stories that are not here: “{title}”")
        if not known:
            return None
        items = [{"type": "item", "value": pk, "id": str(uuid4())} for pk in known]
        return "box", {"title": title, "stories": items}

    def read_aside_link(self, element: Any) -> tuple[str, Any]:
        link = element[0]
        description = self._plain(link, "span")
        title = self._plain(link, "strong") or _words(link)
        return "link", {"url": link.get("href"), "title": title, "description": description}

    def _plain(self, element: Any, tag: str) -> str:
        """The words of the first child with this tag; a link in it is reported as lost."""
        found = element.find(tag)
        if found is None:
            return ""
        if found.tag != "a" and found.find(".//a") is not None:
            self.on_loss(f"A link was turned into plain text: “{_words(found)}”")
        return _words(found)


def _elements(html: str) -> list[Any]:
    """The blocks of cleaned HTML. What may not stand alone was wrapped by ``clean``."""
    if not html:
        return []
    body: Any = lxml_html.document_fromstring(f"<html><body>{html}</body></html>").find("body")
    return list(body)


def _source(element: Any) -> str:
    source: str = lxml_html.tostring(element, encoding="unicode", with_tail=False)
    return source


def _inner(element: Any) -> str:
    source = _source(element)
    return source[source.index(">") + 1 : source.rindex("<")]


def _words(element: Any) -> str:
    text: str = element.text_content()
    return text.strip(" \t\r\n\f")  # A hard space at an end was written on purpose.


def _table(data: list[list[str]], caption: str, headed: bool, labelled: bool) -> Raw:
    """The value of Wagtail's TableBlock."""
    choice = {(1, 1): "both", (1, 0): "row", (0, 1): "column", (0, 0): "neither"}
    return {
        "data": data,
        "cell": [],
        "mergeCells": [],
        "table_caption": caption,
        "table_header_choice": choice[headed, labelled],
        "first_row_is_table_header": headed,
        "first_col_is_header": labelled,
    }
