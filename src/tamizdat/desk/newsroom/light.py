# SPDX-License-Identifier: AGPL-3.0-or-later
"""A page or mail in the light that was asked for, whatever the screen of who looks."""

from __future__ import annotations

import re
from typing import Literal

Light = Literal["light", "dark"]
_DARK = re.compile(r"\(\s*prefers-color-scheme\s*:\s*dark\s*\)", re.IGNORECASE)
_SCHEME = re.compile(r"(?<!prefers-)(color-schemes?\s*:)\s*[^;}]+", re.IGNORECASE)
_META = re.compile(
    r"(<meta name=\"(?:supported-)?color-schemes?\" content=\")[^\"]*", re.IGNORECASE
)


def lit(html: str, light: Light) -> str:
    """The same HTML, bound to one light."""
    html = _META.sub(rf"\g<1>{light}", _SCHEME.sub(rf"\1 {light}", html))
    # A width that is always or never there stands for the question about the screen.
    return _DARK.sub("(min-width: 0)" if light == "dark" else "(max-width: 0)", html)
