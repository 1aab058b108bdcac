# SPDX-License-Identifier: AGPL-3.0-or-later
"""Text of others, as a terminal may show it.

What always holds: what comes out moves no cursor, hides and reorders nothing and ends no line.
"""

from __future__ import annotations


def plain(text: str) -> str:
    """The same where a terminal shows it as it is; everything else is spelt out."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )
