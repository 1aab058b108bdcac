# SPDX-License-Identifier: AGPL-3.0-or-later
"""A page that was saved as HTML: metadata first, then trafilatura, then the furniture judge."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import trafilatura
from lxml import etree
from lxml.etree import _Element

from tamizdat.edition.body import plain
from tamizdat.importers.canon import canonical
from tamizdat.importers.canon.blocks import parse
from tamizdat.importers.canon.inline import css, tag_of
from tamizdat.importers.canon.media import caption_of
from tamizdat.importers.canon.pictures import absolute, uri_of
from tamizdat.importers.decoding import language_of
from tamizdat.importers.page import metadata
from tamizdat.importers.page.article import Article, date_in, names_in
from tamizdat.importers.page.furniture import Block, article_blocks, caption_score, split_credit
from tamizdat.importers.port import PhotoFile
from tamizdat.importers.words import squeeze

_AROUND = re.compile(
    r"(?:^|[\s_-])(?:newsletter|subscri\w*|signup|sign-up|donat\w*|support-?(?:us|box|banner)?|"
    r"paywall|share|sharing|social|related|recommend\w*|read-?more|more-stories|most-read|trending|"
    r"popular|promo\w*|advert\w*|ad|ads|banner|cookie\w*|consent|gdpr|comments?|disqus|breadcrumbs?|"
    r"navigation|navbar|menu|sidebar|footer|masthead|toolbar|popup|modal|overlay|appeal|"
    r"contribut\w*|membership|tag-?list|author-?(?:box|bio)|skip-?link)(?:$|[\s_-])",
    re.IGNORECASE,
)
_GONE = ("script", "style", "noscript", "template", "nav", "form", "button", "select", "dialog")
_BLOCK = re.compile(r"\n(?=<)")


class PagePictures:
    """Pictures beside the page, as browsers save them; nothing outside the folder is opened."""

    def __init__(self, page: Path, media: Path | None, base: str) -> None:
        self.folder = (media or page.parent).resolve()
        self.base = base
        self.words: dict[str, PhotoFile] = {}
        self.files: dict[str, Path] = {}

    def remember(self, src: str) -> None:
        """Note where a picture of the page lies, before its address is made absolute."""
        if path := self._local(src):
            self.files.setdefault(_name(src), path)

    def find(self, src: str, ref: str = "") -> PhotoFile | None:
        if src.startswith("data:") or not src.strip():
            return None
        url = absolute(self.base, src)
        path = self._local(src) or self.files.get(_name(src))
        if path is None and not url.startswith(("http://", "https://")):
            return None
        uri = (
            uri_of(url)
            if "://" in url
            else f"{uri_of(self.base or 'file:///')}#{path and path.name}"
        )
        known = self.words.get(_name(src))
        caption, credit = (known.caption, known.credit) if known else ("", "")
        alt = known.alt if known else ""
        return PhotoFile(
            uri=uri,
            path=path,
            url=url if "://" in url else "",
            caption=caption,
            credit=credit,
            alt=alt,
        )

    def _local(self, src: str) -> Path | None:
        try:
            relative = unquote(urlsplit(src).path).lstrip("./").replace("\0", "")
        except ValueError:
            return None
        for candidate in (relative, _name(src)):
            path = (self.folder / candidate).resolve()
            if candidate and path.is_relative_to(self.folder) and path.is_file():
                return path
        return None


def _name(src: str) -> str:
    try:
        return unquote(urlsplit(src).path).rsplit("/", 1)[-1]
    except ValueError:
        return src


def read(source: str, path: Path, media: Path | None) -> Article | None:
    """Find the article in a page's HTML; None where there is no running text."""
    root = parse(source)
    if root is None:
        return None
    article = metadata.read(root)
    pictures = PagePictures(path, media, article.url)
    lines = [squeeze(str(t)) for t in root.itertext()]
    dropped = _prune(root)
    _captions(root, pictures)
    blocks = _blocks(root, source, article, pictures)
    kept = _judge(blocks, article)
    if dropped + len(blocks) - len(kept):
        article.notes.append(
            f"{dropped + len(blocks) - len(kept)} parts around the article were dropped: "
            "navigation, banners, boxes, forms"
        )
    article.blocks = kept
    article.language = article.language or language_of(" ".join(article.paragraphs()))
    _lead(article, pictures)
    _byline(article, lines)
    return article if any(b.startswith("<p") for b in kept) else None


def _prune(root: _Element) -> int:
    """Take away what is no article by its element or by its name. Returns how many."""
    whole = max(1, sum(len(str(t)) for t in root.itertext()))
    doomed = [n for name in _GONE for n in root.iter(name)]
    for node in root.iter():
        if not tag_of(node) or tag_of(node) in {"html", "body", "article", "main", "head", "meta"}:
            continue
        named = _AROUND.search(f"{css(node)} {node.get('id', '')}")
        outside = tag_of(node) in {"footer", "aside"} and not any(
            tag_of(a) == "figure" for a in node.iterancestors()
        )
        size = sum(len(str(t)) for t in node.itertext()) if named or outside else 0
        if (named or outside) and size < 0.4 * whole and next(node.iter("h1"), None) is None:
            doomed.append(node)
    gone = 0
    for node in doomed:
        parent = node.getparent()
        if parent is None:
            continue
        gone += tag_of(node) not in {"script", "style", "noscript", "template"}
        _remove(node, parent)
    return gone


def _remove(node: _Element, parent: _Element) -> None:
    """Remove the element, keep the text after it."""
    tail = node.tail or ""
    before = node.getprevious()
    if before is not None:
        before.tail = (before.tail or "") + tail
    else:
        parent.text = (parent.text or "") + tail
    parent.remove(node)


def _captions(root: _Element, pictures: PagePictures) -> None:
    """Take the captions out of the text and remember them with their pictures."""

    for image in root.iter("img"):
        pictures.remember(image.get("src") or "")
    for frame in list(root.iter("figure", "div")):
        images = list(frame.iter("img"))
        captioned = tag_of(frame) == "figure" or "caption" in css(frame)
        if len(images) != 1 or not captioned:
            continue
        words = caption_of(frame)
        caption, credit = split_credit(words.caption)
        src = images[0].get("src") or ""
        pictures.words.setdefault(
            _name(src),
            PhotoFile(
                uri="",
                caption=caption,
                credit=words.credit or credit,
                alt=squeeze(images[0].get("alt") or ""),
            ),
        )
        for node in list(frame.iter()):
            if tag_of(node) == "figcaption" and (parent := node.getparent()) is not None:
                _remove(node, parent)


def _blocks(root: _Element, source: str, article: Article, pictures: PagePictures) -> list[str]:
    """The canonical blocks of what trafilatura takes for the article."""
    cleaned = etree.tostring(root, encoding="unicode", method="html")
    found = trafilatura.extract(
        cleaned,
        url=article.url or None,
        output_format="html",
        include_comments=False,
        include_formatting=True,
        include_links=True,
        include_images=True,
        include_tables=True,
        with_metadata=False,
    )
    if not found:
        found = cleaned
        article.notes.append("the page has no clear article: its whole text was judged by block")
    body = canonical(found, pictures, base=article.url)
    article.photos = body.photos
    article.notes += body.notes
    return [b for b in _BLOCK.split(body.html) if b]


def _judge(blocks: list[str], article: Article) -> list[str]:
    """Leave out what is furniture after all, and what the metadata says already."""
    texts = [_block(b) for b in blocks]
    words = [i for i, t in enumerate(texts) if t.text]
    inside = dict(zip(words, article_blocks([texts[i] for i in words]), strict=True))
    kept: list[str] = []
    for index, block in enumerate(blocks):
        text = texts[index].text
        if not inside.get(index, True) or (text and _said(text, article, bool(kept))):
            continue
        kept.append(block)
    while kept and kept[-1].startswith(("<h2", "<h3")):
        kept.pop()
    return kept


def _block(html: str) -> Block:
    """A block for the judge. What a quotation says is somebody else's word."""
    text = " ".join(plain(html).split())
    quoted = f"“{text}”" if html.startswith("<blockquote") and text else text
    return Block(quoted, html.startswith(("<h2", "<h3")))


def _said(text: str, article: Article, begun: bool) -> bool:
    """Whether a block only repeats headline, standfirst, byline or date; takes them if new."""
    same = {squeeze(article.headline).lower(), squeeze(article.standfirst).lower()}
    if text.lower() in same:
        return True
    if (names := names_in(text)) or text in article.authors:
        article.authors = article.authors or names
        return True
    if not begun and (found := date_in(text)):
        article.published = article.published or found
        return True
    return (
        bool(article.photos)
        and caption_score(Block(text)) >= 2
        and any(p.caption and p.caption in text for p in article.photos)
    )


def _byline(article: Article, lines: list[str]) -> None:
    """Author and date from a line of their own, where neither metadata nor text told them."""
    for line in lines:
        if not article.authors and 2 < len(line) < 100:
            article.authors = names_in(line)
        if not article.published and len(line) < 60:
            article.published = date_in(line)


def _lead(article: Article, pictures: PagePictures) -> None:
    """The photo above the text is the lead; else the one that the page names for sharing."""
    first = article.blocks[0] if article.blocks else ""
    found = re.match(r'<figure class="photo" data-photo="([^"]+)"></figure>\Z', first)
    if found and article.photos:
        article.lead = next((p for p in article.photos if p.uri == found[1]), None)
        if article.lead is not None:
            article.blocks.pop(0)
    if article.lead is None and article.image:
        lead = pictures.find(article.image)
        known = lead and next((p for p in article.photos if _name(p.url) == _name(lead.url)), None)
        article.lead = None if known else lead
    if article.lead is not None:
        article.photos = [p for p in article.photos if p.uri != article.lead.uri]
