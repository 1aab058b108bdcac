# SPDX-License-Identifier: AGPL-3.0-or-later
"""The sandbox's own pages, where a giver of the demo pays with a card that is none.

What always holds: each says on top, in the giver's language, that no money moves; no page asks for
a card's number.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from tamizdat.giving.money import shown
from tamizdat.giving.sandbox.cards import CARDS
from tamizdat.giving.sandbox.objects import Checkout, Door

_RIGHT_TO_LEFT = ("ar",)


@cache
def words(language: str) -> dict[str, Any]:
    """English where there are none of a language."""
    file = resources.files(__package__) / "words.json"
    known: dict[str, dict[str, Any]] = json.loads(file.read_text("utf-8"))
    code = language.split("-")[0].lower()
    found = code if code in known else "en"
    return {**known[found], "code": found, "dir": "rtl" if found in _RIGHT_TO_LEFT else "ltr"}


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("tamizdat.giving.sandbox", "templates"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
    )


def checkout_page(checkout: Checkout, *, cause: str = "", address: str = "") -> bytes:
    """Where one pays; ``cause`` is why the last try was declined."""
    choice = checkout.choice
    joint = "&" if "?" in checkout.gave_up else "?"
    back = f"{checkout.gave_up}{joint}cause={cause}" if cause else checkout.gave_up
    return _rendered(
        choice.language,
        "checkout",
        paper=checkout.paper,
        amount=shown(choice.money, choice.language),
        kind=choice.kind,
        action=f"/checkout/{checkout.ref}",
        needs_address=choice.kind != "once",
        address=address,
        cause=cause,
        back=back,
        cards=_cards(bool(checkout.refused)),
    )


def card_page(token: str, door: Door, *, cause: str = "") -> bytes:
    """Where one chooses another card."""
    return _rendered(
        door.language, "card", action=f"/card/{token}", cause=cause, back=door.back,
        cards=_cards(False),
    )  # fmt: skip


def clock_page(now: int, language: str = "en") -> bytes:
    """Where the clock is put forward; ``now`` in unix seconds."""
    then = datetime.fromtimestamp(now, UTC)
    return _rendered(language, "clock", now=f"{then:%Y-%m-%d %H:%M} UTC")


def told_page(what: str, language: str = "en") -> bytes:
    """``unknown``, ``expired`` or ``changed``."""
    return _rendered(language, "told", what=what)


def _cards(refusing: bool) -> list[str]:
    return [name for name, card in CARDS.items() if refusing or not card.abroad]


def _rendered(language: str, template: str, **more: Any) -> bytes:
    made = _templates().get_template(f"{template}.html")
    return made.render(t=words(language), lang=language, **more).encode()
