# SPDX-License-Identifier: AGPL-3.0-or-later
"""A message as staff read it: opened, searched, in memory only.

What always holds: one that cannot be opened is shown as such and hides no other; nothing that was
opened is written anywhere.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec
from django.conf import settings

from tamizdat.desk.letters import safe
from tamizdat.desk.letters.models import Message
from tamizdat.desk.readers.errors import VaultError

SEARCHED = 1_000
EXCERPT = 160


class Written(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is sealed: the fields of a ``message`` and the language of its form."""

    text: str
    language: str
    name: str = ""
    contact: str = ""
    story: str = ""


@dataclass(frozen=True)
class Letter:
    """A message and what is in it; ``written`` is None where it cannot be opened."""

    message: Message
    written: Written | None
    note: str = ""
    trouble: str = ""

    @property
    def excerpt(self) -> str:
        """Its beginning, in one line."""
        if self.written is None:
            return self.trouble
        line = " ".join(self.written.text[: EXCERPT * 2].split())
        return line if len(line) <= EXCERPT else line[:EXCERPT].rsplit(" ", 1)[0] + " …"

    @property
    def sender(self) -> str:
        return (self.written.name or self.written.contact) if self.written else ""

    @property
    def story_url(self) -> str:
        """The page that it is about, in the paper; empty where none was named."""
        path = self.written.story if self.written else ""
        if not path.startswith("/") or path.startswith("//") or "\\" in path:
            return ""
        return f"{settings.NEWSROOM.settings.address}{path}"


def open_letter(message: Message) -> Letter:
    try:
        plain = safe.open_sealed(safe.LETTER, message.sealed)
        written = msgspec.json.decode(plain, type=Written)
        note = safe.open_sealed(safe.NOTE, message.note).decode() if message.note else ""
    except VaultError as error:
        return Letter(message, None, trouble=f"It cannot be opened: {error}.")
    return Letter(message, written, note)


def search(messages: Iterable[Message], words: str) -> Iterator[Letter]:
    """Those that hold every word, in the text, the name, the contact or the note."""
    wanted = folded(words).split()
    for message in messages:
        letter = open_letter(message)
        if letter.written is not None and _holds(letter, wanted):
            yield letter


def _holds(letter: Letter, wanted: Sequence[str]) -> bool:
    written = letter.written
    assert written is not None  # noqa: S101 - whoever calls has looked
    parts = (written.text, written.name, written.contact, written.story, letter.note)
    text = folded("\n".join(parts))
    return all(word in text for word in wanted)


def folded(text: str) -> str:
    """For comparing: without case, width and accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in plain if not unicodedata.combining(c))
