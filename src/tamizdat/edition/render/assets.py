# SPDX-License-Identifier: AGPL-3.0-or-later
"""Files that every paper has: the small script, icons in the newsroom's colour, the manifest.

What always holds: icons are drawn from rectangles (a sheet with a masthead and two columns), so
the same colour gives the same bytes everywhere, and no font or image library is needed.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from importlib import resources

import msgspec

from tamizdat.edition.render.furniture import GIVING_SCRIPTS, LETTER_SCRIPTS, Tongue
from tamizdat.edition.site import Site
from tamizdat.theme import style

SIZES = (180, 192, 512)
_INK = "#26231f"
# x, y, width, height in 64ths, and whether it is paper or ink.
_SHEET = ((14, 10, 36, 44, style.PAPER),)
_LINES = tuple((19, y, 11, 2, _INK) for y in (30, 35, 40, 45))
_LINES += tuple((34, y, 11, 2, _INK) for y in (30, 35, 40, 45))
_SHAPES = (*_SHEET, (19, 15, 26, 6, "accent"), (19, 24, 26, 1, _INK), *_LINES)


def assets(site: Site) -> Mapping[str, bytes]:
    """Files by path from the root."""
    accent = style.readable(site.accent, style.PAPER)
    theme = resources.files("tamizdat.theme")
    scripts = {"/assets/tamizdat.js": (theme / "tamizdat.js").read_bytes()}
    if site.letters.drops:
        for name in LETTER_SCRIPTS:
            scripts[f"/assets/{name}"] = (theme / "reader" / name).read_bytes()
    if site.gives:
        for name in GIVING_SCRIPTS:
            scripts[f"/assets/{name}"] = (theme / name).read_bytes()
    icons = {f"/assets/icon-{size}.png": _png(size, accent) for size in SIZES}
    return {**scripts, "/assets/icon.svg": _svg(accent), **icons}


def _shapes(accent: str) -> list[tuple[int, int, int, int, str]]:
    return [(x, y, w, h, accent if c == "accent" else c) for x, y, w, h, c in _SHAPES]


def _svg(accent: str) -> bytes:
    shapes = "".join(
        f'<path fill="{colour}" d="M{x} {y}h{w}v{h}h-{w}z"/>'
        for x, y, w, h, colour in [(0, 0, 64, 64, accent), *_shapes(accent)]
    )
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">{shapes}</svg>'.encode()


def _png(size: int, accent: str) -> bytes:
    """The same picture as a PNG with a palette of three colours."""
    palette = [accent, style.PAPER, _INK]
    rows = [bytearray(size) for _ in range(size)]
    for x, y, width, height, colour in _shapes(accent):
        left, right = round(x * size / 64), round((x + width) * size / 64)
        for row in rows[round(y * size / 64) : round((y + height) * size / 64)]:
            row[left:right] = bytes([palette.index(colour)]) * (right - left)
    pixels = b"".join(b"\0" + bytes(row) for row in rows)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        [
            _chunk(b"IHDR", struct.pack(">IIBBBBB", size, size, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", b"".join(bytes.fromhex(colour[1:]) for colour in palette)),
            _chunk(b"IDAT", zlib.compress(pixels, 9)),
            _chunk(b"IEND", b""),
        ]
    )


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def manifest(tongue: Tongue) -> bytes:
    """The web app manifest of one language."""
    icons = [
        {"src": f"/assets/icon-{size}.png", "sizes": f"{size}x{size}", "type": "image/png"}
        for size in SIZES
    ]
    whole = {
        "name": tongue.language.name,
        "short_name": tongue.language.name,
        "description": tongue.language.description or tongue.language.tagline,
        "lang": tongue.code,
        "dir": tongue.language.direction,
        "id": tongue.front,
        "start_url": tongue.front,
        "scope": "/",
        "display": "minimal-ui",
        "background_color": style.PAPER,
        "theme_color": style.PAPER,
        "categories": ["news"],
        "icons": [{"src": "/assets/icon.svg", "sizes": "any", "type": "image/svg+xml"}, *icons],
    }
    return msgspec.json.encode({name: value for name, value in whole.items() if value})
