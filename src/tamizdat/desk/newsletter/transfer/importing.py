# SPDX-License-Identifier: AGPL-3.0-or-later
"""Brings subscribers of another system along.

What always holds:

- Each is recorded with what shows that they agreed: what the export says, and what the newsroom
  says of where the list comes from (``evidence``). Without either nothing is taken in.
- What a reader said here counts for more: who left here stays away, who is not written to here
  stays so, who is subscribed here stays subscribed.
- A reader is put into a cohort where the newsroom says so (``cohort``), moved there from another
  too; a cohort that a table names counts for those who belong to none, if the settings know it.
- Who left there is remembered as gone; whose mail came back there, or who complained, is not
  written to. So a later list does not bring them back.
- Row by row, in transactions of ``AT_ONCE``: what was taken in stays, run again nothing happens
  twice. With ``dry`` nothing is written, and the report says the same. Given the report that was
  ``kept`` last, it goes on at the next row.
- Addresses are in no log and no error; in the report only where ``refused`` asks for it.

What is not done here: files (``reading``), columns (``formats``).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from tamizdat.desk.audit import actions as audit
from tamizdat.desk.newsletter.models import Newsletter, Subscription
from tamizdat.desk.newsletter.signup import PURPOSE
from tamizdat.desk.newsletter.transfer.errors import CohortError, EvidenceError, TableError
from tamizdat.desk.newsletter.transfer.formats import Entry, Reading, reading_of
from tamizdat.desk.newsletter.transfer.reading import Table, opened
from tamizdat.desk.outgoing.models import Suppression
from tamizdat.desk.readers import consents
from tamizdat.desk.readers.addresses import normalised
from tamizdat.desk.readers.consents import Brought
from tamizdat.desk.readers.errors import AddressError
from tamizdat.desk.readers.models import Reader
from tamizdat.desk.readers.vault import Vault

if TYPE_CHECKING:
    from tamizdat.desk.staff.models import User

AT_ONCE = 500
MOST_NAMED = 1_000
State = Subscription.State
Progress = Callable[[int, int], None]
Kept = Callable[["Report"], None]


class Refused(msgspec.Struct, frozen=True):
    """A row that was not taken in, by its number in the file; the header is row 1."""

    row: int
    why: str


class Report(msgspec.Struct):
    """What became of a file. ``left_out`` are columns that were not looked at; ``refused`` names
    the first ``MOST_NAMED`` rows, ``reasons`` counts all. ``stopped`` says why the rest was not
    read; empty where all was."""

    newsletter: str
    format: str
    encoding: str
    dry: bool
    rows: int = 0
    subscribed: int = 0
    left: int = 0
    suppressed: int = 0
    here_before: int = 0
    left_out: list[str] = []
    reasons: dict[str, int] = {}
    refused: list[Refused] = []
    stopped: str = ""


class _Row(NamedTuple):
    number: int
    entry: Entry


class _Here(NamedTuple):
    """What is known of some readers: states by reader, who is not written to, who left."""

    states: dict[int, str]
    held: set[int]
    over: set[int]


class Import:
    """One file into one newsletter. ``on_refused`` is told row, reason and address. ``kept`` is
    called with the report so far in the transaction of each stretch of rows; ``before`` is what it
    was called with last, where somebody else began with the same file."""

    def __init__(
        self,
        newsletter: Newsletter,
        *,
        evidence: str = "",
        cohort: str = "",
        dry: bool = False,
        on_refused: Callable[[int, str, str], None] = lambda row, why, address: None,
        progress: Progress = lambda done, of: None,
        kept: Kept = lambda report: None,
        before: Report | None = None,
    ) -> None:
        self._newsletter, self._evidence, self._dry = newsletter, evidence.strip(), dry
        self._cohort = cohort
        self._vault = Vault.open(settings.NEWSROOM)
        self._on_refused, self._progress, self._kept = on_refused, progress, kept
        self._seen: set[int] = set()
        self.report = before or Report(newsletter.slug, "", "", dry)
        self._reasons = Counter(self.report.reasons)
        self._done_before = self.report.rows

    def run(self, path: Path, *, wanted: str = "auto", acting_user: User | None = None) -> Report:
        """Take in what a file holds. Raises ``TransferError``, ``VaultError`` and ``OSError``."""
        with opened(path) as table:
            self.take(table, name=path.name, wanted=wanted)
        if not self._dry:
            self.note(acting_user)
        return self.report

    def take(self, table: Table, *, name: str, wanted: str = "auto") -> None:
        """Take in a table; ``name`` is that of its file. What is not done: ``note``."""
        reading = reading_of(table.header, wanted)
        self._require_evidence(reading)
        self._require_cohort()
        self.report.format, self.report.encoding = reading.format.name, table.encoding
        self.report.left_out = reading.left_out
        passed = 0
        for rows in _chunks(self._entries(table, reading, name)):
            passed += len(rows)
            if passed <= self._done_before:
                self._pass_over(rows)
                continue
            self._take(rows)
            self._progress(self.report.rows, 0)

    def _pass_over(self, rows: list[_Row]) -> None:
        """Rows that were done before: only that an address stood there is remembered."""
        for row in rows:
            self._problem(row.entry)

    def _require_evidence(self, reading: Reading) -> None:
        if "@" in self._evidence:
            raise EvidenceError("leave addresses out of the evidence: say how and when they agreed")
        if not self._evidence and not reading.format.consents:
            raise EvidenceError(
                "a plain table does not say that its readers agreed: say it with --evidence, as in "
                '"Sign-up sheets of the reading in Velm, 12 May 2026, kept in the office"'
            )

    def _require_cohort(self) -> None:
        known = {one.name for one in settings.NEWSROOM.settings.cohorts}
        if self._cohort and self._cohort not in known:
            raise CohortError(f"the settings have no table [[cohorts]] named “{self._cohort}”")

    def _entries(self, table: Table, reading: Reading, name: str) -> Iterator[_Row]:
        if reading.headless:
            yield _Row(1, reading.entry(table.header, name))
        try:
            for number, cells in table.rows:
                yield _Row(number, reading.entry(cells, name))
        except TableError as error:  # What came before it is taken in all the same.
            self.report.stopped = str(error)

    def _take(self, rows: list[_Row]) -> None:
        good = [row for row in rows if not self._is_refused(row)]
        with transaction.atomic():
            self._write(good)
            self.report.rows += len(rows)
            self.report.reasons = dict(self._reasons.most_common())
            self._kept(self.report)

    def _is_refused(self, row: _Row) -> bool:
        why = self._problem(row.entry)
        if why:
            self._refuse(row, why)
        return bool(why)

    def _problem(self, entry: Entry) -> str:
        """Why a row cannot be taken in, by itself; empty where it can."""
        if not entry.address:
            return "no address"
        try:
            key = hash(normalised(entry.address))
        except AddressError:
            return "not a mail address"
        if key in self._seen:
            return "twice in the file"
        self._seen.add(key)
        return entry.why if entry.standing == "refused" else ""

    def _refuse(self, row: _Row, why: str) -> None:
        self._reasons[why] += 1
        if len(self.report.refused) < MOST_NAMED:
            self.report.refused.append(Refused(row.number, why))
        self._on_refused(row.number, why, row.entry.address)

    # Writing

    def _write(self, rows: list[_Row]) -> None:
        known = [(row, self._vault.find(row.entry.address, erased=True)) for row in rows]
        here = self._look([reader.pk for _, reader in known if reader is not None])
        found: dict[str, list[tuple[_Row, Reader]]] = defaultdict(list)
        for row, reader in known:
            becomes = self._becomes(row, reader, here)
            if becomes and self._dry:
                self._count(becomes, 1)
            elif becomes:
                found[becomes].append((row, reader or self._added(row.entry)))
        if not self._dry:
            self._keep(found, known, here)

    def _count(self, becomes: str, number: int) -> None:
        setattr(self.report, becomes, getattr(self.report, becomes) + number)

    def _keep(
        self,
        found: dict[str, list[tuple[_Row, Reader]]],
        known: list[tuple[_Row, Reader | None]],
        here: _Here,
    ) -> None:
        self._subscribe(found["subscribed"], here)
        self._gather(found["subscribed"], known, here)
        self._end(found["left"])
        self._suppress([reader for _, reader in found["suppressed"]])
        for becomes, rows in found.items():
            self._count(becomes, len(rows))

    def _added(self, entry: Entry) -> Reader:
        return self._vault.add(entry.address, entry.language or self._newsletter.language)

    def _look(self, pks: list[int]) -> _Here:
        mine = Subscription.objects.filter(newsletter=self._newsletter, reader__in=pks)
        held = Suppression.objects.filter(reader__in=pks, lifted=None)
        return _Here(
            dict(mine.values_list("reader", "state")),
            set(held.values_list("reader", flat=True)),
            consents.over_among(pks, PURPOSE, self._newsletter.slug),
        )

    def _becomes(self, row: _Row, reader: Reader | None, here: _Here) -> str:
        """What becomes of a reader; empty where all stays as it is."""
        wanted = row.entry.standing
        if reader is None:
            return wanted
        state = here.states.get(reader.pk)
        left = state == State.LEFT or reader.pk in here.over or reader.erased is not None
        if wanted == "subscribed" and reader.pk in here.held:
            self._refuse(row, "not written to here: only a sign-up of their own ends that")
        elif wanted == "subscribed" and left:
            self._refuse(row, "left here before")
        elif (
            state == State.ACTIVE
            or reader.erased is not None
            or (wanted == "left" and left)
            or (wanted == "suppressed" and reader.pk in here.held)
        ):
            self.report.here_before += 1
        else:
            return wanted
        return ""

    def _subscribe(self, found: list[tuple[_Row, Reader]], here: _Here) -> None:
        today = timezone.localdate()
        self._bring(found)
        waiting = [reader.pk for _, reader in found if reader.pk in here.states]
        Subscription.objects.filter(newsletter=self._newsletter, reader__in=waiting).update(
            state=State.ACTIVE, since=today
        )
        Subscription.objects.bulk_create(
            Subscription(
                newsletter=self._newsletter, reader=reader, state=State.ACTIVE, since=today
            )
            for _, reader in found
            if reader.pk not in here.states
        )

    def _gather(
        self,
        fresh: list[tuple[_Row, Reader]],
        known: list[tuple[_Row, Reader | None]],
        here: _Here,
    ) -> None:
        """Into their cohorts: those who are subscribed now, and those who were before."""
        before = [
            (row, reader)
            for row, reader in known
            if reader is not None and here.states.get(reader.pk) == State.ACTIVE
        ]
        names = {one.name for one in settings.NEWSROOM.settings.cohorts}
        cohorts: dict[str, list[int]] = defaultdict(list)
        for row, reader in (*fresh, *before):
            name = self._cohort or row.entry.cohort
            if name in names and row.entry.standing == "subscribed":
                cohorts[name].append(reader.pk)
        for name, pks in cohorts.items():
            theirs = Reader.objects.filter(pk__in=pks)
            (theirs if self._cohort else theirs.filter(cohort="")).update(cohort=name)

    def _end(self, found: list[tuple[_Row, Reader]]) -> None:
        today = timezone.localdate()
        self._bring(found, ended=True)
        for _, reader in found:
            Subscription.objects.update_or_create(
                newsletter=self._newsletter,
                reader=reader,
                defaults={"state": State.LEFT, "left": today},
                create_defaults={"state": State.LEFT, "left": today, "since": today},
            )

    def _bring(self, found: list[tuple[_Row, Reader]], *, ended: bool = False) -> None:
        consents.bring_many(
            [
                Brought(
                    reader,
                    "; ".join(filter(None, (row.entry.known, self._evidence))),
                    row.entry.language or self._newsletter.language,
                )
                for row, reader in found
            ],
            purpose=PURPOSE,
            subject=self._newsletter.slug,
            ended=ended,
        )

    def _suppress(self, readers: list[Reader]) -> None:
        """Without a row in the audit trail for each: the import has one."""
        Suppression.objects.bulk_create(
            Suppression(reader=reader, reason=Suppression.Reason.IMPORTED, day=timezone.localdate())
            for reader in readers
        )

    def note(self, acting_user: User | None) -> None:
        """Write down in the audit trail what was taken in."""
        report = self.report
        audit.record(
            action="tamizdat.newsletter_import",
            acting_user=acting_user,
            name="" if acting_user else audit.at_keyboard(),
            kind="newsletter.newsletter",
            object_id=str(self._newsletter.pk),
            label=str(self._newsletter),
            data={
                "format": report.format,
                "rows": report.rows,
                "subscribed": report.subscribed,
                "left": report.left,
                "suppressed": report.suppressed,
                "evidence": self._evidence[:200],
                **({"cohort": self._cohort} if self._cohort else {}),
            },
        )


def _chunks(rows: Iterable[_Row]) -> Iterator[list[_Row]]:
    found = iter(rows)
    while chunk := list(islice(found, AT_ONCE)):
        yield chunk
