# SPDX-License-Identifier: AGPL-3.0-or-later
"""What an issue of a newsletter says, before it is laid out.

What always holds: a ``Content`` is plain data that encodes to deterministic JSON; it names no
reader. It is frozen with the issue when sending starts, so that every reader gets the same.

Links that differ from reader to reader stand in it, and in what is laid out of it, as placeholders
(``UNSUBSCRIBE``, ``PREFERENCES``): strings of ``TOKEN_LENGTH`` characters that sending replaces by
tokens of the same length.
"""

from __future__ import annotations

from typing import Literal

import msgspec

TOKEN_LENGTH = 40  # characters of A-Z a-z 0-9 - _
UNSUBSCRIBE = "TOKEN-UNSUBSCRIBE-".ljust(TOKEN_LENGTH, "0")
PREFERENCES = "TOKEN-PREFERENCES-".ljust(TOKEN_LENGTH, "1")
PLACEHOLDERS = (UNSUBSCRIBE, PREFERENCES)

Text = Literal["summary", "full"]


class _Part(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Base of every part: immutable, absent when default."""


class Picture(_Part, frozen=True):
    """``cid`` names the file in ``Content.files`` that is sent along; empty: ``src`` is shown from
    the paper, which only newsrooms that chose so do. Sizes in CSS pixels."""

    alt: str
    cid: str = ""
    src: str = ""
    width: int = 0
    height: int = 0
    caption: str = ""
    credit: str = ""


class Item(_Part, frozen=True):
    """One story as the issue shows it. ``blurb`` is plain text. ``html`` is the whole article,
    clean, for the full-text edition. ``corrected`` is the note of its latest correction."""

    headline: str
    url: str
    blurb: str = ""
    kicker: str = ""
    byline: str = ""
    minutes: int = 0
    corrected: str = ""
    html: str = ""
    language: str = ""


class Heading(_Part, frozen=True):
    title: str
    items: tuple[Item, ...] = ()


class File(_Part, frozen=True):
    """A small file that travels inside the mail: a picture, or the single-file reader.
    ``sha256`` (hexadecimal) names its bytes, which lie elsewhere; ``cid`` is empty for an
    attachment."""

    name: str
    media_type: str
    sha256: str
    cid: str = ""


class Foot(_Part, frozen=True):
    """What stands under every issue. Addresses are whole; ``unsubscribe`` and ``preferences`` hold
    a placeholder. ``entries`` are other ways to the paper; ``fingerprint`` is of the root key."""

    unsubscribe: str
    preferences: str
    web: str = ""
    privacy: str = ""
    contact: str = ""
    postal: str = ""
    entries: tuple[str, ...] = ()
    fingerprint: str = ""


class Content(_Part, frozen=True):
    """One issue in one language and one form (``text``). ``note`` and ``contribution`` are clean
    HTML; ``day`` is RFC 3339, ``accent`` colours are CSS hex."""

    newsletter: str
    slug: str
    number: int
    day: str
    language: str
    subject: str
    foot: Foot
    text: Text = "summary"
    direction: Literal["ltr", "rtl"] = "ltr"
    preheader: str = ""
    paper: str = ""
    address: str = ""
    note: str = ""
    signed: str = ""
    picture: Picture | None = None
    headings: tuple[Heading, ...] = ()
    contribution: str = ""
    accent: str = "#8c1c13"
    accent_dark: str = "#f0907f"
    files: tuple[File, ...] = ()


class Told(_Part, frozen=True):
    """What the readers of a cohort are told alone: their ``entries``, before those for all, and
    their own ``files`` in place of the ones that everybody gets attached."""

    entries: tuple[str, ...] = ()
    files: tuple[File, ...] = ()

    def applied(self, content: Content) -> Content:
        """An issue as this cohort gets it."""
        entries = dict.fromkeys((*self.entries, *content.foot.entries))
        inline = tuple(file for file in content.files if file.cid)
        attached = tuple(file for file in content.files if not file.cid)
        return msgspec.structs.replace(
            content,
            foot=msgspec.structs.replace(content.foot, entries=tuple(entries)),
            files=(*inline, *((self.files or attached) if attached else ())),
        )


class Notice(_Part, frozen=True):
    """A short mail about one thing: please confirm, you have left, here is your data. ``lines`` are
    plain paragraphs before the button, ``after`` behind it."""

    subject: str
    language: str
    paper: str
    lines: tuple[str, ...]
    direction: Literal["ltr", "rtl"] = "ltr"
    button: str = ""
    url: str = ""
    after: tuple[str, ...] = ()
    accent: str = "#8c1c13"
    accent_dark: str = "#f0907f"


class Laid(_Part, frozen=True):
    """What laying out gives. ``html`` is a whole document with its styles inside, ``plain`` the
    same for those who read plain text."""

    subject: str
    html: str
    plain: str


def encode(content: Content) -> bytes:
    return msgspec.json.encode(content, order="deterministic")


def decode(data: bytes) -> Content:
    """Raises ``msgspec.ValidationError``."""
    return msgspec.json.decode(data, type=Content)
