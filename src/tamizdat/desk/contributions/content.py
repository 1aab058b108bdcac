# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a message to readers says, as it is kept in ``Ask.content`` and ``AskVersion.content``.

What always holds: it is plain data; a message is shown in the languages in which every one of its
variants says something; amounts are in a currency's smallest unit. Names (of messages and variants)
are such as the edition takes, so that none can keep the paper from being built.

What is not done here: writing and approving (``actions``), showing (``paper``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any

import msgspec

from tamizdat.edition import body
from tamizdat.giving import choice
from tamizdat.giving.choice import Offer
from tamizdat.giving.errors import AmountError
from tamizdat.giving.money import EXPONENTS, Money, plain

# Characters as readers see them; the whole markup of a text is at most so many times as long.
MOST_TITLE, MOST_TEXT, MOST_BUTTON = 90, 900, 30
MOST_MARKUP = 4
SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,59}\Z")
_MORE = re.compile(r"<(?!/?(?:p|em|strong|br)>|a |/a>)")


class AskText(msgspec.Struct, frozen=True, omit_defaults=True):
    """``html`` is paragraphs and emphasis; an empty ``button`` says what the theme says."""

    title: str
    html: str = ""
    button: str = ""


class AskVariant(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One of those that readers' browsers draw among, by ``weight``. ``texts`` by language;
    ``offers`` are cards of its own, empty for the newsroom's."""

    slug: str
    weight: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 1
    texts: dict[str, AskText] = {}
    offers: tuple[Offer, ...] = ()


class AskContent(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A reader is asked ``most`` times in ``days`` days at most, 0 for no limit; ``sections`` are
    slugs, none for all of the paper. ``goal`` in ``currency``, 0 for no thermometer."""

    variants: tuple[AskVariant, ...] = ()
    sections: tuple[str, ...] = ()
    most: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    days: Annotated[int, msgspec.Meta(ge=0, le=365)] = 0
    goal: Annotated[int, msgspec.Meta(ge=0)] = 0
    currency: str = ""

    @property
    def languages(self) -> list[str]:
        """Those in which all of its variants say something."""
        if not self.variants:
            return []
        first = self.variants[0].texts
        return [code for code in first if all(code in one.texts for one in self.variants)]


def decode(raw: Any) -> AskContent:
    """What lies in the database. Raises ``msgspec.ValidationError`` where it is no such thing."""
    return msgspec.convert(raw, AskContent)


def encode(content: AskContent) -> Any:
    """The same as what comes back from a column of JSON."""
    return msgspec.json.decode(msgspec.json.encode(content))


def length(html: str) -> int:
    """How long a text is: what readers see of it, as the editor's own counter counts."""
    return len(body.plain(html).replace("\n", ""))


def is_simple(html: str) -> bool:
    """Whether it is canonical HTML of paragraphs, emphasis and links alone."""
    return body.clean(html) == html.strip() and not _MORE.search(html)


def problems(content: AskContent, offered: tuple[Offer, ...] | None = None) -> Iterator[str]:
    """What stands against approving it, in words for who wrote it. ``offered`` is what the newsroom
    offers, which letterboxes hold every gift against; None passes over that."""
    slugs = [one.slug for one in content.variants]
    if not content.languages:
        yield "It says nothing in any language in which all of its variants say something."
    if len(set(slugs)) != len(slugs):
        yield "Two variants have the same name."
    if content.variants and not any(one.weight for one in content.variants):
        yield "No variant has a weight, so none would be shown."
    if bool(content.most) != bool(content.days):
        yield "Say both how often and in how many days, or neither."
    if content.goal and content.currency not in EXPONENTS:
        yield "The goal needs a currency."
    for one in content.variants:
        if not SLUG.match(one.slug):
            yield f"“{one.slug}” cannot name a variant: use a to z, 0 to 9 and hyphens."
        yield from (f"{one.slug}: {wrong}" for wrong in _wrong_offers(one.offers, offered))
        for language, text in one.texts.items():
            yield from (f"{one.slug}, {language}: {wrong}" for wrong in _too_long(text))


def _wrong_offers(offers: tuple[Offer, ...], offered: tuple[Offer, ...] | None) -> Iterator[str]:
    try:
        yield from choice.problems(offers)
    except AmountError as error:
        yield str(error)
        return
    known = {(one.kind, one.currency): one for one in offered or ()}
    for one in offers if offered is not None else ():
        called, limits = f"{one.kind} in {one.currency}", known.get((one.kind, one.currency))
        if limits is None:
            yield f"{called} is not offered by the newsroom"
            continue
        for amount in one.amounts:
            if not limits.least <= amount <= limits.most:
                said = plain(Money(amount, one.currency))
                yield f"{called}: letterboxes would refuse {said}"


def _too_long(text: AskText) -> Iterator[str]:
    if not text.title.strip():
        yield "it has no headline"
    for long, most, what in (
        (len(text.title), MOST_TITLE, "the headline"),
        (length(text.html), MOST_TEXT, "the text"),
        (len(text.button), MOST_BUTTON, "the button"),
    ):
        if long > most:
            yield f"{what} has {long} characters, {most} at most"
    if len(text.html) > MOST_MARKUP * MOST_TEXT:
        yield "the addresses of its links are too long"
    if not is_simple(text.html):
        yield "the text has more than paragraphs, emphasis and links"
