# SPDX-License-Identifier: AGPL-3.0-or-later
"""The stylesheet of a page: the newsroom's colours put in, made small, and named by its hash.

What always holds: the accent is readable on the page in light and dark (WCAG 2.2, AA: 4.5 to 1);
a colour that is not is moved towards black or white, as little as it takes.
"""

from __future__ import annotations

import base64
import hashlib
import re
from importlib import resources

PAPER = "#fbfaf7"
PAPER_DARK = "#161513"
CONTRAST = 4.5


def luminance(colour: str) -> float:
    """Relative luminance of ``#rrggbb`` (WCAG 2.2), 0 for black to 1 for white."""
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours (WCAG 2.2), 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def readable(colour: str, background: str) -> str:
    """The colour, or the nearest shade of it that can be read on the background."""
    target = 0 if luminance(background) > 0.18 else 255
    for step in range(101):
        parts = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        mixed = [round(part + (target - part) * step / 100) for part in parts]
        shade = "#{:02x}{:02x}{:02x}".format(*mixed)
        if contrast(shade, background) >= CONTRAST:
            return shade
    raise AssertionError("black or white is readable on any background")


def stylesheet(sheets: tuple[str, ...], accent: str, accent_dark: str) -> str:
    """These sheets of ``css/`` with the newsroom's accent, without comments and needless space."""
    folder = resources.files("tamizdat.theme") / "css"
    css = "".join((folder / f"{name}.css").read_text("utf-8") for name in sheets)
    css = css.replace("ACCENT_LIGHT", readable(accent, PAPER))
    css = css.replace("ACCENT_DARK", readable(accent_dark, PAPER_DARK))
    return minify(css.replace("PAPER_LIGHT", PAPER).replace("PAPER_DARK", PAPER_DARK))


def minify(css: str) -> str:
    """Take out comments and the space that means nothing. Strings in it must not hold ``{};:``."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    css = re.sub(r"\s+", " ", css)
    css = re.sub(r" ?([{};,>]) ?", r"\1", css)
    css = re.sub(r"([{;][a-z-]+): ", r"\1:", css)
    return css.replace(";}", "}").strip()


def csp_hash(text: str) -> str:
    """The source expression of an inline text in a content security policy."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
