# SPDX-License-Identifier: AGPL-3.0-or-later
"""Giving in the paper: what is offered there, and the messages that ask.

What always holds:

- Readers see what was approved (``AskVersion``), never what is being written.
- Where no letterbox takes gifts, or no provider is set up, the paper asks for nothing.
- How full the thermometer is, is told in whole hundredths of its goal, so that nobody can read a
  single gift from two editions.

What is not done here: how it looks (``edition``, ``theme``), writing and approving (``actions``).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db.models import Sum
from django.utils import timezone

from tamizdat.config import offers_of
from tamizdat.desk.contributions import content
from tamizdat.desk.contributions.content import AskContent
from tamizdat.desk.contributions.models import Ask, AskVersion, Payment, Place
from tamizdat.desk.newsroom.actions import refresh_paper
from tamizdat.desk.publishing.stories import rfc3339
from tamizdat.edition import body
from tamizdat.edition import site as edition_site
from tamizdat.giving import registry

if TYPE_CHECKING:
    from tamizdat.desk.staff.models import User

_PLACES: dict[str, edition_site.AskPlace] = {
    Place.RIBBON: "ribbon",
    Place.MESSAGE: "message",
    Place.THANKS: "thanks",
}
AHEAD = timedelta(days=1)  # The paper is built every hour; browsers look at the clock.


def giving() -> edition_site.Giving:
    """What readers can give, from the settings; nothing where nobody takes it."""
    said = settings.NEWSROOM.settings.giving
    if not said.providers:
        return edition_site.Giving()
    ways = tuple(edition_site.Way(via=one.kind, methods=one.methods) for one in said.providers)
    checkouts = dict.fromkeys(
        origin for one in said.providers for origin in registry.checkouts(one.kind, one.url)
    )
    return edition_site.Giving(
        offers=offers_of(said),
        ways=ways,
        checkouts=tuple(checkouts),
        ask_again_days=said.ask_again_days,
    )


def asks_of(language: str) -> Iterator[edition_site.AskFragment]:
    """The messages that readers of a language see now, or will within a day."""
    now = timezone.now()
    live = Ask.objects.filter(state=Ask.State.LIVE).order_by("place", "-changed", "pk")
    for ask in live:
        version = AskVersion.objects.filter(ask=ask).order_by("-number").first()
        if version is not None and _in_time(version, now):
            said = content.decode(version.content)
            if language in said.languages:
                yield _fragment(ask, version, said, language)


def _in_time(version: AskVersion, now: datetime) -> bool:
    over = version.ends is not None and version.ends <= now
    return not over and (version.begins is None or version.begins <= now + AHEAD)


def _fragment(
    ask: Ask, version: AskVersion, said: AskContent, language: str
) -> edition_site.AskFragment:
    began = timezone.localdate(version.begins or version.approved)
    return edition_site.AskFragment(
        slug=ask.slug,
        place=_PLACES[ask.place],
        variants=tuple(_variant(one, language) for one in said.variants if one.weight),
        begins=rfc3339(version.begins) if version.begins else "",
        ends=rfc3339(version.ends) if version.ends else "",
        sections=said.sections,
        most=said.most,
        days=said.days,
        goal=said.goal,
        reached=_reached(said, began),
        currency=said.currency,
    )


def as_written(
    ask: Ask, said: AskContent, language: str, variant: content.AskVariant
) -> edition_site.AskFragment:
    """One variant of what is being written, for who looks at it before readers do."""
    return edition_site.AskFragment(
        slug=ask.slug,
        place=_PLACES[ask.place],
        variants=(_variant(variant, language),),
        goal=said.goal,
        reached=_reached(said, timezone.localdate(ask.begins or timezone.now())),
        currency=said.currency,
    )


def _variant(one: content.AskVariant, language: str) -> edition_site.AskVariant:
    text = one.texts[language]
    return edition_site.AskVariant(
        slug=one.slug,
        weight=one.weight,
        title=text.title,
        html=body.clean(text.html),
        button=text.button,
        offers=one.offers,
    )


def _reached(said: AskContent, since: date) -> int:
    """What was given in the goal's currency since then, in hundredths of the goal."""
    if not said.goal:
        return 0
    paid = Payment.objects.filter(
        state=Payment.State.PAID, currency=said.currency, day__gte=since
    ).aggregate(sum=Sum("amount"))["sum"]
    return said.goal * min(100, (paid or 0) * 100 // said.goal) // 100


def refresh_asks(*, acting_user: User | None) -> None:
    """Have the fragments made anew once this transaction is through: call it after a message was
    approved or taken down. No page changes by it."""
    refresh_paper(acting_user)
