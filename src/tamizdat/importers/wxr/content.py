# SPDX-License-Identifier: AGPL-3.0-or-later
"""The text of a post to a canonical body: Gutenberg blocks or the older kind by lines."""

from __future__ import annotations

import html as _html
import re

from tamizdat.importers.canon import Body, canonical
from tamizdat.importers.wxr.index import WxrPictures
from tamizdat.importers.wxr.shortcodes import Shortcodes

_BLOCK = re.compile(r"<!--\s*wp:")
_DYNAMIC = re.compile(r"<!--\s*wp:([a-z][a-z0-9/-]*)\s*(\{.*?\})?\s*/-->", re.DOTALL)
_REUSED = re.compile(r'"ref":\s*(\d+)')
_MORE = re.compile(r"<!--\s*(?:more|nextpage|noteaser)\b.*?-->")
_SILENT = frozenset(["spacer", "separator", "more", "nextpage", "latest-comments", "loginout"])
_LONE_URL = re.compile(r"^[ \t]*(https?://[^\s<>\"]+)[ \t]*$", re.MULTILINE)
_WATCHED = re.compile(
    r"https?://(?:[\w-]+\.)*(?:youtube\.com|youtu\.be|vimeo\.com|twitter\.com|x\.com|t\.me|"
    r"instagram\.com|facebook\.com|soundcloud\.com|flickr\.com|tiktok\.com|spotify\.com|ted\.com|"
    r"dailymotion\.com|wordpress\.tv|videopress\.com|reddit\.com|tumblr\.com|scribd\.com|"
    r"slideshare\.net|rutube\.ru|vk\.com|ok\.ru)/"
)
_INPRE = re.compile(r"(<pre\b.*?</pre>|<script\b.*?</script>|<style\b.*?</style>)", re.I | re.S)


class Content:
    """Makes bodies for the posts of one export."""

    def __init__(self, pictures: WxrPictures) -> None:
        self.pictures = pictures

    def body(self, source: str, post: str, base: str) -> Body:
        """The canonical body of post number ``post`` whose address is ``base``."""
        notes: list[str] = []
        text = source.replace("\r\n", "\n").replace("\r", "\n")
        blocks = bool(_BLOCK.search(text))
        if blocks:
            text = self._reused(text, notes)
            text = _DYNAMIC.sub(lambda m: self._dynamic(m[1], notes), text)
        text = _MORE.sub("\n\n", text)
        expander = Shortcodes(lambda ids: self._gallery(ids, post), notes.append)
        text = expander.expand(text)
        if not blocks:
            text = self._lone_addresses(text)
        made = canonical(text, self.pictures, base=base, by_lines=not blocks)
        made.notes[:0] = dict.fromkeys(notes)
        return made

    def _reused(self, text: str, notes: list[str], depth: int = 0) -> str:
        """Put reusable blocks in where they are referred to."""

        def put(found: re.Match[str]) -> str:
            ref = _REUSED.search(found[2] or "")
            if found[1] != "block" or not ref:
                return found[0]
            html = self.pictures.index.block(ref[1])
            if not html:
                notes.append(f"reusable block {ref[1]} is not in the file and was left out")
            return self._reused(html, notes, depth + 1) if depth < 3 else ""

        return _DYNAMIC.sub(put, text) if "wp:block" in text else text

    @staticmethod
    def _dynamic(name: str, notes: list[str]) -> str:
        if name not in _SILENT:
            notes.append(f"the block “{name}”, which the old site filled in, was left out")
        return ""

    def _gallery(self, ids: list[str] | None, post: str) -> list[str]:
        numbers = self.pictures.index.children(post) if ids is None else ids
        images = []
        for number in numbers:
            found = self.pictures.find("", number)
            if found is not None:
                images.append(f'<img src="{_html.escape(found.url)}" data-id="{number}">')
        return images

    @staticmethod
    def _lone_addresses(text: str) -> str:
        """An address alone on its line: what WordPress embeds becomes a frame, others a link."""

        def made(found: re.Match[str]) -> str:
            url = _html.escape(_html.unescape(found[1]))
            if _WATCHED.match(found[1]):
                return f'\n\n<iframe src="{url}"></iframe>\n\n'
            return f'<a href="{url}">{url}</a>'

        pieces = _INPRE.split(text)
        pieces[::2] = [_LONE_URL.sub(made, piece) for piece in pieces[::2]]
        return "".join(pieces)
