# SPDX-License-Identifier: AGPL-3.0-or-later
"""Once a day each provider is asked what happened, and what there is now: no gap stays open.

::

    for report in reconcile(newsroom): …      # also: tamizdat contributions reconcile

What always holds:

- Every event since the last complete round is listed and taken in as a webhook would be, with an
  overlap (``OVERLAP``); then what there is now, which closes what the provider's list of events no
  longer has. Both end in the same books, whatever came before and how often.
- A gap is an event with something to say that no call of the webhook told within ``GRACE``. Gaps
  are counted and shown; one that cannot be taken in keeps no other from it, and the round is not
  complete, so that the next one looks as far back.
- A provider that does not answer is asked again an hour later; that is told, not raised.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import msgspec
from django.db import DatabaseError, transaction
from django.db.models import F, Q
from django.utils import timezone

from tamizdat.config import ConfigError, Newsroom
from tamizdat.desk.contributions import facts, providers
from tamizdat.desk.contributions.models import SeenEvent, Standing
from tamizdat.desk.letters.taking import told
from tamizdat.giving.errors import ProviderError
from tamizdat.giving.port import Event, Fact, GiftFact, MovementFact, Provider

log = logging.getLogger("tamizdat.contributions")
EACH, AFTER_TROUBLE, CLAIM = timedelta(days=1), timedelta(hours=1), timedelta(minutes=30)
OVERLAP = timedelta(days=2)
FURTHEST = timedelta(days=30)  # as far back as providers list events
GRACE = timedelta(hours=2)  # letterboxes tell hours, and are collected from every minute
KEPT = timedelta(days=60)  # how long an event's id is known: longer than it can be listed
AT_ONCE = 100


class Report(msgspec.Struct):
    """What came of one provider. ``gaps``: events that no webhook had told; ``changed``: facts of
    the listing that were news; ``failed``: events or facts that could not be taken in."""

    provider: str
    events: int = 0
    gaps: int = 0
    listed: int = 0
    changed: int = 0
    failed: int = 0
    problem: str = ""


def reconcile(
    newsroom: Newsroom | None = None, *, now: datetime | None = None, name: str = ""
) -> list[Report]:
    """Reconcile with every provider now, or with the one of this name."""
    wanted = (newsroom or providers.newsroom()).settings.giving.providers
    return [one(p.kind, now=now) for p in wanted if name in ("", p.kind)]


def due(now: datetime) -> list[Report]:
    """Reconcile where a day is over; of several workers one does. What is to be tried later than a
    day from now was written down while the clock was ahead."""
    done = []
    for settings in providers.all_settings():
        facts_due = Standing.objects.filter(pk=settings.kind)
        if not facts_due.exists():
            Standing.objects.get_or_create(provider=settings.kind, defaults={"begun": now})
        ahead = Q(next_try__gt=now + EACH)
        waiting = facts_due.filter(Q(next_try=None) | Q(next_try__lte=now) | ahead)
        if waiting.update(next_try=now + CLAIM):
            done.append(one(settings.kind, now=now))
    return done


def one(name: str, *, now: datetime | None = None) -> Report:
    """Reconcile with one provider, and note how it went."""
    now = now or timezone.now()
    report = Report(name)
    row, _ = Standing.objects.get_or_create(provider=name, defaults={"begun": now})
    done = row.reconciled_to if row.reconciled_to and row.reconciled_to <= now else None
    since = max(done or now - FURTHEST, now - FURTHEST) - OVERLAP
    newest = row.newest
    try:
        provider = providers.of(name)
        newest = _events(provider, since, now, report) or newest
        _listing(provider, since, now, report)
    except (ConfigError, ProviderError) as error:
        report.problem = f"{error}"[:500]
    _note(row, report, newest, now)
    return report


def _events(provider: Provider, since: datetime, now: datetime, report: Report) -> datetime | None:
    """Take in what happened; when the newest of it did."""
    newest = 0
    settled = (now - GRACE).timestamp()
    for event in provider.events(since):
        report.events += 1
        if not event.facts:
            continue
        newest = max(newest, event.at)
        if _take(event, provider.name, now, report) and event.at < settled:
            report.gaps += 1
    return datetime.fromtimestamp(newest, UTC) if newest else None


def _take(event: Event, name: str, now: datetime, report: Report) -> bool:
    try:
        with transaction.atomic():
            return facts.take_event(event, provider=name, now=now)
    except DatabaseError:
        raise
    except Exception as error:
        # What it says could name a reader.
        log.error("an event of %s could not be taken in: %s", name, told(error))
        report.failed += 1
        return False


def _listing(provider: Provider, since: datetime, now: datetime, report: Report) -> None:
    for some in _batches(provider.listing(since)):
        report.listed += len(some)
        if not _apply(some, provider.name, now, report) and len(some) > 1:
            for fact in some:  # Else one that cannot be taken in would keep all of them out.
                _apply((fact,), provider.name, now, report)


def _apply(some: tuple[Fact, ...], name: str, now: datetime, report: Report) -> bool:
    """Take facts in together; whether that could be done. Of a single one it is told and counted
    where not."""
    try:
        with transaction.atomic():
            report.changed += facts.apply(some, provider=name, now=now)
    except DatabaseError:
        raise
    except Exception as error:
        if len(some) == 1:
            # What it says could name a reader.
            log.error("a fact of %s could not be taken in: %s", name, told(error))
            report.failed += 1
        return False
    return True


def _batches(found: Iterable[Fact]) -> Iterator[tuple[Fact, ...]]:
    """By hundreds. Movements wait for what they are about: that spares the books a second look."""
    late: list[Fact] = []
    early: list[Fact] = []
    for fact in found:
        (late if isinstance(fact, MovementFact) else early).append(fact)
    early.sort(key=lambda fact: not isinstance(fact, GiftFact))
    ordered = [*early, *late]
    for at in range(0, len(ordered), AT_ONCE):
        yield tuple(ordered[at : at + AT_ONCE])


def _note(row: Standing, report: Report, newest: datetime | None, now: datetime) -> None:
    complete = not report.problem and not report.failed
    said = report.problem or (
        f"{report.failed} events or facts could not be taken in. The worker's log says which."
        if report.failed
        else ""
    )
    changes = {"trouble": said, "next_try": now + (EACH if complete else AFTER_TROUBLE)}
    if complete:
        changes |= {"reconciled": now, "reconciled_to": now, "gaps": report.gaps, "newest": newest}
    else:
        changes |= {"gaps": F("gaps") + report.gaps}
    Standing.objects.filter(pk=row.pk).update(gaps_in_all=F("gaps_in_all") + report.gaps, **changes)
    if report.problem:
        log.warning("%s could not be reconciled: %s", report.provider, report.problem)
    elif report.gaps or report.changed:
        log.info(
            "reconciled with %s: %d of %d events were new, %d of %d facts",
            report.provider, report.gaps, report.events, report.changed, report.listed,
        )  # fmt: skip


def tidy(now: datetime) -> int:
    """Forget the ids of events that no provider lists any more; how many."""
    limit = timezone.localdate(now - KEPT)
    return SeenEvent.objects.filter(day__lte=limit).delete()[0]
