# SPDX-License-Identifier: AGPL-3.0-or-later
"""How heavy a mail is, and where Gmail would cut it."""

from __future__ import annotations

import re
from html import unescape

import msgspec

from tamizdat.mail.content import Laid

# Gmail shows this much of a message's HTML, then “[Message clipped]” with a link to the rest.
GMAIL_CLIPS_AT = 102 * 1024
_STORY = re.compile(rb'<div[^>]* id="story-(\d+)".*?<h3[^>]*>(.*?)</h3>', re.DOTALL)


class Weight(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes in bytes of UTF-8. ``cut`` is where Gmail clips the HTML, None where it shows all of
    it; ``story`` is the number (from 1) and ``headline`` the words of the story in which it
    would, 0 and empty where the cut is before or behind all stories."""

    html: int
    plain: int
    cut: int | None = None
    story: int = 0
    headline: str = ""
    unseen: int = 0


def weight(laid: Laid) -> Weight:
    """``unseen`` is the number of stories that begin behind the cut."""
    html = laid.html.encode()
    plain = len(laid.plain.encode())
    if len(html) <= GMAIL_CLIPS_AT:
        return Weight(html=len(html), plain=plain)
    stories = list(_STORY.finditer(html))
    shown = [story for story in stories if story.start() < GMAIL_CLIPS_AT]
    last = shown[-1] if shown else None
    return Weight(
        html=len(html),
        plain=plain,
        cut=GMAIL_CLIPS_AT,
        story=int(last[1]) if last else 0,
        headline=_words(last[2]) if last else "",
        unseen=len(stories) - len(shown),
    )


def _words(html: bytes) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html.decode())).strip()
