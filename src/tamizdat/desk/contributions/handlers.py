# SPDX-License-Identifier: AGPL-3.0-or-later
"""What comes by the letterbox about money: the calls of providers, and what givers ask by link.

What always holds: nothing that a provider did not sign for our account changes anything; what it
signed is judged as of the hour in which the letterbox took it. Of a call nothing is kept but its
facts. Where a key or a secret is missing the call waits, sealed, until somebody has mended that;
one that cannot be read is left to the reconciliation and to the alarm.
"""

from __future__ import annotations

import base64
import logging
from datetime import date, datetime

from django.db.models import F
from django.utils import timezone

from tamizdat.desk.contributions import facts, providers
from tamizdat.desk.contributions.givers import selfservice
from tamizdat.desk.contributions.models import Standing
from tamizdat.desk.letters.handlers import handler
from tamizdat.desk.outgoing.following import followed
from tamizdat.desk.outgoing.links import Purpose
from tamizdat.drop.envelope import Submission
from tamizdat.giving.errors import EventError, ForgedEventError

log = logging.getLogger("tamizdat.contributions")


def take_webhook(submission: Submission, /, *, arrived_hour: datetime) -> None:
    """A provider's call. Raises ``ConfigError`` and ``ProviderError`` where it has to wait."""
    fields = submission.fields
    name = fields["provider"]
    if providers.settings_of(name) is None:
        log.warning("a call of a provider that this newsroom does not have: it is passed over")
        return
    provider = providers.of(name)
    try:
        body = base64.b64decode(fields["body"])
        event = provider.read(body, fields["headers"], received=arrived_hour)
    except ForgedEventError as error:
        _note_forged(name, arrived_hour)
        log.warning("a call in the name of %s is not believed: %s", name, error)
    except EventError as error:
        facts.lock(name)
        Standing.objects.filter(pk=name).update(trouble=f"An event cannot be read: {error}"[:500])
        log.error("an event of %s cannot be read: %s", name, error)
    else:
        facts.take_event(event, provider=name, heard=arrived_hour)


def _note_forged(name: str, hour: datetime) -> None:
    facts.lock(name)
    today = timezone.localdate(hour)
    row = Standing.objects.filter(pk=name)
    if not row.filter(forged_day=today).update(forged=F("forged") + 1):
        row.update(forged=1, forged_day=today)


def take_gift(submission: Submission, /, *, arrived_hour: datetime) -> None:
    """What a giver asks by the link in a receipt."""
    fields = submission.fields
    link = followed(submission, arrived_hour, Purpose.GIFTS)
    if link is None:
        return
    until = fields.get("until")
    wanted = selfservice.Wanted(
        ask=fields["ask"],
        gift=fields.get("gift") or 0,
        amount=fields.get("amount") or "",
        until=date.fromisoformat(until) if until else None,
        year=fields.get("year") or 0,
    )
    selfservice.do(link=link, wanted=wanted, language=submission.language)


def register() -> None:
    handler("webhook")(take_webhook)
    handler("gift")(take_gift)
