# SPDX-License-Identifier: AGPL-3.0-or-later
"""Relays: which may be used now, and a way in to each.

::

    for relay in relays.usable(newsroom):
        transport = relays.open_transport(newsroom, relay.name)
        for outcome in transport.send(batch): …

What always holds:

- What is wrong with a relay rests the relay, not the mail: it is left alone for a while, longer
  each time, by all workers; a person may pause one, and only a person ends that.
- Problems that are kept name no address and no password.

What is not done here: choosing what goes out (``lanes``, ``newsletter.engine``), limits
(``limits``).
"""

from __future__ import annotations

import importlib
import random
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Protocol

from django.db import transaction
from django.db.models import F, Q

from tamizdat.config import Newsroom, RelaySettings
from tamizdat.desk.audit import actions as audit
from tamizdat.desk.outgoing import clock
from tamizdat.desk.outgoing.models import Relay
from tamizdat.desk.staff.models import User
from tamizdat.mail.errors import RelayError
from tamizdat.mail.smtp import Outcome, Outgoing

FIRST_REST, LONGEST_REST = 2.0, 900.0  # seconds


class Transport(Protocol):
    """A session with a relay, for one thread. ``send`` gives one outcome a mail as soon as it is
    known and raises nothing for what a relay does; where ``usable`` is false, close it."""

    @property
    def usable(self) -> bool: ...

    def send(self, batch: Iterable[Outgoing]) -> Iterator[Outcome]: ...

    def close(self) -> None: ...


Maker = Callable[[Newsroom, RelaySettings], Transport]
# Where each kind lies: a function (newsroom, relay) -> Transport, imported when it is needed.
KINDS = {
    "smtp": "tamizdat.desk.outgoing.relay_smtp:connect",
    "outbox": "tamizdat.desk.outgoing.relay_outbox:Outbox",
    "anymail": "tamizdat.desk.outgoing.relay_anymail:connect",
}


def open_transport(newsroom: Newsroom, name: str) -> Transport:
    """A session with the relay of this name. Raises ``RelayError``."""
    relay = next((one for one in newsroom.settings.relays if one.name == name), None)
    if relay is None:
        raise RelayError(f"The settings name no relay “{name}”.", permanent=True)
    module, attribute = KINDS[relay.kind].split(":")
    maker: Maker = getattr(importlib.import_module(module), attribute)
    return maker(newsroom, relay)


def usable(newsroom: Newsroom) -> list[RelaySettings]:
    """The relays that are neither paused nor resting, in the order of the settings."""
    wanted = [relay.name for relay in newsroom.settings.relays]
    waits = Q(paused=True) | Q(next_try__gt=clock.now())
    out = set(Relay.objects.filter(waits, name__in=wanted).values_list("name", flat=True))
    return [relay for relay in newsroom.settings.relays if relay.name not in out]


def note_trouble(*, name: str, problem: str) -> None:
    """The relay cannot be used: it rests, twice as long each time (15 minutes at most)."""
    with transaction.atomic():
        Relay.objects.get_or_create(name=name)
        row = Relay.objects.select_for_update().get(name=name)
        now = clock.now()
        if row.next_try is None or row.next_try <= now:  # Several find it out at once: one counts.
            row.failures += 1
            rest = min(FIRST_REST * 2.0 ** min(row.failures - 1, 12), LONGEST_REST)
            row.next_try = now + timedelta(seconds=rest * random.uniform(0.8, 1.2))  # noqa: S311 - no secret
        row.problem = problem[:1000]
        row.save()


def note_recovery(*, name: str) -> None:
    """It took a mail: what was wrong is over."""
    Relay.objects.filter(Q(failures__gt=0) | ~Q(problem=""), name=name).update(
        failures=0, problem="", next_try=None
    )


def pause(*, name: str, acting_user: User | None) -> None:
    """Nothing more goes through this relay until a person says so."""
    _set_paused(name, True, acting_user)


def resume(*, name: str, acting_user: User | None) -> None:
    """It may be used again, at once."""
    _set_paused(name, False, acting_user)


@transaction.atomic
def _set_paused(name: str, paused: bool, acting_user: User | None) -> None:
    Relay.objects.get_or_create(name=name)
    Relay.objects.filter(name=name).update(
        paused=paused,
        failures=F("failures") if paused else 0,
        problem=F("problem") if paused else "",
        next_try=F("next_try") if paused else None,
    )
    audit.record(
        action="tamizdat.relay.pause" if paused else "tamizdat.relay.resume",
        acting_user=acting_user,
        name="" if acting_user else audit.at_keyboard(),
        kind="outgoing.relay",
        label=name,
    )


def troubled() -> set[str]:
    """Relays about which something was noted that a mail that goes will prove over."""
    return set(Relay.objects.exclude(problem="").values_list("name", flat=True))
