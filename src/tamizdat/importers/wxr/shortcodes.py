# SPDX-License-Identifier: AGPL-3.0-or-later
"""Shortcodes: ``[caption]``, ``[gallery]``, ``[embed]`` and the like, to HTML.

What always holds: brackets that are no shortcode (``[sic]``, ``[…]``) stay; ``[[name]]`` becomes
``[name]``; of an unknown shortcode the text between its tags stays, its tags go and it is noted.
"""

from __future__ import annotations

import html as _html
import re
from collections.abc import Callable

_TAG = re.compile(
    r"(\[?)\[(/?)([A-Za-z][\w-]{1,40})((?:\s+(?:[^\]\[\"']|\"[^\"]*\"|'[^']*')*)?)(/?)\](\]?)"
)
_ATTRIBUTE = re.compile(r"([\w-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'\]]+))|(\S+)", re.DOTALL)
_IMAGE = re.compile(r"\A\s*((?:<a\b[^>]*>\s*)?<img\b[^>]*>(?:\s*</a>)?)(.*)\Z", re.DOTALL | re.I)
_EMBEDS = frozenset(
    "embed youtube vimeo twitter tweet instagram facebook soundcloud dailymotion ted wpvideo "  # noqa: SIM905
    "audio video tiktok spotify bandcamp googlemaps iframe flickr hulu kickstarter".split()
)
_CODE = frozenset("code sourcecode source php html css js python".split())  # noqa: SIM905
_KNOWN = _EMBEDS | _CODE | {"caption", "wp_caption", "gallery", "playlist", "more", "nextpage"}
_SOURCES = ("src", "url", "mp3", "m4a", "ogg", "wav", "flac", "mp4", "m4v", "webm", "ogv", "href")
Note = Callable[[str], None]
Gallery = Callable[[list[str] | None], list[str]]


def attributes(text: str) -> dict[str, str]:
    """``a="b" c='d' e`` as a dictionary; a bare word is its own value, under its number."""
    found: dict[str, str] = {}
    text = text.replace("&quot;", '"').replace("”", '"').replace("″", '"').replace("“", '"')
    for index, m in enumerate(_ATTRIBUTE.finditer(text)):
        value = next((g for g in (m[2], m[3], m[4]) if g is not None), "")
        found[(m[1] or str(index)).lower()] = value if m[1] else m[5].strip("\"'")
    return found


class Shortcodes:
    """Expands the shortcodes of one text. ``gallery`` gives the addresses for picture numbers,
    for None those of the pictures that were uploaded to the post."""

    def __init__(self, gallery: Gallery, note: Note) -> None:
        self.gallery = gallery
        self.note = note

    def expand(self, text: str, depth: int = 0) -> str:
        """The text with its shortcodes as HTML."""
        if "[" not in text or depth > 5:
            return text
        parts: list[str] = []
        at = 0
        while found := _TAG.search(text, at):
            parts.append(text[at : found.start()])
            at = self._one(text, found, parts, depth)
        parts.append(text[at:])
        return "".join(parts)

    def _one(self, text: str, found: re.Match[str], parts: list[str], depth: int) -> int:
        """Write what one opening tag becomes. Returns where to go on."""
        before, closing, name, given, alone, after = found.groups()
        if before and after:
            parts.append(found[0][1:-1])
            return found.end()
        parts.append(before)
        end = found.end() - len(after)
        if closing:
            if name.lower() in _KNOWN or f"[{name}" in text[: found.start()]:
                return end
            parts.append(found[0][len(before) : len(found[0]) - len(after)])
            return end
        stop = None if alone else re.compile(rf"\[/{re.escape(name)}\s*\]").search(text, end)
        if not self._is_one(name, given, bool(stop) or bool(alone)):
            parts.append(found[0][len(before) : len(found[0]) - len(after)])
            return end
        inner = text[end : stop.start()] if stop else ""
        parts.append(self._made(name.lower(), attributes(given), inner, depth))
        return stop.end() if stop else end

    @staticmethod
    def _is_one(name: str, given: str, paired: bool) -> bool:
        return name.lower() in _KNOWN or paired or "=" in given or "_" in name

    def _made(self, name: str, given: dict[str, str], inner: str, depth: int) -> str:
        if name in {"caption", "wp_caption"}:
            return self._caption(given, self.expand(inner, depth + 1))
        if name == "gallery":
            return self._gallery(given)
        if name in _CODE:
            return f"\n\n<pre>{_html.escape(_html.unescape(inner))}</pre>\n\n"
        if name in _EMBEDS:
            return self._embed(name, given, inner)
        if name in {"more", "nextpage"}:
            return "\n\n"
        self.note(f"the shortcode [{name}] is not known here and was removed")
        return self.expand(inner, depth + 1)

    def _caption(self, given: dict[str, str], inner: str) -> str:
        found = _IMAGE.match(inner)
        if not found:
            return inner
        words = found[2].strip() or _html.escape(given.get("caption", ""))
        return f"\n\n<figure>{found[1]}<figcaption>{words}</figcaption></figure>\n\n"

    def _gallery(self, given: dict[str, str]) -> str:
        listed = given.get("ids") or given.get("include") or ""
        numbers = re.findall(r"\d+", listed)
        images = self.gallery(numbers if listed else None)
        if not images:
            self.note("a gallery was left out: the file names none of its pictures")
            return ""
        return f'\n\n<figure class="gallery">{"".join(images)}</figure>\n\n'

    def _embed(self, name: str, given: dict[str, str], inner: str) -> str:
        bare = inner or given.get("0", "").lstrip("=")
        source = next((given[s] for s in _SOURCES if given.get(s)), "") or bare.strip()
        if not source.startswith(("http://", "https://")):
            source = (
                {"youtube": "https://www.youtube.com/watch?v=", "vimeo": "https://vimeo.com/"}.get(
                    name, ""
                )
                + source
                if name in {"youtube", "vimeo"} and source
                else ""
            )
        if not source:
            self.note(f"[{name}] names no address and was left out")
            return ""
        return f'\n\n<iframe src="{_html.escape(source)}"></iframe>\n\n'
