# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where the links of an issue lead, without asking the network.

What always holds: an address of the paper is looked up in the edition that is published now and
among the desk's stories; any other address is named, never opened.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from django.conf import settings

from tamizdat.desk.publishing import services
from tamizdat.desk.publishing.models import Address, StoryHead
from tamizdat.edition import EditionError, paths
from tamizdat.mail.content import PLACEHOLDERS

GOOD, WITHDRAWN, MOVED, UNKNOWN, ELSEWHERE, NOWHERE, OWN = (
    *("good", "withdrawn", "moved", "unknown", "elsewhere", "nowhere", "own"),
)
WORDS = {
    GOOD: "a page of the paper",
    WITHDRAWN: "a story that was withdrawn",
    MOVED: "a former address; readers are led on",
    UNKNOWN: "an address of the paper at which nothing is published",
    ELSEWHERE: "leads out of the paper; it is not opened from here",
    NOWHERE: "leads nowhere",
    OWN: "each reader's own",
}
BAD = frozenset((WITHDRAWN, UNKNOWN, NOWHERE))


class Link(NamedTuple):
    """``words`` are what is clicked on; ``kind`` one of the above."""

    url: str
    words: str
    kind: str

    @property
    def said(self) -> str:
        return WORDS[self.kind]

    @property
    def bad(self) -> bool:
        return self.kind in BAD


def judge(found: Iterable[tuple[str, str]], *, web: str = "") -> list[Link]:
    """(address, words) → links, each address once. ``web`` is where this issue will be: it is not
    published before it is sent."""
    links: dict[str, Link] = {}
    for url, words in found:
        if url not in links:
            links[url] = Link(url, words, GOOD if web and url == web else _kind(url))
    return list(links.values())


def _kind(url: str) -> str:
    if any(placeholder in url for placeholder in PLACEHOLDERS):
        return OWN
    parts = urlsplit(url)
    if parts.scheme == "mailto" and parts.path:
        return ELSEWHERE
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return NOWHERE
    own = urlsplit(settings.NEWSROOM.settings.address)
    if parts.netloc.lower() != own.netloc.lower():
        return ELSEWHERE
    return _of_paper(unquote(parts.path) or "/")


def _of_paper(path: str) -> str:
    # The paper itself is there, also before its first edition.
    if path in {"/", *map(paths.front_path, settings.NEWSROOM.settings.languages)}:
        return GOOD
    head = StoryHead.objects.filter(path=path).values_list("pub_status", flat=True).first()
    if head is not None:
        return WITHDRAWN if head == "canceled" else GOOD
    if Address.objects.filter(path=path).exists():
        return MOVED
    try:
        there = services.edition().read(path)
    except EditionError:
        return UNKNOWN
    if there is None:
        return UNKNOWN
    return {301: MOVED, 410: WITHDRAWN}.get(there.status, GOOD)
