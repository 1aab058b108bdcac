# SPDX-License-Identifier: AGPL-3.0-or-later
"""What other parts of the desk can do about one reader, offered on the readers' page.

A part registers in its ``wagtail_hooks`` who makes its offer::

    offers.register(lifting.offer)

What always holds: an offer says in words how it stands; its button leads to a page of that part,
with the address in the body of the form, and does nothing by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tamizdat.desk.readers.models import Reader


class Offer(NamedTuple):
    """``url`` and ``button`` are empty where there is only something to say."""

    title: str
    words: str
    url: str = ""
    button: str = ""


Maker = Callable[[Reader], Offer | None]
MAKERS: list[Maker] = []


def register(maker: Maker) -> None:
    """Registering it again changes nothing."""
    if maker not in MAKERS:
        MAKERS.append(maker)


def for_reader(reader: Reader | None) -> list[Offer]:
    """All that can be done about a reader whose address is held."""
    if reader is None or reader.erased is not None:
        return []
    return [offer for offer in (maker(reader) for maker in MAKERS) if offer is not None]
