# SPDX-License-Identifier: AGPL-3.0-or-later
"""The blocks of an article's text. ``bodies`` turns them into the HTML of docs/format/body.md."""

from __future__ import annotations

from typing import Any, ClassVar

from wagtail import blocks
from wagtail.contrib.table_block.blocks import TableBlock
from wagtail.documents.blocks import DocumentChooserBlock
from wagtail.images.blocks import ImageChooserBlock
from wagtail.snippets.blocks import SnippetChooserBlock

PHRASES = ["bold", "italic", "link", "strikethrough", "superscript", "subscript", "code"]
TEXT_FEATURES = [
    "h2",
    "h3",
    "bold",
    "italic",
    "link",
    "ol",
    "ul",
    "strikethrough",
    "superscript",
    "subscript",
    "code",
]
TABLE_OPTIONS: dict[str, Any] = {"contextMenu": ["row_above", "row_below", "col_left", "col_right"]}


class HeadingBlock(blocks.StructBlock):
    level = blocks.ChoiceBlock(choices=[("h2", "Heading"), ("h3", "Smaller heading")], default="h2")
    text = blocks.CharBlock(max_length=200, help_text="A few words that say what follows.")

    class Meta:
        icon = "title"
        label = "Heading"


class QuotationBlock(blocks.RichTextBlock):
    """Words of somebody else, set off from the text."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"features": [*PHRASES, "ol", "ul"], **kwargs})

    class Meta:
        icon = "openquote"
        label = "Quotation"


class PullQuoteBlock(blocks.StructBlock):
    text = blocks.RichTextBlock(
        features=PHRASES, help_text="The sentence, without quotation marks."
    )
    attribution = blocks.CharBlock(
        required=False, max_length=200, label="Who said it", help_text="Name and role."
    )

    class Meta:
        icon = "openquote"
        label = "Pull quote"


class PhotoBlock(blocks.StructBlock):
    photo = ImageChooserBlock(label="Photo")
    caption = blocks.TextBlock(
        required=False,
        rows=2,
        help_text="Only if it must differ here from the photo's own caption.",
    )
    alt = blocks.CharBlock(
        required=False,
        max_length=255,
        label="Alternative text",
        help_text="Only if it must differ here: what a reader who cannot see it should know.",
    )

    class Meta:
        icon = "image"
        label = "Photo"


class GalleryBlock(blocks.StructBlock):
    photos = blocks.ListBlock(PhotoBlock(), min_num=1, max_num=60, label="Photos")
    caption = blocks.TextBlock(required=False, rows=2, help_text="For the gallery as a whole.")

    class Meta:
        icon = "image"
        label = "Gallery"


class AudioBlock(blocks.StructBlock):
    file = DocumentChooserBlock(label="Recording", help_text="MP3, M4A, Ogg, WAV or FLAC.")
    caption = blocks.TextBlock(required=False, rows=2, help_text="Who speaks, where, when.")

    class Meta:
        icon = "media"
        label = "Audio"


class VideoBlock(blocks.StructBlock):
    file = DocumentChooserBlock(label="Film", help_text="MP4 or WebM.")
    caption = blocks.TextBlock(required=False, rows=2, help_text="What is to be seen.")

    class Meta:
        icon = "media"
        label = "Video"


class DocumentBlock(blocks.StructBlock):
    file = DocumentChooserBlock(label="Document")
    title = blocks.CharBlock(
        required=False, max_length=200, help_text="Words of the link; else the document's title."
    )

    class Meta:
        icon = "doc-full"
        label = "Document"


class BoxBlock(blocks.StructBlock):
    title = blocks.CharBlock(max_length=120, help_text="“Read also”, “How we got here” …")
    stories = blocks.ListBlock(
        SnippetChooserBlock("newsroom.Article", label="Story"), min_num=1, max_num=12
    )

    class Meta:
        icon = "list-ul"
        label = "Box with stories"


class LinkCardBlock(blocks.StructBlock):
    url = blocks.URLBlock(label="Address", help_text="Nothing of that site is loaded.")
    title = blocks.CharBlock(max_length=200, help_text="What the link says.")
    description = blocks.CharBlock(
        required=False, max_length=300, help_text="What readers find there."
    )

    class Meta:
        icon = "link-external"
        label = "Link to another site"


class ArticleBody(blocks.StreamBlock):
    """The text of an article, from top to bottom."""

    text = blocks.RichTextBlock(features=TEXT_FEATURES, icon="pilcrow", label="Text")
    heading = HeadingBlock()
    quotation = QuotationBlock()
    pull_quote = PullQuoteBlock()
    photo = PhotoBlock()
    gallery = GalleryBlock()
    audio = AudioBlock()
    video = VideoBlock()
    table = TableBlock(icon="table", label="Table", table_options=TABLE_OPTIONS)
    document = DocumentBlock()
    box = BoxBlock()
    link = LinkCardBlock()

    FILES: ClassVar = {"audio": "file", "video": "file", "document": "file"}

    class Meta:
        required = False
