# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is wrong with an account at Stripe, as far as its API tells.

What is not done here: Radar's rules cannot be read by an API. Whether the one that refuses cards
of some countries stands is told by what was taken in spite of it; the countries themselves are
looked at and dropped.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tamizdat.giving.errors import GivingError
from tamizdat.giving.registry import DeskSettings
from tamizdat.giving.stripe import shapes
from tamizdat.giving.stripe.client import shaped
from tamizdat.giving.stripe.errors import in_our_words
from tamizdat.giving.stripe.facts import TYPES

ENDING: Final = "/v1/webhook/stripe"
LOOK_BACK: Final = timedelta(days=7)


def problems(api: Any, settings: DeskSettings, *, live: bool) -> list[str]:
    found = list(_settings(settings, live))
    try:
        with in_our_words():
            found += _webhook(api)
            found += _countries(api, settings.refused_countries)
    except GivingError as error:
        found.append(f"Stripe: {error}")
    return found


def _settings(settings: DeskSettings, live: bool) -> Iterator[str]:
    if settings.key.startswith("sk_live_"):
        yield "Stripe: the desk has the secret key, which can do everything: make a restricted one"
    if not live:
        yield "Stripe: this is a key of the test mode: no money moves"
    if not settings.webhook:
        yield "Stripe: without the webhook's secret no event can be believed"
    if any(not one.startswith("whsec_") for one in settings.webhook):
        yield "Stripe: a webhook's secret begins with whsec_"


def _webhook(api: Any) -> Iterator[str]:
    known = [
        shaped(one, shapes.Endpoint)
        for one in api.webhook_endpoints.list({"limit": 100}).auto_paging_iter()
    ]
    ours = [one for one in known if one.url.endswith(ENDING)]
    if not ours:
        yield f"Stripe: no webhook leads to …{ENDING} of a letterbox"
    elif all(one.status != "enabled" for one in ours):
        yield "Stripe: the webhook is switched off"
    for one in ours:
        missing = set(TYPES) - set(one.enabled_events)
        if missing and "*" not in one.enabled_events:
            yield f"Stripe: the webhook does not tell of {', '.join(sorted(missing))}"


def _countries(api: Any, refused: tuple[str, ...]) -> Iterator[str]:
    if not refused:
        return
    since = int((datetime.now(UTC) - LOOK_BACK).timestamp())
    charges = api.charges.list({"created": {"gte": since}, "limit": 100}).auto_paging_iter()
    taken = sum(_is_from(shaped(one, shapes.Where), refused) for one in charges)
    if taken:
        countries = ", ".join(f"'{one}'" for one in refused)
        yield (
            f"Stripe took {taken} payments in {LOOK_BACK.days} days with cards of countries that "
            f"are to be refused. Write this rule in Radar: Block if :card_country: in ({countries})"
        )


def _is_from(charge: shapes.Where, refused: tuple[str, ...]) -> bool:
    card = charge.payment_method_details.card if charge.payment_method_details else None
    return charge.status != "failed" and card is not None and card.country in refused
