# SPDX-License-Identifier: AGPL-3.0-or-later
"""A page that was saved as plain text: its structure by the shape and order of its lines."""

from __future__ import annotations

import re

from tamizdat.edition.story import InfoSource
from tamizdat.importers.decoding import language_of
from tamizdat.importers.page.article import (
    Article,
    date_in,
    is_label,
    names_in,
    paragraph,
)
from tamizdat.importers.page.furniture import (
    Block,
    article_blocks,
    caption_score,
    furniture,
    split_credit,
)
from tamizdat.importers.page.sources import dateline
from tamizdat.importers.port import PhotoFile
from tamizdat.importers.words import squeeze

_BULLET = re.compile(r"^\s*(?:[-*•–—]\s+|\d{1,2}[.)]\s+)")
_PARAGRAPHS = re.compile(r"\n[ \t]*\n")


def blocks_of(text: str) -> list[Block]:
    """Paragraphs and single lines. Lines broken at a fixed width are joined again."""
    blocks: list[Block] = []
    parts = _PARAGRAPHS.split(text.replace("\r\n", "\n").replace("\r", "\n"))
    for part in parts:
        lines = [squeeze(line) for line in part.split("\n") if line.strip()]
        if _wrapped(lines):
            blocks.append(Block(" ".join(lines)))
        else:
            blocks += [Block(line) for line in lines]
    return [b for b in blocks if b.text]


def _wrapped(lines: list[str]) -> bool:
    """Whether these lines are one paragraph that was broken at a fixed width."""
    if len(lines) < 2 or any(_BULLET.match(line) for line in lines):
        return False
    full = [len(line) for line in lines[:-1]]
    return min(full) >= 45 and max(full) <= 110 and max(full) - min(full) <= 25


def read(text: str, uri: str) -> Article:
    """Find the article in a page's text."""
    blocks = blocks_of(text)
    inside = article_blocks(blocks)
    article = Article(language=language_of(text))
    kept = [b for b, keep in zip(blocks, inside, strict=True) if keep]
    start = _headline(article, blocks, inside)
    rest = [
        b
        for b, keep in zip(blocks[start:], inside[start:], strict=True)
        if keep or _meta(article, b)
    ]
    body = _header(article, rest, uri)
    _body(article, body, uri)
    dropped = len(blocks) - len(kept)
    if dropped:
        article.notes.append(
            f"{dropped} blocks around the article were dropped: banners, boxes, forms, labels"
        )
    return article


def _meta(article: Article, block: Block) -> bool:
    """Whether a block tells the author or the date."""
    return bool(names_in(block.text) or date_in(block.text))


def _headline(article: Article, blocks: list[Block], inside: list[bool]) -> int:
    """Find the headline above the text. Returns the number of the block after it."""
    first = next((i for i, b in enumerate(blocks) if inside[i] and _is_body(b)), len(blocks))
    best: tuple[float, int] = (0.0, -1)
    for index, block in enumerate(blocks[:first]):
        if names_in(block.text) or date_in(block.text) or caption_score(block) >= 2:
            continue
        score = _headline_score(block, inside[index])
        if score > best[0]:
            best = (score, index)
    if best[1] < 0:
        if first < len(blocks):
            bare = dateline(blocks[first].text)[2]
            article.headline = bare.split(". ")[0].rstrip(".")[:120]
            article.notes.append("no headline was found: the first sentence stands there")
        return 0
    article.headline = blocks[best[1]].text.strip()
    before = blocks[best[1] - 1] if best[1] else None
    if before and inside[best[1] - 1] and before.words <= 3 and not is_label(before.text):
        article.kicker = before.text
    return best[1] + 1


def _headline_score(block: Block, inside: bool) -> float:
    """A headline is a line of some words without a full stop that sells and asks nothing."""
    if block.words < 2 or block.words > 30 or is_label(block.text):
        return 0.0
    score = min(block.words, 8) / 4
    score -= 1.0 if block.text.rstrip().endswith(".") else 0.0
    score -= max(0.0, furniture(block))
    return score + (0.8 if inside else 0.0)


def _is_body(block: Block) -> bool:
    return block.prose and block.closed and caption_score(block) < 2


def _header(article: Article, blocks: list[Block], uri: str) -> list[Block]:
    """Take standfirst, byline, date and the first photo's caption. Returns the body's blocks."""
    at = 0
    while at < len(blocks):
        block = blocks[at]
        following = blocks[at + 1 : at + 3]
        if names := names_in(block.text):
            article.authors = article.authors or names
        elif found := date_in(block.text):
            article.published = article.published or found
        elif caption_score(block) >= 2:
            article.lead = article.lead or _photo(block, uri, 1)
        elif (
            not article.standfirst
            and block.sentences <= 2
            and block.words <= 45
            and any(names_in(b.text) or date_in(b.text) or caption_score(b) >= 2 for b in following)
        ):
            article.standfirst = block.text
        elif _is_body(block) or not any(_is_body(b) for b in blocks[at:]):
            break
        at += 1
    return blocks[at:]


def _photo(block: Block, uri: str, number: int) -> PhotoFile:
    caption, credit = split_credit(block.text)
    return PhotoFile(uri=f"{uri}#photo-{number}", caption=caption, credit=credit)


def _body(article: Article, blocks: list[Block], uri: str) -> None:
    """The text: paragraphs, sub-headings, lists, captions."""
    last = max((i for i, b in enumerate(blocks) if b.closed or b.prose), default=-1)
    items: list[str] = []
    for index, block in enumerate(blocks[: last + 1]):
        if _BULLET.match(block.text):
            items.append(_BULLET.sub("", block.text))
            continue
        _end_list(article, items)
        if names := names_in(block.text):
            article.authors = article.authors or names
        elif caption_score(block) >= 2:
            photo = _photo(block, uri, len(article.photos) + 2)
            article.photos.append(photo)
            article.blocks.append(f'<figure class="photo" data-photo="{photo.uri}"></figure>')
        elif index and not block.closed and block.words <= 12:
            article.blocks.append(paragraph(block.text).replace("p>", "h2>"))
        else:
            article.blocks.append(paragraph(_dateline(article, block.text)))
    _end_list(article, items)


def _end_list(article: Article, items: list[str]) -> None:
    if items:
        entries = "".join(paragraph(i).replace("p>", "li>") for i in items)
        article.blocks.append(f"<ul>{entries}</ul>")
        items.clear()


def _dateline(article: Article, text: str) -> str:
    """Take the dateline off the first paragraph."""
    if article.blocks or article.dateline:
        return text
    place, agency, rest = dateline(text)
    article.dateline = place.title() if place.isupper() else place
    if agency:
        article.sources.append(InfoSource(name=agency, role="agency", literal=rest[:200]))
    return rest
