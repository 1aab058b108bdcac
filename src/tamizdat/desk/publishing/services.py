# SPDX-License-Identifier: AGPL-3.0-or-later
"""What commands and other parts of the desk ask of publishing.

``edition`` opens the newsroom's edition, ``run_pending`` builds what waits in this process,
``publish_all`` builds the whole paper from the desk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from tamizdat.config import MirrorSettings, PaperSettings
from tamizdat.desk.publishing import builder
from tamizdat.desk.publishing.heartbeat import Heart
from tamizdat.desk.publishing.site import site_from_desk
from tamizdat.desk.publishing.sources import DeskMedia
from tamizdat.edition import Edition, Report
from tamizdat.edition.signed.signer import Signer
from tamizdat.edition.signed.told import Mirror
from tamizdat.edition.story import Story
from tamizdat.edition.views import Card


def edition() -> Edition:
    """The newsroom's edition, with the desk's media; one a process, so that it stays warm."""
    newsroom = settings.NEWSROOM
    key = newsroom.secrets / "online-key"
    return _edition(newsroom.edition, key, newsroom.settings.paper, newsroom.settings.announced)


@lru_cache(maxsize=4)
def _edition(
    folder: Path, key: Path, paper: PaperSettings, mirrors: tuple[MirrorSettings, ...]
) -> Edition:
    signer = Signer(folder, key, mirrors=[Mirror.at(m.url, m.cohort) for m in mirrors])
    return Edition(
        folder,
        media=DeskMedia(),
        tree=paper.tree,
        brotli=paper.brotli,
        workers=paper.workers,
        signer=signer,
    )


def related(story: Story) -> Sequence[Card]:
    """Published stories to read after this one, best first."""
    return edition().related(story, site_from_desk())


def run_pending() -> int:
    """Build all that waits, here and now. Returns the number of requests that were taken."""
    taken = 0
    with Heart() as heart:
        here = builder.Builder(edition(), heart.name)
        while done := here.run():
            taken += done
    return taken


def publish_all(progress: Callable[[int, int], None] | None = None) -> Report:
    """Build the whole paper from the desk. ``progress`` is told (done, of)."""
    return builder.whole(edition(), site_from_desk(), timezone.now, progress)
