# SPDX-License-Identifier: AGPL-3.0-or-later
"""By which rules readers' data goes, day by day.

An app registers a rule of its own in its ``AppConfig.ready``::

    retention.register(Rule("bounces", "Bounces after 90 days", due=…, erase=…))

What always holds:

- A rule runs once a day; what it did is written down as counts and nothing else (``RetentionRun``).
- A clock that is wrong erases nothing: a rule that has not run for ``JUMP`` days, or wants to erase
  more than its ``bound`` of all readers (and more than ``FEW``), refuses and waits until somebody
  has looked at the clock and said yes. What people agreed to and did not withdraw no rule touches.
- The database itself refuses to lose a consent before its term (``triggers``).

What is not done here: a person's own request (``requests``).
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Callable, Collection, Iterator
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet, Sum

from tamizdat.desk.readers.consents import OVER
from tamizdat.desk.readers.errors import RetentionError
from tamizdat.desk.readers.models import Consent, Reader, RetentionRun, Term
from tamizdat.desk.readers.triggers import TERM

log = logging.getLogger("tamizdat.readers")
UNCONFIRMED = 7  # days
JUMP = 60  # days
FEW = 100
AT_ONCE = 500
Event = Consent.Event


class Rule(NamedTuple):
    """``due`` counts what is due on a day, ``erase`` erases it and counts. ``bound``: the share of
    all readers beyond which it refuses; None where a mistake costs nobody anything."""

    name: str
    words: str
    due: Callable[[datetime.date], int]
    erase: Callable[[datetime.date], int]
    bound: float | None = 0.2


class Outcome(NamedTuple):
    """``refused`` says why nothing was done, in words; ``due`` is what is left."""

    rule: str
    words: str
    due: int
    erased: int
    refused: str = ""


RULES: dict[str, Rule] = {}


def register(rule: Rule) -> None:
    """Add a rule; one of the same name takes its place."""
    RULES[rule.name] = rule


def look(today: datetime.date) -> list[Outcome]:
    """What each rule would do today, without doing it."""
    found = []
    for rule in RULES.values():
        due = rule.due(today)
        found.append(Outcome(rule.name, rule.words, due, 0, _objection(rule, due, today)))
    return found


def run(today: datetime.date, *, allowed: Collection[str] = ()) -> list[Outcome]:
    """Do what is due. ``allowed`` names rules that may erase past their bound this time.

    Raises ``RetentionError`` where one of those is no rule.
    """
    unknown = sorted(set(allowed) - set(RULES))
    if unknown:
        raise RetentionError(f"there is no rule “{unknown[0]}”; there are: {', '.join(RULES)}")
    Term.objects.update_or_create(
        name=TERM, defaults={"days": settings.NEWSROOM.settings.vault.keep_withdrawn}
    )
    return [_run(rule, today, rule.name in allowed) for rule in RULES.values()]


def _run(rule: Rule, today: datetime.date, allowed: bool) -> Outcome:
    due = rule.due(today)
    objection = "" if allowed else _objection(rule, due, today)
    if objection:
        log.warning("retention: the rule %s did nothing: %s", rule.name, objection)
        return Outcome(rule.name, rule.words, due, 0, objection)
    erased = rule.erase(today) if due else 0
    row, made = RetentionRun.objects.get_or_create(
        rule=rule.name, day=today, defaults={"erased": erased}
    )
    if not made:
        RetentionRun.objects.filter(pk=row.pk).update(erased=F("erased") + erased)
    if erased:
        log.info("retention: the rule %s erased %d", rule.name, erased)
    return Outcome(rule.name, rule.words, rule.due(today), erased)


def _objection(rule: Rule, due: int, today: datetime.date) -> str:
    """Why the rule may not run by itself; empty where it may."""
    last = RetentionRun.objects.filter(rule=rule.name, day__lte=today).order_by("-day").first()
    if last is not None and (today - last.day).days > JUMP:
        return (
            f"it last ran on {last.day}, {(today - last.day).days} days ago. Is the clock right? "
            f"Then say: tamizdat vault retention --run --yes {rule.name}"
        )
    if rule.bound is not None and due > max(FEW, Reader.objects.count() * rule.bound):
        return (
            f"it would erase {due:,} at once. Is the clock right, and is that meant? "
            f"Then say: tamizdat vault retention --run --yes {rule.name}"
        )
    return ""


class Daily:
    """Runs the rules on the first look of each day. One in each worker; they do not disturb each
    other, as a rule finds nothing due where another was."""

    def __init__(self) -> None:
        self._looked: datetime.date | None = None

    def look(self, today: datetime.date) -> list[Outcome]:
        if self._looked == today:
            return []
        self._looked = today
        ran = RetentionRun.objects.filter(day=today).values_list("rule", flat=True)
        return [] if set(RULES) <= set(ran) else run(today)


def last_runs() -> dict[str, tuple[datetime.date, int]]:
    """By rule: the last day it ran, and how much it erased in all."""
    sums = dict(RetentionRun.objects.values_list("rule").annotate(Sum("erased")))
    days: dict[str, datetime.date] = dict(
        RetentionRun.objects.order_by("day").values_list("rule", "day")
    )
    return {rule: (day, sums[rule]) for rule, day in days.items()}


# The rules of this app


def _same(**more: Any) -> QuerySet[Consent]:
    return Consent.objects.filter(
        reader=OuterRef("reader"), purpose=OuterRef("purpose"), subject=OuterRef("subject"), **more
    )


def _unconfirmed(today: datetime.date) -> QuerySet[Consent]:
    """What was asked for long ago, with nothing ever confirmed and nothing asked since."""
    limit = today - datetime.timedelta(days=UNCONFIRMED)
    return Consent.objects.filter(event=Event.ASKED, day__lte=limit).exclude(
        Exists(_same().exclude(event=Event.ASKED))
    )


def _over(event: Consent.Event, limit: datetime.date) -> QuerySet[Consent]:
    """The last words that end something, said on ``limit`` or before."""
    said = Consent.objects.filter(event=event, day__lte=limit)
    return said.exclude(Exists(_same(id__gt=OuterRef("id"))))


def _withdrawn(today: datetime.date) -> QuerySet[Consent]:
    days = settings.NEWSROOM.settings.vault.keep_withdrawn
    return _over(Event.WITHDRAWN, today - datetime.timedelta(days=days))


def _fulfilled(today: datetime.date) -> QuerySet[Consent]:
    return _over(Event.FULFILLED, today)


def _erase_unconfirmed(today: datetime.date) -> int:
    erased = 0
    for pks in _chunks(_unconfirmed(today)):
        with transaction.atomic():
            there = _unconfirmed(today).filter(pk__in=pks)
            readers = set(there.values_list("reader", flat=True))
            erased += Consent.objects.filter(
                pk__in=list(there.values_list("pk", flat=True))
            ).delete()[0]
            erase_rows_of_nothing(readers)
    return erased


def _erase_ended(ended: QuerySet[Consent]) -> int:
    erased = 0
    for pks in _chunks(ended):
        with transaction.atomic():
            readers = set()
            for last in Consent.objects.filter(pk__in=pks):
                said = Consent.objects.filter(
                    reader=last.reader_id, purpose=last.purpose, subject=last.subject
                )
                erased += _erase_said(said)
                readers.add(last.reader_id)
            erase_rows_of_nothing(readers)
    return erased


def _erase_said(said: QuerySet[Consent]) -> int:
    # The database looks at the last word: it goes last.
    return said.exclude(event__in=OVER).delete()[0] + said.delete()[0]


def erase_done(reader: Reader, purpose: str, subject: str = "") -> int:
    """Remove what a reader said about something that is done (``consents.fulfil``), without waiting
    for the day after. How many rows; none where it is not done."""
    said = Consent.objects.filter(reader=reader, purpose=purpose, subject=subject)
    last = said.order_by("-id").first()
    return _erase_said(said) if last is not None and last.event == Event.FULFILLED else 0


def erase_rows_of_nothing(readers: Collection[int]) -> int:
    """Remove those of these readers about whom nothing else is held. How many."""
    free = Reader.objects.filter(pk__in=readers)
    for relation in Reader._meta.related_objects:
        held = relation.related_model._default_manager.filter(
            **{relation.field.name: OuterRef("pk")}
        )
        free = free.exclude(Exists(held))
    return free.delete()[0]


def _chunks(wanted: QuerySet[Consent]) -> Iterator[list[int]]:
    pks = list(wanted.order_by("pk").values_list("pk", flat=True))
    for at in range(0, len(pks), AT_ONCE):
        yield pks[at : at + AT_ONCE]


register(
    Rule(
        "unconfirmed",
        f"Sign-ups that nobody confirmed within {UNCONFIRMED} days",
        due=lambda today: _unconfirmed(today).count(),
        erase=_erase_unconfirmed,
        bound=None,
    )
)
register(
    Rule(
        "fulfilled",
        "Reminders once they were sent",
        due=lambda today: _fulfilled(today).count(),
        erase=lambda today: _erase_ended(_fulfilled(today)),
        bound=None,
    )
)
register(
    Rule(
        "withdrawn",
        "Withdrawn consents, and their readers, after the legal term",
        due=lambda today: _withdrawn(today).count(),
        erase=lambda today: _erase_ended(_withdrawn(today)),
    )
)
