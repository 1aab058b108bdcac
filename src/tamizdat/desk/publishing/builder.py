# SPDX-License-Identifier: AGPL-3.0-or-later
"""From the queue to the edition: builds all that waits, together.

What always holds:

- Everything claimed is afterwards live, failed with its reason, or back in the queue.
- One story that cannot be built does not hold back the others: it is found by halving.
- Trouble with the folder, the disk or another builder is nobody's story's fault: it is tried
  again, later and later, and fails only after ``queue.RETRIES`` attempts.

What is not done here: choosing what is due (``worker``), rendering and writing (``edition``).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from datetime import datetime

from django.db.models import Max
from django.utils import timezone

from tamizdat.desk.publishing import queue
from tamizdat.desk.publishing.models import BuildRequest, StoryHead, StoryVersion
from tamizdat.desk.publishing.site import site_from_desk
from tamizdat.desk.publishing.sources import DeskSource
from tamizdat.edition import Edition, Report
from tamizdat.edition.errors import BusyError, EditionError, SiteError, StoryError
from tamizdat.edition.site import Site
from tamizdat.edition.story import decode

log = logging.getLogger("tamizdat.publishing")
Clock = Callable[[], datetime]
_TOGETHER = 2000
_NAMED = re.compile(r"\bstory (\S+)").search


def whole(
    edition: Edition, site: Site, clock: Clock, progress: Callable[[int, int], None] | None = None
) -> Report:
    """Build the whole paper from the desk, and note what is live now and what could not be."""
    newest = StoryVersion.objects.aggregate(newest=Max("pk"))["newest"] or 0
    report = edition.build(DeskSource(), site, progress=progress)
    reasons = {found[1].rstrip(":"): said for said in report.problems if (found := _NAMED(said))}
    for head in StoryHead.objects.filter(uri__in=list(reasons)).select_related("version"):
        if head.version.edition is None:
            queue.fail_story(head, reasons[head.uri], clock())
    queue.mark_all_live(report.edition, newest, except_=list(reasons))
    queue.settle(report.edition, clock())
    return report


class Builder:
    """Builds for one worker. ``edition`` is kept, so that publishing one story stays cheap."""

    def __init__(self, edition: Edition, worker: str, clock: Clock = timezone.now) -> None:
        self.edition = edition
        self.worker = worker
        self.clock = clock

    def run(self) -> int:
        """Build what waits. Returns the number of requests that were taken."""
        requests = queue.claim(self.worker, self.clock())
        if not requests:
            return 0
        try:
            number = self._build(requests)
        except BusyError:
            queue.put_back(
                requests, "Another builder is at work; this waits for it.", self.clock(), 0.5
            )
        except SiteError as error:
            queue.give_up(requests, f"The paper's settings cannot be used: {error}", self.clock())
        except Exception as error:
            log.exception("building failed")
            self._later(requests, error)
        else:
            queue.finish(requests, number, self.clock())
        return len(requests)

    def _build(self, requests: Sequence[BuildRequest]) -> int:
        site = site_from_desk()
        kinds = {request.kind for request in requests}
        if queue.Kind.FULL in kinds or self.edition.needs_build(site):
            return self._whole(site)
        if queue.Kind.STORIES in kinds:
            self._stories(requests, site)
        if queue.Kind.REFRESH in kinds:
            self.edition.refresh(site)
        return self.edition.number

    def _whole(self, site: Site) -> int:
        return whole(self.edition, site, self.clock).edition

    def _stories(self, requests: Sequence[BuildRequest], site: Site) -> None:
        together: list[StoryHead] = []
        for head in queue.heads_of(requests):
            together.append(head)
            if len(together) >= _TOGETHER:
                self._publish(together, site)
                together = []
        self._publish(together, site)

    def _publish(self, heads: Sequence[StoryHead], site: Site) -> None:
        if not heads:
            return
        try:
            report = self.edition.publish([decode(head.version.item) for head in heads], site)
        except StoryError as error:
            self._halve(heads, site, str(error))
        except (EditionError, OSError, MemoryError):
            raise
        except Exception as error:
            log.exception("a story could not be rendered")
            self._halve(heads, site, f"{type(error).__name__}: {error}")
        else:
            for problem in report.problems:
                log.error("%s", problem)
            queue.mark_live(heads, self.edition.number)

    def _halve(self, heads: Sequence[StoryHead], site: Site, reason: str) -> None:
        if len(heads) == 1:
            queue.fail_story(heads[0], reason, self.clock())
            return
        middle = len(heads) // 2
        self._publish(heads[:middle], site)
        self._publish(heads[middle:], site)

    def _later(self, requests: Sequence[BuildRequest], error: Exception) -> None:
        """Try again in 1, 2, 4, … seconds; after ``RETRIES`` attempts say so and stop."""
        reason = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        tired = [r for r in requests if r.attempts >= queue.RETRIES]
        fresh = [r for r in requests if r.attempts < queue.RETRIES]
        queue.give_up(tired, reason, self.clock())
        if fresh:
            wait = 2.0 ** min(r.attempts - 1 for r in fresh)
            queue.put_back(fresh, f"{reason} (tried again soon)", self.clock(), wait)
