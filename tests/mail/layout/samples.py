# SPDX-License-Identifier: AGPL-3.0-or-later
"""Issues of an invented paper, and how their HTML is looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
import msgspec

from tamizdat.mail.content import (
    PREFERENCES,
    UNSUBSCRIBE,
    Content,
    Foot,
    Heading,
    Item,
    Notice,
    Picture,
)

KEY = "4f1c9ab2 d07e5566 a1b2c3d4 e5f60718 293a4b5c 6d7e8f90 12ab34cd 56ef7890"
FOOT = Foot(
    unsubscribe=f"https://drop.meridian.example/unsubscribe/{UNSUBSCRIBE}?language=en",
    preferences=f"https://drop.meridian.example/preferences/{PREFERENCES}?language=en",
    web="https://meridian.example/en/newsletter/friday/47/",
    privacy="https://meridian.example/en/privacy/",
    contact="desk@meridian.example",
    postal="The Meridian, Box 12, Lindenhaven",
    entries=("https://reader.example/", "http://abcdefghijklmnopqrstuvwxyz234567.onion/"),
    fingerprint=KEY,
)
FERRY = Item(
    headline="Ferry crews end their strike",
    url="https://meridian.example/en/2026/11/22/ferry/",
    blurb="The crews went back on Monday. They will ask again in spring.",
    kicker="Ports",
    byline="Jon Tal",
    minutes=6,
)
PIER = Item(
    headline="The pier that was paid for twice",
    url="https://meridian.example/en/2026/11/23/pier/",
    blurb="Two invoices, one builder, one signature.",
    byline="Ana Beridze",
    minutes=11,
    corrected="The pier is forty metres long, not sixty.",
)
ISSUE = Content(
    newsletter="The Friday Letter",
    slug="friday",
    number=47,
    day="2026-11-27",
    language="en",
    subject="The boats run again",
    preheader="Nine days without ferries.",
    paper="The Meridian",
    address="https://meridian.example",
    note="<p>Dear readers,</p><p>see <a href='/en/2026/11/23/pier/'>the pier</a>.</p>",
    signed="Mira Valdis",
    picture=Picture(
        alt="Three boats in fog",
        cid="picture@issue",
        width=600,
        height=400,
        caption="The first morning.",
        credit="Lena Orr",
    ),
    headings=(
        Heading(title="News", items=(FERRY,)),
        Heading(title="Inquiry", items=(PIER,)),
        Heading(title="Empty"),
    ),
    contribution="<p>It is <a href='https://meridian.example/en/support/'>paid by readers</a>.</p>",
    foot=FOOT,
)
ARABIC: dict[str, Any] = {
    "language": "ar",
    "direction": "rtl",
    "newsletter": "رسالة الجمعة",
    "subject": "عادت العبّارات",
    "paper": "ميريديان",
    "signed": "ميرا فالديس",
    "note": "<p>عادت العبّارات.</p>",
}
NOTICE = Notice(
    subject="Please confirm your address",
    language="en",
    paper="The Meridian",
    lines=("Somebody asked for The Friday Letter.",),
    button="Yes, send it to me",
    url=f"https://drop.meridian.example/confirm/{PREFERENCES}?language=en",
    after=("If it was not you, do nothing.",),
)
STORY = """<p>The first boat left <a href="/en/2026/11/20/harbour/">the harbour</a>.</p>
<h2>What was agreed</h2><ul><li>Two deckhands</li></ul>
<blockquote class="pull"><p>Never again.</p><cite>Tomas Reyl, boatswain</cite></blockquote>
<figure class="photo" data-photo="x"><picture><source type="image/avif" srcset="/media/aa/b.avif">
<img src="/media/aa/b.jpg" alt="A pier"></picture><figcaption>The pier. <small>Lena Orr</small>
</figcaption></figure>
<figure class="table"><table><caption>Crossings</caption><tbody><tr><th scope="row">Port</th>
<td>14</td></tr></tbody></table></figure>
<figure class="audio" data-media="ni:x"><audio controls src="/media/ab/y.mp3"></audio>
<figcaption>The harbour master</figcaption></figure>
<figure class="video"><video controls src="/media/ab/z.mp4"></video></figure>
<p class="document" data-media="ni:z"><a href="/media/cc/z.pdf">The agreement</a>
<small>PDF, 1.2 MB</small></p>
<aside class="box" data-stories="a"><h2>Before</h2><ul><li><a href="/en/a/">Nine days</a></li></ul>
</aside><aside class="link"><a href="https://port.example/" rel="external"><strong>Port</strong>
<span>timetable</span> <small>port.example</small></a></aside>"""


def changed(content: Content = ISSUE, **fields: Any) -> Content:
    return msgspec.structs.replace(content, **fields)


def with_item(**fields: Any) -> Content:
    """The issue with one story, changed so."""
    item = msgspec.structs.replace(FERRY, **fields)
    return changed(headings=(Heading(title="News", items=(item,)),))


def full(html: str = STORY) -> Content:
    return msgspec.structs.replace(with_item(html=html), text="full")


@lru_cache(maxsize=4)
def parsed(html: str) -> Element:
    """As a browser reads it; kept, as one mail is looked at many times."""
    found: Element = html5lib.parse(html, namespaceHTMLElements=False)
    return found


def elements(html: str) -> Iterator[Element]:
    yield from (one for one in parsed(html).iter() if isinstance(one.tag, str))


def said(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def classed(html: str, name: str) -> list[Element]:
    return [one for one in elements(html) if name in one.get("class", "").split()]


_MAY = frozenset(
    "html head title meta style body div table tbody thead tr td th caption p h1 h2 h3 h4 h5 a img "  # noqa: SIM905
    "span strong em b i s sub sup code br ul ol li blockquote".split()
)
_GOES = re.compile(r"(?:https?://|mailto:|#story-\d+\Z|#contents\Z)")


def assert_harmless(html: str, *, remote: str = "") -> None:
    """Nothing runs, nothing is fetched (but ``remote``), no link leads where none may."""
    for element in elements(html):
        assert element.tag in _MAY, element.tag
        for name, value in element.attrib.items():
            assert not name.lower().startswith("on"), name
            assert "url(" not in value.lower() if name == "style" else True
        assert element.get("src", "cid:").startswith("cid:") or element.get("src") == remote
        assert element.get("background") is None
        assert _GOES.match(element.get("href", "#contents"))
    sheets = " ".join(said(one) for one in elements(html) if one.tag == "style")
    assert "url(" not in sheets
    assert "@import" not in sheets
    assert "@font-face" not in sheets
