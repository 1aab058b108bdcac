# SPDX-License-Identifier: AGPL-3.0-or-later
"""The build queue: what waits, who has claimed it, and what became of it.

What always holds:

- A request is claimed by a conditional UPDATE; of two workers one gets it.
- A claim has a lease. Whoever died while building loses the claim: at once where its process is
  known to be gone (same machine), else when the lease ends. Building the same twice is harmless.
- A story is always built at its newest version, so an old request never turns a story back.
- Queueing costs the same whatever the size of the archive.

What is not done here: building (``builder``), and waiting (``worker``).
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from tamizdat.desk.publishing.models import BuildRequest, StoryHead, StoryVersion, WorkerHeartbeat
from tamizdat.edition.story import decode

if TYPE_CHECKING:
    from tamizdat.desk.newsroom.models import Article
    from tamizdat.desk.staff.models import User

LEASE = timedelta(seconds=30)
RETRIES = 6
_CHUNK = 500

Kind = BuildRequest.Kind
State = BuildRequest.State


def enqueue(
    *, kind: BuildRequest.Kind, acting_user: User | None, article: Article | None = None
) -> BuildRequest:
    """Queue something to be built. One waiting refresh or whole build is enough for all."""
    if kind != Kind.STORIES:
        waiting = BuildRequest.objects.filter(state=State.QUEUED, kind=kind).first()
        if waiting:
            return waiting
    return BuildRequest.objects.create(kind=kind, acting_user=acting_user, article=article)


def claim(worker: str, now: datetime) -> list[BuildRequest]:
    """Take all that waits, unless another worker is building; empty where there is nothing."""
    due = Q(not_before=None) | Q(not_before__lte=now)
    waiting = BuildRequest.objects.filter(due, state=State.QUEUED)
    if not waiting.exists():
        return []
    busy = BuildRequest.objects.filter(state=State.BUILDING, lease_until__gt=now)
    if busy.exists():
        return []
    waiting.update(
        state=State.BUILDING,
        claim=worker,
        lease_until=now + LEASE,
        started=now,
        attempts=F("attempts") + 1,
    )
    return list(BuildRequest.objects.filter(state=State.BUILDING, claim=worker).order_by("id"))


def extend(worker: str, now: datetime) -> None:
    BuildRequest.objects.filter(state=State.BUILDING, claim=worker).update(lease_until=now + LEASE)


def reclaim(now: datetime) -> int:
    """Put back what a worker that is gone was building. Returns how many requests."""
    abandoned = [
        request.pk
        for request in BuildRequest.objects.filter(state=State.BUILDING)
        if request.lease_until is None or request.lease_until <= now or _is_dead(request.claim)
    ]
    if not abandoned:
        return 0
    return BuildRequest.objects.filter(pk__in=abandoned, state=State.BUILDING).update(
        state=State.QUEUED, claim="", lease_until=None
    )


def _is_dead(worker: str) -> bool:
    """Whether that worker ran on this machine and its process is gone."""
    beat = WorkerHeartbeat.objects.filter(name=worker, host=socket.gethostname()).first()
    return beat is not None and not process_lives(beat.pid)


def process_lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def heads_of(requests: Iterable[BuildRequest]) -> Iterable[StoryHead]:
    """The newest version of every story that these requests wait for, in chunks, oldest first."""
    uris = (
        StoryVersion.objects.filter(request__in=list(requests), edition=None)
        .values("uri")
        .distinct()
    )
    last = 0
    while True:
        heads = StoryHead.objects.filter(uri__in=uris, pk__gt=last).order_by("pk")
        chunk = list(heads.select_related("version")[:_CHUNK])
        yield from chunk
        if len(chunk) < _CHUNK:
            return
        last = chunk[-1].pk


def mark_live(heads: Sequence[StoryHead], edition: int) -> None:
    """Note in which edition these versions, and older ones that waited, went live."""
    for start in range(0, len(heads), _CHUNK):
        chunk = heads[start : start + _CHUNK]
        newest = max(head.version_id for head in chunk)
        StoryVersion.objects.filter(
            uri__in=[head.uri for head in chunk], edition=None, pk__lte=newest
        ).update(edition=edition)


def mark_all_live(edition: int, up_to: int, except_: Sequence[str] = ()) -> None:
    """The same for a whole build: everything up to this version went out, but these stories."""
    waiting = StoryVersion.objects.filter(edition=None, pk__lte=up_to)
    waiting.exclude(uri__in=except_).update(edition=edition)


@transaction.atomic
def finish(requests: Iterable[BuildRequest], edition: int, now: datetime) -> None:
    """What these requests asked for is live."""
    _live(
        BuildRequest.objects.filter(pk__in=[r.pk for r in requests], state=State.BUILDING),
        edition,
        now,
    )
    settle(edition, now)


def settle(edition: int, now: datetime) -> None:
    """Every request that waits or failed, but of whose versions none waits any more, is done."""
    waiting = StoryVersion.objects.filter(request=OuterRef("pk"), edition=None)
    had = StoryVersion.objects.filter(request=OuterRef("pk"))
    left = BuildRequest.objects.filter(state__in=[State.FAILED, State.QUEUED])
    _live(left.filter(Exists(had), ~Exists(waiting)), edition, now)


def _live(requests: QuerySet[BuildRequest], edition: int, now: datetime) -> None:
    requests.update(
        state=State.LIVE, edition=edition, finished=now, claim="", lease_until=None, error=""
    )


@transaction.atomic
def fail_story(head: StoryHead, reason: str, now: datetime) -> None:
    """This story cannot be built: its request fails, and the others of a burst go on."""
    waiting = StoryVersion.objects.filter(uri=head.uri, edition=None)
    shared = StoryVersion.objects.filter(request=OuterRef("pk"), edition=None).exclude(uri=head.uri)
    own = BuildRequest.objects.filter(~Exists(shared), versions__in=waiting).first()
    failed = own or BuildRequest(kind=Kind.STORIES, started=now, attempts=1)
    name = f"“{decode(head.version.item).headline}”"
    failed.error = reason.replace(f"story {head.uri}", name)
    failed.state, failed.finished = State.FAILED, now
    failed.claim, failed.lease_until = "", None
    failed.article, failed.acting_user = head.version.article, head.version.acting_user
    failed.save()
    waiting.update(request=failed)


def put_back(requests: Iterable[BuildRequest], reason: str, now: datetime, wait: float) -> None:
    """Nothing was wrong with the stories: try again after ``wait`` seconds."""
    BuildRequest.objects.filter(pk__in=[r.pk for r in requests], state=State.BUILDING).update(
        state=State.QUEUED,
        claim="",
        lease_until=None,
        error=reason,
        not_before=now + timedelta(seconds=wait),
    )


def give_up(requests: Iterable[BuildRequest], reason: str, now: datetime) -> None:
    BuildRequest.objects.filter(pk__in=[r.pk for r in requests], state=State.BUILDING).update(
        state=State.FAILED, claim="", lease_until=None, error=reason, finished=now
    )
