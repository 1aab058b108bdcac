# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whether readers see what was approved already: two indexed queries, no file of the paper."""

from __future__ import annotations

from typing import NamedTuple

from wagtail.models import ModelLogEntry

from tamizdat.desk.contributions.models import Ask
from tamizdat.desk.contributions.pages.asks.standing import Standing
from tamizdat.desk.publishing import heartbeat
from tamizdat.desk.publishing.models import BuildRequest
from tamizdat.desk.publishing.state import when

_State, _Kind = BuildRequest.State, BuildRequest.Kind
_ACTIONS = ("tamizdat.ask_approve", "tamizdat.ask_stop")


class Reach(NamedTuple):
    """``moving``: it is worth looking again in a moment."""

    words: str
    moving: bool = False
    trouble: str = ""


def of(ask: Ask, standing: Standing) -> Reach:
    """How far the last approval, or taking down, has come on its way to readers."""
    if standing.version is None:
        return Reach("Readers have not seen it yet.")
    logged = ModelLogEntry.objects.for_instance(ask).filter(action__in=_ACTIONS)
    last = logged.order_by("-timestamp").first()
    since = last.timestamp if last else standing.version.approved
    every = BuildRequest.objects.filter(kind__in=[_Kind.REFRESH, _Kind.FULL])
    done = every.filter(state=_State.LIVE, started__gte=since).order_by("finished").first()
    if done is not None and done.finished:
        return Reach(_arrived(standing, when(done.finished)))
    newest = every.order_by("-pk").first()
    if newest is not None and newest.state == _State.FAILED:
        return Reach("It could not be brought to readers.", trouble=newest.error)
    if newest is None or newest.state == _State.LIVE:
        return Reach(_arrived(standing, when(since)))
    if not heartbeat.alive():
        words = "It waits for a worker, and none is running: tell the operator."
        return Reach(words, moving=True, trouble=words)
    return Reach("The worker brings it to readers in a moment.", moving=True)


def _arrived(standing: Standing, since: str) -> str:
    if standing.kind == "live":
        return f"Readers see it since {since}."
    if standing.kind == "scheduled":
        return "It is in the paper, and shows itself when its time comes."
    return (
        f"Readers see it no longer since {since}."
        if standing.kind == "stopped"
        else ("Its time is over: readers see it no longer.")
    )
