# SPDX-License-Identifier: AGPL-3.0-or-later
"""A bundle as one HTML page: contents, then every story.

What always holds: a function of what was gathered, and of this program (``RENDERER``); no script
runs, nothing is loaded from the network.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from functools import cache
from html import escape
from importlib import resources
from typing import Final

from tamizdat.edition.bundle import words
from tamizdat.edition.bundle.gather import Gathered, Picture
from tamizdat.edition.bundle.leaf import Leaf, outside
from tamizdat.edition.site import Site
from tamizdat.theme.style import stylesheet

_VERSION: Final = 1  # raised whenever what is shown changes
_SHEETS: Final = ("bundle", "epub")


@cache
def renderer() -> str:
    """Names what turns pages into what is shown: another one makes other bytes of the same."""
    made = hashlib.sha256(str(_VERSION).encode())
    for sheet in _SHEETS:
        made.update(style(sheet).encode())
    for code in ("en", "ru", "ar"):
        file = resources.files("tamizdat.theme") / "locales" / "bundle" / f"{code}.json"
        made.update(file.read_bytes())
    return f"{_VERSION}-{made.hexdigest()[:12]}"


@cache
def style(sheet: str) -> str:
    defaults = Site(address="", languages=())
    return stylesheet((sheet,), defaults.accent, defaults.accent_dark)


def as_data(picture: Picture) -> str:
    """The picture as an address that holds it."""
    return f"data:{picture.media_type};base64,{base64.b64encode(picture.data).decode()}"


def render(gathered: Gathered, address_of: Callable[[Picture], str]) -> bytes:
    """The page. ``address_of`` says what stands in ``src`` for a picture."""
    return "".join(_page(gathered, address_of)).encode()


def _page(gathered: Gathered, address_of: Callable[[Picture], str]) -> Iterator[str]:
    parts = words.parts(gathered)
    yield (
        f'<!doctype html>\n<html lang="{escape(parts[0].language)}" dir="{parts[0].direction}">\n'
        '<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'; img-src 'self' file: data:; base-uri 'none'; "
        "form-action 'none'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{escape(words.title(parts[0]))}</title>\n"
        f"<style>{style('bundle')}</style>\n</head>\n<body>\n<main>\n"
    )
    places = {leaf.path: f"#s{at}" for at, leaf in enumerate(gathered.leaves, 1)}
    for part in parts:
        yield _contents(part, gathered, places)
    link = _within(places, str(gathered.site.get("address", "")))
    pictures = {path: address_of(picture) for path, picture in gathered.pictures.items()}
    for leaf in gathered.leaves:
        yield _story(leaf, places[leaf.path][1:], link, pictures)
    yield "</main>\n</body>\n</html>\n"


def _contents(part: words.Part, gathered: Gathered, places: dict[str, str]) -> str:
    said = words.words(part.language)
    as_of = said["as_of"].format(date=words.day(gathered.as_of.date(), part.language))
    items = "".join(
        f'<li><a href="{places[leaf.path]}">{escape(leaf.headline)}</a> '
        f"<time>{escape(leaf.day)}</time></li>\n"
        for leaf in part.leaves
    )
    return (
        f'<header id="c-{escape(part.language)}" lang="{escape(part.language)}" '
        f'dir="{part.direction}">\n<h1>{escape(part.paper)}</h1>\n'
        f'<p class="days">{escape(part.days)}</p>\n'
        f'<p class="asof">{escape(as_of)}</p>\n'
        f"<nav><h2>{escape(said['contents'])}</h2>\n<ol>\n{items}</ol></nav>\n</header>\n"
    )


def _story(leaf: Leaf, name: str, link: Callable[[str], str], pictures: dict[str, str]) -> str:
    shown = leaf.show(link, lambda path: pictures.get(path, ""), lower=1)
    language = escape(leaf.language)
    top = escape(words.words(leaf.language)["top"])
    opened = f'<article id="{name}" lang="{language}" dir="{leaf.direction}"'
    closed = f'<p class="top"><a href="#c-{language}">{top}</a></p>\n</article>\n'
    return shown.replace("<article", opened, 1).removesuffix("</article>") + closed


def _within(places: dict[str, str], address: str) -> Callable[[str], str]:
    away = outside(address)
    return lambda path: places.get(path) or away(path)
