# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where a message stands, in words: pure reading, one query for a whole list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from django.utils import timezone

from tamizdat.desk.contributions import asking, content
from tamizdat.desk.contributions.content import AskContent
from tamizdat.desk.contributions.models import Ask, AskVersion
from tamizdat.desk.publishing.state import when

# The first word is what the list is filtered by.
KINDS = (
    ("draft", "Draft"),
    ("live", "Live"),
    ("waits", "Changes wait for approval"),
    ("scheduled", "Scheduled"),
    ("over", "Over"),
    ("stopped", "Taken down"),
)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """``kind`` is the first word of one of ``KINDS``, but for ``waits``, which is apart: something
    was written that nobody has approved yet."""

    kind: str
    words: str
    waits: bool
    version: AskVersion | None = None

    def fits(self, wanted: str) -> bool:
        """Whether a list of this kind shows it."""
        if wanted == "waits":
            return self.waits and self.version is not None
        return wanted in ("", self.kind)


def of(ask: Ask) -> Standing:
    return _of(ask, asking.newest(ask), timezone.now())


def of_all(asks: Sequence[Ask]) -> list[tuple[Ask, Standing]]:
    """Each with where it stands, in their order."""
    newest = {one.ask_id: one for one in _versions(asks)}
    now = timezone.now()
    return [(ask, _of(ask, newest.get(ask.pk), now)) for ask in asks]


def _versions(asks: Iterable[Ask]) -> Iterable[AskVersion]:
    """The newest of each comes last."""
    return AskVersion.objects.filter(ask__in=list(asks)).order_by("number")


def _of(ask: Ask, version: AskVersion | None, now: datetime) -> Standing:
    if version is None:
        return Standing(kind="draft", words="Draft", waits=True)
    waits = not asking.is_as_approved(ask, version)
    kind, words = _shown(ask, version, now)
    return Standing(kind=kind, words=words, waits=waits, version=version)


def _shown(ask: Ask, version: AskVersion, now: datetime) -> tuple[str, str]:
    begins, ends = version.begins, version.ends
    until = f" until {when(ends)}" if ends else ""
    if ask.state == Ask.State.STOPPED:
        return "stopped", "Taken down"
    if ends and ends <= now:
        return "over", f"Over since {when(ends)}"
    if begins and begins > now:
        return "scheduled", f"From {when(begins)}{until}"
    return "live", f"Live{until}"


def said_in(raw: object) -> AskContent:
    """What lies in the database; nothing where that is no message, so that it can be mended."""
    try:
        return content.decode(raw)
    except msgspec.ValidationError:
        return AskContent()
