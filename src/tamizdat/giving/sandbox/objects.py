# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the sandbox keeps beside facts."""

from __future__ import annotations

from typing import Literal

import msgspec

from tamizdat.giving.choice import Choice


class Mark(msgspec.Struct, frozen=True):
    """That something is so, or under which name it is found."""

    ref: str = ""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How an agreement goes on: ``turn`` payments were due since the first (at ``anchor``);
    ``last`` is the newest, which was ``tries`` times tried again."""

    card: str
    anchor: int
    last: str
    turn: int = 0
    tries: int = 0


class Checkout(msgspec.Struct, frozen=True, kw_only=True):
    """``payment`` is the name its payment has, or will have."""

    ref: str
    choice: Choice
    done: str
    gave_up: str
    paper: str
    payment: str
    refused: tuple[str, ...] = ()
    state: Literal["open", "complete", "expired"] = "open"


class Door(msgspec.Struct, frozen=True):
    """A page for another card: of which agreement, back to where, until when."""

    gift: str
    back: str
    language: str
    until: int
