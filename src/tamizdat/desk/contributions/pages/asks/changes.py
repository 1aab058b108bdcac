# SPDX-License-Identifier: AGPL-3.0-or-later
"""What differs between two wordings of a message, line by line, as people read it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

from tamizdat.desk.contributions.content import AskContent, AskText, AskVariant
from tamizdat.desk.contributions.models import Ask, AskVersion
from tamizdat.desk.contributions.pages.asks import sections
from tamizdat.desk.contributions.pages.asks.standing import said_in
from tamizdat.desk.publishing.state import when
from tamizdat.edition import body
from tamizdat.giving.choice import Offer
from tamizdat.giving.money import EXPONENTS, Money, plain
from tamizdat.theme.words import endonym

_LINK = re.compile(r'<a href="([^"]*)"[^>]*>(.*?)</a>', re.DOTALL)
_EM, _STRONG = re.compile(r"</?em>"), re.compile(r"</?strong>")
NOTHING = "–"
KINDS = {"once": "Once", "monthly": "Every month", "annual": "Every year"}


class Change(NamedTuple):
    """A line that differs. ``language`` is that of its words, empty for the desk's own."""

    what: str
    before: str
    after: str
    language: str = ""


class Line(NamedTuple):
    words: str
    language: str = ""


Lines = Mapping[str, Line]


def of_draft(ask: Ask) -> Lines:
    """What is being written."""
    return lines(said_in(ask.content), ask.begins, ask.ends)


def of_version(version: AskVersion | None) -> Lines:
    """What was approved; nothing where nothing was."""
    if version is None:
        return {}
    return lines(said_in(version.content), version.begins, version.ends)


def lines(
    said: AskContent, begins: datetime | None, ends: datetime | None, **own: str
) -> dict[str, Line]:
    """All that a message says, by what it is called; ``own`` are the desk's own fields."""
    found = {name.replace("_", " ").capitalize(): Line(words) for name, words in own.items()}
    found["Begins"] = Line(when(begins) if begins else "when it is approved")
    found["Ends"] = Line(when(ends) if ends else "when it is taken down")
    boxes = sections.boxes(said.sections)
    named = [box.title for box in boxes if set(box.slugs) & set(said.sections)]
    found["Sections"] = Line(", ".join(named) or "the whole paper")
    often = f"{said.most} times in {said.days} days at most" if said.most else "no limit"
    found["How often"] = Line(often)
    found["Goal"] = Line(_amount(said.goal, said.currency) if said.goal else "none")
    for one in said.variants:
        found |= {f"Variant {one.slug}: {what}": line for what, line in _of_variant(one)}
    return found


def differences(before: Lines, after: Lines) -> list[Change]:
    """The lines that differ, in the order of what is new."""
    names = dict.fromkeys((*after, *before))
    empty = Line("")
    found = []
    for name in names:
        old, new = before.get(name, empty), after.get(name, empty)
        if old.words != new.words:
            language = new.language or old.language
            found.append(Change(name, old.words or NOTHING, new.words or NOTHING, language))
    return found


def _of_variant(one: AskVariant) -> Iterator[tuple[str, Line]]:
    yield "weight", Line(str(one.weight))
    for language, text in one.texts.items():
        for what, words in _of_text(text):
            yield f"{what}, {endonym(language)}", Line(words, language)
    for offer in one.offers:
        yield f"amounts, {called(offer.kind, offer.currency)}", Line(_cards(offer))


def _of_text(text: AskText) -> Iterator[tuple[str, str]]:
    yield "headline", text.title
    yield "text", marked(text.html)
    yield "button", text.button


def called(kind: str, currency: str) -> str:
    return f"{KINDS.get(kind, kind)}, {currency}"


def _cards(offer: Offer) -> str:
    said = ", ".join(_amount(one, offer.currency) for one in offer.amounts)
    if not offer.recommended:
        return said
    return f"{said}; {_amount(offer.recommended, offer.currency)} is recommended"


def _amount(amount: int, currency: str) -> str:
    if currency not in EXPONENTS:
        return f"{amount} {currency}"
    return f"{plain(Money(amount, currency))} {currency}"


def marked(html: str) -> str:
    """A text as plain words, with its emphasis between stars and its links' addresses."""
    html = _LINK.sub(r"\2 (\1)", html)
    return body.plain(_STRONG.sub("**", _EM.sub("*", html)))
