# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where an article stands on its way to readers, in words: pure reading, a few indexed queries."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import formats, timezone

from tamizdat.desk.publishing import copies
from tamizdat.desk.publishing.copies import NOWHERE, Spread
from tamizdat.desk.publishing.models import BuildRequest, StoryHead, StoryVersion
from tamizdat.edition import paths

if TYPE_CHECKING:
    from tamizdat.desk.newsroom.models import Article

WAITING = (BuildRequest.State.QUEUED, BuildRequest.State.BUILDING)


@dataclass(frozen=True, kw_only=True)
class ArticleState:
    """``kind`` is ``draft``, ``scheduled``, ``queued``, ``building``, ``failed`` or ``live``;
    ``address`` the whole web address, empty where it has none yet. ``steps`` is how far the last
    version is: 1 queued, 2 being built, 3 live; 0 where there is none."""

    kind: str
    words: str
    withdrawn: bool = False
    address: str = ""
    edition: int | None = None
    request: BuildRequest | None = None
    version: StoryVersion | None = None
    error: str = ""
    spread: Spread = NOWHERE

    @property
    def waiting(self) -> bool:
        return self.kind in ("queued", "building")

    @property
    def moving(self) -> bool:
        """Whether it is worth looking again in a moment."""
        return self.waiting or self.spread.going

    @property
    def steps(self) -> int:
        return {"queued": 1, "failed": 1, "building": 2, "live": 3}.get(self.kind, 0)


def of(article: Article) -> ArticleState:
    """Where this article stands now."""
    head = StoryHead.objects.filter(uri=article.story_uri).select_related("version__request")
    newest = head.first()
    due = due_at(article)
    if newest is None:
        return _unpublished(article, due)
    version = newest.version
    state = _of_version(version, web_address(newest.path))
    if due and state.kind == "live" and not state.withdrawn:
        return _with_schedule(state, due)
    return state


def due_at(article: Article) -> datetime | None:
    """When the worker will publish it, if a time was set."""
    scheduled = article.revisions.filter(approved_go_live_at__isnull=False)
    due: datetime | None = scheduled.values_list("approved_go_live_at", flat=True).first()
    return due


def web_address(path: str) -> str:
    return settings.NEWSROOM.settings.address + paths.url(path)


def when(date: datetime) -> str:
    """“14:05” today, “21 November, 14:05” otherwise, in the newsroom's time zone."""
    local = timezone.localtime(date)
    time = formats.date_format(local, "H:i")
    today = timezone.localtime().date()
    if local.date() == today:
        return time
    year = "" if local.year == today.year else " Y"
    return f"{formats.date_format(local, 'j F' + year)}, {time}"


def _unpublished(article: Article, due: datetime | None) -> ArticleState:
    if due:
        return ArticleState(kind="scheduled", words=f"Goes out at {when(due)}.")
    failed = (
        BuildRequest.objects.filter(article=article, state=BuildRequest.State.FAILED)
        .order_by("-pk")
        .first()
    )
    if failed:
        return ArticleState(
            kind="failed", words="Not published.", error=failed.error, request=failed
        )
    return ArticleState(kind="draft", words="Not published yet.")


def _of_version(version: StoryVersion, address: str) -> ArticleState:
    request, gone = version.request, version.pub_status == "canceled"
    what = "Withdrawn" if gone else "Live"
    error = request.error if request else ""
    if version.edition is not None:
        since = when(request.finished) if request and request.finished else when(version.created)
        kind, words, error = "live", f"{what} in edition {version.edition} since {since}.", ""
    elif request and request.state == BuildRequest.State.FAILED:
        kind, words = "failed", "It could not be built. Readers still see what was there before."
    elif request and request.state == BuildRequest.State.BUILDING:
        kind, words = "building", "Being built."
    else:
        kind, words = "queued", "Queued: the worker builds it in a moment."
    spread = NOWHERE
    if version.edition is not None:
        spread = copies.of_edition(version.edition, withdrawn=gone)
    return ArticleState(
        kind=kind,
        words=words,
        spread=spread,
        withdrawn=gone,
        address=address,
        edition=version.edition,
        request=request,
        version=version,
        error=error,
    )


def _with_schedule(state: ArticleState, due: datetime) -> ArticleState:
    return replace(state, words=f"{state.words} A newer text goes out at {when(due)}.")
