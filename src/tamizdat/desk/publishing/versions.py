# SPDX-License-Identifier: AGPL-3.0-or-later
"""Appends versions to stories: the only place where ``StoryVersion`` rows are made.

What always holds:

- The new version's number is one more than the newest; version, pointer, address and the request
  to build it are written together or not at all.
- An address that another story has or had is refused.
- The cost does not depend on how many stories there are.

What is not done here: making stories of articles (``stories``), deciding (``actions``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils import timezone

from tamizdat.desk.publishing import queue
from tamizdat.desk.publishing.errors import AddressTakenError, PublishingError
from tamizdat.desk.publishing.models import Address, BuildRequest, StoryHead, StoryVersion
from tamizdat.edition.story import Story, decode, encode

if TYPE_CHECKING:
    from tamizdat.desk.newsroom.models import Article
    from tamizdat.desk.staff.models import User

_CHUNK = 200


@dataclass(frozen=True, kw_only=True)
class New:
    """A version to be appended, with what only the desk knows of it."""

    story: Story
    reason: StoryVersion.Reason
    article: Article | None = None
    revision: int | None = None
    acting_user: User | None = None
    created: datetime | None = None


def newest(uri: str, *, lock: bool = False) -> StoryHead | None:
    """The newest version of a story; ``lock`` keeps others from appending until we are done."""
    heads = StoryHead.objects.filter(uri=uri)
    if lock:
        heads = heads.select_for_update(of=("self",))
    return heads.select_related("version").first()


def stored(version: StoryVersion) -> Story:
    """The story as it was encoded."""
    return decode(version.item)


@transaction.atomic
def append(new: New) -> StoryVersion:
    """Append one version and queue it to be built."""
    request = queue.enqueue(
        kind=queue.Kind.STORIES, acting_user=new.acting_user, article=new.article
    )
    return append_many([new], request=request)[0]


@transaction.atomic
def append_many(news: Sequence[New], *, request: BuildRequest | None) -> list[StoryVersion]:
    """Append many versions, each of another story. ``story.version`` must be the next number.

    Without a request they wait for a whole build. Raises ``AddressTakenError`` and
    ``PublishingError``; then nothing was written.
    """
    rows: list[StoryVersion] = []
    for start in range(0, len(news), _CHUNK):
        rows += _append_chunk(news[start : start + _CHUNK], request)
    return rows


def _append_chunk(news: Sequence[New], request: BuildRequest | None) -> list[StoryVersion]:
    for new in news:
        if not new.story.path or not new.story.language or not new.story.version:
            raise PublishingError(f"{new.story.uri} has no address, language or version number.")
    _take_addresses(news)
    rows = StoryVersion.objects.bulk_create([_row(new, request) for new in news])
    StoryHead.objects.bulk_create(
        [_head(new, row) for new, row in zip(news, rows, strict=True)],
        update_conflicts=True,
        unique_fields=["uri"],
        update_fields=["version", "language", "path", "pub_status"],
    )
    return rows


def _row(new: New, request: BuildRequest | None) -> StoryVersion:
    story = new.story
    return StoryVersion(
        uri=story.uri,
        version=int(story.version or 1),
        language=story.language or "",
        pub_status=story.pub_status or "usable",
        item=encode(story).decode(),
        created=new.created or timezone.now(),
        reason=new.reason,
        article=new.article,
        revision=new.revision,
        acting_user=new.acting_user,
        request=request,
    )


def _head(new: New, row: StoryVersion) -> StoryHead:
    return StoryHead(
        uri=new.story.uri,
        version=row,
        language=row.language,
        path=new.story.path,
        pub_status=row.pub_status,
    )


def _take_addresses(news: Iterable[New]) -> None:
    """Claim present addresses; former ones too, where nobody has them yet."""
    wanted = {new.story.path: new.story for new in news}
    former = {path: new.story for new in news for path in new.story.former_paths}
    every = {**former, **wanted}
    taken = {a.path: a.uri for a in Address.objects.filter(path__in=list(every))}
    for path, story in wanted.items():
        if taken.get(path, story.uri) != story.uri:
            raise AddressTakenError(
                f"Another story has, or once had, the address {path}. Choose another one."
            )
    Address.objects.bulk_create(
        [Address(path=p, uri=s.uri) for p, s in every.items() if p not in taken and len(p) <= 500],
        ignore_conflicts=True,
    )
