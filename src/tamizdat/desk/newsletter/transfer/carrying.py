# SPDX-License-Identifier: AGPL-3.0-or-later
"""The worker's part: looks through files that were handed in, and takes them in once it may.

What always holds:

- What was taken in and how far the file was read are written in one transaction, and only by the
  worker that holds the file. So a worker that is killed, or only slow, is followed by another one
  that goes on at the next row: nothing is counted twice, nobody is left out.
- Looking writes nothing but its numbers.
- Building waits for none of it; an address is in no log.

What is not done here: what becomes of a row (``importing``).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import msgspec
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from tamizdat.desk.newsletter.models import Upload, UploadPart
from tamizdat.desk.newsletter.transfer import sealed_file
from tamizdat.desk.newsletter.transfer.errors import TransferError
from tamizdat.desk.newsletter.transfer.importing import Import, Report
from tamizdat.desk.newsletter.transfer.reading import table_in
from tamizdat.desk.outgoing import clock
from tamizdat.desk.outgoing.background import Background
from tamizdat.desk.readers import retention
from tamizdat.desk.readers.errors import VaultError
from tamizdat.desk.readers.retention import Rule
from tamizdat.desk.readers.vault import Vault

POLL = 2.0  # seconds
LOST = timedelta(minutes=2)
UNANSWERED, REMEMBERED = timedelta(days=1), timedelta(days=30)
State = Upload.State


class LetGoError(Exception):
    """The file is another worker's now, or this one is to stop. What was done stays done."""


class Carrier:
    """One worker. ``stopped`` is asked after each stretch of rows."""

    def __init__(self, *, stopped: Callable[[], bool] = lambda: False) -> None:
        self.name = secrets.token_hex(8)
        self._stopped = stopped

    def carry(self) -> bool:
        """Look through, or take in, one file that waits. Whether there was one.

        Raises ``VaultError`` where the vault is shut; the file then waits.
        """
        upload = self._claimed()
        if upload is None:
            return False
        try:
            self._carry(upload)
        except LetGoError:
            self._mine(upload).update(worker="")
        except TransferError as error:
            self._fail(upload, str(error))
        except VaultError as error:
            self._mine(upload).update(worker="", problem=f"It waits: {error}."[:300])
            raise
        return True

    def _claimed(self) -> Upload | None:
        now = clock.now()
        free = Q(worker="") | Q(beat__lt=now - LOST)
        waiting = Upload.objects.filter(free, state__in=[State.LOOKING, State.TAKING])
        for found in waiting.order_by("pk"):
            same = Upload.objects.filter(pk=found.pk, worker=found.worker, beat=found.beat)
            if same.update(worker=self.name, beat=now):
                return Upload.objects.select_related("newsletter", "made_by").get(pk=found.pk)
        return None

    def _mine(self, upload: Upload) -> QuerySet[Upload]:
        return Upload.objects.filter(pk=upload.pk, worker=self.name)

    def _carry(self, upload: Upload) -> None:
        vault = Vault.open(settings.NEWSROOM)
        file = sealed_file.opened(upload, vault)

        def kept(report: Report) -> None:
            self._keep(upload, report, file.tell())

        before = msgspec.convert(upload.report, Report) if upload.report else None
        work = Import(
            upload.newsletter,
            evidence=upload.evidence,
            cohort=upload.cohort,
            dry=upload.state == State.LOOKING,
            before=before,
            kept=kept,
            progress=self._stop_if_told,
        )
        with table_in(file) as table:
            work.take(table, name=upload.name, wanted=upload.format)
        self._finish(upload, work)

    def _stop_if_told(self, done: int, of: int) -> None:
        if self._stopped():
            raise LetGoError

    def _keep(self, upload: Upload, report: Report, read: int) -> None:
        """In the transaction of the rows themselves, which is undone where the file is not ours."""
        mine = self._mine(upload).update(
            report=msgspec.to_builtins(report), read=read, beat=clock.now(), problem=""
        )
        if not mine:
            raise LetGoError

    @transaction.atomic
    def _finish(self, upload: Upload, work: Import) -> None:
        report, now = msgspec.to_builtins(work.report), clock.now()
        looking = upload.state == State.LOOKING
        state, finished = (State.LOOKED, None) if looking else (State.DONE, now)
        mine = self._mine(upload).update(
            state=state, finished=finished, report=report, read=upload.size, worker="", problem=""
        )
        if not mine:
            raise LetGoError
        if not looking:
            work.note(upload.made_by)
            UploadPart.objects.filter(upload=upload).delete()

    @transaction.atomic
    def _fail(self, upload: Upload, problem: str) -> None:
        said = f"{problem[:1].upper()}{problem[1:]}."[:300]
        if self._mine(upload).update(state=State.FAILED, worker="", problem=said):
            UploadPart.objects.filter(upload=upload).delete()


class Rounds(Background):
    """``start``, then ``stop``: a thread of the desk's worker."""

    what = "lists of subscribers"

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._carrier = Carrier(stopped=self._stop.is_set)

    def _look(self) -> float:
        return 0.0 if self._carrier.carry() else POLL


# What goes by itself, once a day


def _over(today: date) -> QuerySet[Upload]:
    unanswered = ~Q(state__in=[State.TAKING, State.DONE]) & Q(made__date__lt=today - UNANSWERED)
    return Upload.objects.filter(
        unanswered | Q(state=State.DONE, finished__date__lt=today - REMEMBERED)
    )


def _forget(today: date) -> int:
    found = list(_over(today).values_list("pk", flat=True))
    UploadPart.objects.filter(upload__in=found).delete()
    Upload.objects.filter(pk__in=found).delete()
    return len(found)


def register() -> None:
    retention.register(
        Rule(
            "uploads",
            f"Lists of subscribers that nobody said yes to within {UNANSWERED.days} day, and what "
            f"became of the others, after {REMEMBERED.days} days",
            due=lambda today: _over(today).count(),
            erase=_forget,
            bound=None,
        )
    )
