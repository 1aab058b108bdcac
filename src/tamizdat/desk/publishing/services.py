# SPDX-License-Identifier: AGPL-3.0-or-later
"""What commands and other parts of the desk ask of publishing.

``edition`` opens the newsroom's edition, ``run_pending`` builds what waits in this process,
``publish_all`` builds the whole paper from the desk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.conf import settings
from django.db.models import Max
from django.utils import timezone

from tamizdat.desk.publishing import queue
from tamizdat.desk.publishing.builder import Builder
from tamizdat.desk.publishing.heartbeat import Heart
from tamizdat.desk.publishing.models import StoryVersion
from tamizdat.desk.publishing.site import site_from_desk
from tamizdat.desk.publishing.sources import DeskMedia, DeskSource
from tamizdat.edition import Edition
from tamizdat.edition.builder import Report
from tamizdat.edition.story import Story
from tamizdat.edition.views import Card


def edition() -> Edition:
    """The newsroom's edition, with the desk's media. Opening it is cheap."""
    paper = settings.NEWSROOM.settings.paper
    return Edition(
        settings.NEWSROOM.edition,
        media=DeskMedia(),
        tree=paper.tree,
        brotli=paper.brotli,
        workers=paper.workers,
    )


def related(story: Story) -> Sequence[Card]:
    """Published stories to read after this one, best first."""
    return edition().related(story, site_from_desk())


def run_pending() -> int:
    """Build all that waits, here and now. Returns the number of requests that were taken."""
    taken = 0
    with Heart() as heart:
        builder = Builder(edition(), heart.name)
        while True:
            done = builder.run()
            if not done:
                return taken
            taken += done


def publish_all(progress: Callable[[int, int], None] | None = None) -> Report:
    """Build the whole paper from the desk. ``progress`` is told (done, of)."""
    newest = StoryVersion.objects.aggregate(newest=Max("pk"))["newest"] or 0
    built = edition()
    report = built.build(DeskSource(), site_from_desk(), progress=progress)
    queue.mark_all_live(built.number, newest)
    queue.settle(built.number, timezone.now())
    return report
