# SPDX-License-Identifier: AGPL-3.0-or-later
"""The rows of an issue, from queued to their end: claimed, kept, handed back.

What always holds:

- ``turn`` keeps the answers to the last window and claims the next, in one transaction: before the
  first byte of a mail leaves, the database has its row as ``sending`` under the worker's name.
- Of two workers one gets a row; a worker that was taken for dead gets none.
- Only an issue that is ``sending`` is claimed from. Who left, was suppressed or erased since the
  audience was gathered gets nothing.
- The order of locks is: the sender, limits, rows, tallies.

What is not done here: making and sending mails (``press``, ``worker``), rows of others
(``senders``, ``unknown``).
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import NamedTuple, cast

from django.db import connection, transaction

from tamizdat.config import MailSettings, RelaySettings
from tamizdat.desk.newsletter.engine import tallies
from tamizdat.desk.newsletter.engine.errors import LostError
from tamizdat.desk.newsletter.engine.rows import OPEN, moment
from tamizdat.desk.newsletter.engine.tallies import Of, moved
from tamizdat.desk.outgoing import clock, limits, suppression
from tamizdat.desk.outgoing.limits import Slots
from tamizdat.desk.outgoing.receivers import large
from tamizdat.desk.readers.errors import ErasedError, SealedError
from tamizdat.desk.readers.models import Reader
from tamizdat.desk.readers.vault import Vault

FIRST_TRY, LONGEST_TRY = timedelta(minutes=5), timedelta(hours=4)
SHUT = "\0"  # in place of an address that cannot be opened
LEFT = "left"  # the code of a mail that nobody wanted any more
PATIENCE = timedelta(hours=48)  # after which what is put off again and again counts as refused

Changes = Counter[Of]


class Row(NamedTuple):
    """One mail to be made. ``reader``, ``version``, ``sealed`` and ``cohort`` are the vault's."""

    id: int
    subscription: int
    reader: int
    version: int
    sealed: bytes
    text: str
    attempts: int
    writable: bool
    resent: bool
    cohort: str = ""
    address: str = ""
    domain: str = ""

    @property
    def pk(self) -> int:
        return self.reader

    @property
    def key_version(self) -> int:
        return self.version


class Answer(NamedTuple):
    """What became of a row. ``state`` is ``sent``, ``refused``, ``deferred``, ``unknown``, or
    ``queued`` for one that certainly did not leave and is nobody's fault."""

    row: Row
    state: str
    code: str = ""
    said: str = ""


class Turn(NamedTuple):
    """``rows`` to be sent now; ``wait``: seconds for which asking again is of no use."""

    rows: list[Row]
    wait: float = 0.0


_CLAIM = """
UPDATE newsletter_delivery SET state = 'sending', worker = %s, relay = %s, not_before = NULL
WHERE id IN (SELECT id FROM newsletter_delivery WHERE issue_id = %s AND {which}
             LIMIT %s {skip}) RETURNING id
"""
_QUEUED = "state = 'queued' ORDER BY id"
_DUE = f"state = 'deferred' AND {OPEN} AND not_before <= %s ORDER BY not_before"
_ROWS = """
SELECT d.id, s.id, r.id, r.key_version, r.sealed, d.text, d.attempts,
  s.state = 'active' AND r.erased IS NULL AND NOT EXISTS (
    SELECT 1 FROM outgoing_suppression x WHERE x.reader_id = r.id AND x.lifted IS NULL),
  d.resent, r.cohort
FROM newsletter_delivery d JOIN newsletter_subscription s ON s.id = d.subscription_id
JOIN readers_reader r ON r.id = s.reader_id WHERE d.id IN ({marks}) ORDER BY d.id
"""
_SENT = """
UPDATE newsletter_delivery SET state = 'sent', code = %s, said = '', finished = %s, domain = %s,
  attempts = attempts + 1, not_before = NULL
WHERE id IN ({marks}) AND worker = %s AND state = 'sending'
"""
_OTHER = """
UPDATE newsletter_delivery SET state = %s, code = %s, said = %s, finished = %s, domain = %s,
  attempts = attempts + %s, not_before = %s, worker = %s
WHERE id = %s AND worker = %s AND state = 'sending'
"""
_STRAYS = f"""
UPDATE newsletter_delivery SET state = 'queued', worker = '', relay = ''
WHERE worker = %s AND state = 'sending' AND {OPEN} AND NOT id IN ({{marks}})
RETURNING issue_id
"""  # noqa: S608 - ours


class Ledger:
    """One worker's way to the rows; its threads share one and take turns."""

    def __init__(self, worker: str, vault: Vault, mail: MailSettings) -> None:
        self.worker = worker
        self._vault = vault
        self._domains = limits.of_domains(mail)
        self._slots = {domain: Slots(of) for domain, of in self._domains.items()}
        self._lock = threading.Lock()
        self._held: dict[int, set[int]] = {}  # by thread
        self._doubt = False  # whether a transaction may have been kept without our knowing

    def turn(
        self,
        issue: int,
        relay: RelaySettings,
        answers: Sequence[Answer],
        want: int,
        has: Iterable[int] = (),
    ) -> Turn:
        """Keep what became of the last rows and claim up to ``want`` more for this relay. ``has``
        are rows that this thread claimed before and has no answers to yet.

        Raises ``LostError``, and ``DatabaseError`` after which the same may be tried again.
        """
        thread = threading.get_ident()
        with self._lock:
            try:
                with transaction.atomic():
                    self._require_alive()
                    if self._doubt:
                        self._put_back_strays()
                    changes = self._keep(relay, answers)
                    turn = self._claim(issue, relay, want, changes) if want else Turn([])
                    tallies.add(issue, self.worker, changes)
            except Exception:
                self._doubt = True
                raise
            self._doubt = False
            self._held[thread] = {*has, *(row.id for row in turn.rows)}
            return turn

    def _require_alive(self) -> None:
        share = " FOR SHARE" if connection.vendor == "postgresql" else ""
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT lost FROM newsletter_sender WHERE name = %s{share}",  # noqa: S608 - ours
                [self.worker],
            )
            row = cursor.fetchone()
        if row is None or row[0]:
            raise LostError("others took over what this worker had claimed")

    def _put_back_strays(self) -> None:
        """Rows that are ours in the database though nobody here has them: no byte of them left."""
        held: list[int] = [one for rows in self._held.values() for one in rows] or [0]
        with connection.cursor() as cursor:
            values: list[str | int] = [self.worker, *held]
            cursor.execute(_STRAYS.format(marks=_marks(held)), values)
            found = Counter(issue for (issue,) in cursor.fetchall())
        for issue, count in found.items():
            tallies.add(issue, self.worker, moved("sending", "queued", count))

    # Answers

    def _keep(self, relay: RelaySettings, answers: Sequence[Answer]) -> Changes:
        changes: Changes = Counter()
        if not answers:
            return changes
        now = clock.now()
        sent = sorted((a for a in answers if a.state == "sent"), key=_by_words)
        for (domain, code), group in groupby(sent, key=_by_words):
            count = self._sent([answer.row.id for answer in group], code, domain, now)
            changes.update(moved("sending", "sent", count))
            changes[Of("relay", relay.name)] += count
        for answer in answers:
            if answer.state != "sent":
                self._other(answer, now, changes)
        return changes

    def _sent(self, ids: list[int], code: str, domain: str, now: datetime) -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                _SENT.format(marks=_marks(ids)),
                [code[:20], moment(now), domain, *ids, self.worker],
            )
            return int(cursor.rowcount)

    def _other(self, answer: Answer, now: datetime, changes: Changes) -> None:
        row, state, due = answer.row, answer.state, None
        if state == "deferred":
            state, due = _again(row, now)
        over = state in ("refused", "unknown")
        with connection.cursor() as cursor:
            cursor.execute(
                _OTHER,
                [
                    state,
                    answer.code[:20],
                    answer.said[:300],
                    moment(now) if over else None,
                    row.domain,
                    int(state != "queued"),
                    moment(due) if due else None,
                    "",  # Nobody will know more than that, where it is in doubt.
                    row.id,
                    self.worker,
                ],
            )
            if not cursor.rowcount:
                return
        changes.update(moved("sending", state, 1))
        if state == "refused":
            changes[Of("left", "") if answer.code == LEFT else Of("refused", row.domain)] += 1
            if answer.state == "refused" and row.writable:
                suppression.note_refusal(Reader(pk=row.reader), answer.code, answer.said)

    # Claims

    def _claim(self, issue: int, relay: RelaySettings, want: int, changes: Changes) -> Turn:
        allowed = limits.for_issues(limits.of_relay(relay))
        granted = limits.take(allowed, want)
        if not granted:
            return Turn([], limits.wait_for(allowed))
        ids = self._take(issue, relay.name, granted)
        if len(ids) < granted:
            limits.give_back(allowed, granted - len(ids))
        if not ids:
            return Turn([])
        for before, count in (("deferred", ids.count_due), ("queued", len(ids) - ids.count_due)):
            changes.update(moved(before, "sending", count))
        rows = list(self._opened(_read(ids)))
        return Turn(self._leave_out(relay, rows, changes))

    def _take(self, issue: int, relay: str, want: int) -> _Ids:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT 1 FROM newsletter_issue WHERE id = %s AND state = 'sending'{_share()}",  # noqa: S608 - ours
                [issue],
            )
            if cursor.fetchone() is None:
                return _Ids()
            due: list[str | int] = [self.worker, relay, issue, moment(clock.now()), want]
            cursor.execute(_CLAIM.format(which=_DUE, skip=_skip()), due)
            ids = _Ids(row[0] for row in cursor.fetchall())
            ids.count_due = len(ids)
            if len(ids) < want:
                queued: list[str | int] = [self.worker, relay, issue, want - len(ids)]
                cursor.execute(_CLAIM.format(which=_QUEUED, skip=_skip()), queued)
                ids.extend(row[0] for row in cursor.fetchall())
        return ids

    def _opened(self, rows: list[Row]) -> Iterator[Row]:
        """With their addresses; of those that were erased it stays empty."""
        writable = [row for row in rows if row.writable]
        found = self._addresses(writable)
        for row in rows:
            address = found.get(row.reader, "")
            yield row._replace(
                address=address,
                domain=large(address, self._domains),
                writable=row.writable and bool(address) and address != SHUT,
            )

    def _addresses(self, rows: list[Row]) -> dict[int, str]:
        """By reader. One that cannot be opened stands in the way of no other; where none can be,
        the keys are amiss, and ``SealedError`` stops it."""
        try:
            return dict(self._vault.opened(cast(Iterable[Reader], rows)))
        except (SealedError, ErasedError):
            found: dict[int, str] = {}
        shut: list[SealedError] = []
        for row in rows:
            try:
                found[row.reader] = self._vault.address_of(cast(Reader, row))
            except ErasedError:
                continue
            except SealedError as error:
                shut.append(error)
                found[row.reader] = SHUT
        if len(shut) == len(found) > 1:
            raise shut[0]
        return found

    def _leave_out(self, relay: RelaySettings, rows: list[Row], changes: Changes) -> list[Row]:
        """Those that may go now; the others are put off, or ended as they left meanwhile."""
        left = [row for row in rows if not row.writable]
        gone = [
            Answer(row, "refused", "4.3.5", "its address cannot be opened")
            if row.address == SHUT
            else Answer(row, "refused", LEFT, "left before it was sent")
            for row in left
        ]
        changes.update(self._keep(relay, gone))
        if not self._domains:
            return [row for row in rows if row.writable]
        go, late = self._within_limits([row for row in rows if row.writable])
        now = clock.now()
        for row in late:
            self._put_off(row, now, changes)
        return go

    def _within_limits(self, rows: list[Row]) -> tuple[list[Row], list[Row]]:
        by_domain: dict[str, list[Row]] = {}
        for row in rows:
            by_domain.setdefault(row.domain if row.domain in self._domains else "", []).append(row)
        go, late = by_domain.pop("", []), list[Row]()
        for domain, wanting in sorted(by_domain.items()):
            granted = limits.take(self._domains[domain], len(wanting))
            go += wanting[:granted]
            late += wanting[granted:]
        return go, late

    def _put_off(self, row: Row, now: datetime, changes: Changes) -> None:
        due = now + timedelta(seconds=self._slots[row.domain].next())
        said = "its domain takes no more just now"
        with connection.cursor() as cursor:
            cursor.execute(
                _OTHER,
                ["deferred", "", said, None, row.domain, 0, moment(due), "", row.id, self.worker],
            )
            if cursor.rowcount:
                changes.update(moved("sending", "deferred", 1))


class _Ids(list[int]):
    """Ids of claimed rows, those first that had been put off: so many."""

    count_due = 0


def _read(ids: Sequence[int]) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(_ROWS.format(marks=_marks(ids)), list(ids))
        return [_row(*found) for found in cursor.fetchall()]


def _row(
    row: int, subscription: int, reader: int, version: int, sealed: bytes | memoryview,
    text: str, attempts: int, writable: bool, resent: bool, cohort: str,
) -> Row:  # fmt: skip
    """As drivers give it: truth as numbers, bytes as a view."""
    return Row(
        row, subscription, reader, version, bytes(sealed),
        text, attempts, bool(writable), bool(resent), cohort,
    )  # fmt: skip


def _again(row: Row, now: datetime) -> tuple[str, datetime | None]:
    """When to try again what was put off: later each time, not all at once."""
    tries = row.attempts
    rest = min(FIRST_TRY * 2.0 ** min(tries, 10), LONGEST_TRY)
    waited = sum((min(FIRST_TRY * 2.0**n, LONGEST_TRY) for n in range(min(tries, 40))), timedelta())
    if waited + rest > PATIENCE:
        return "refused", None
    return "deferred", now + rest * random.uniform(0.8, 1.2)  # noqa: S311 - no secret


def _by_words(answer: Answer) -> tuple[str, str]:
    return answer.row.domain, answer.code


def _marks(values: Sequence[object]) -> str:
    return ", ".join(["%s"] * len(values))


def _skip() -> str:
    return "FOR UPDATE SKIP LOCKED" if connection.vendor == "postgresql" else ""


def _share() -> str:
    return " FOR SHARE" if connection.vendor == "postgresql" else ""


__all__ = ["Answer", "Ledger", "Row", "Turn"]
