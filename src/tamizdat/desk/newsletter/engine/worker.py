# SPDX-License-Identifier: AGPL-3.0-or-later
"""A worker that sends issues: alone or one of many, beside the desk or on another machine.

What always holds:

- Any number may run; of two one gets a row (``ledger``). Killing one at any moment loses nothing:
  what it left is settled by the others, or by the next one (``senders``).
- Relays share the mail by their weights, as far as they can take it.
- ``stop`` ends it after the mails that are leaving now, with everything known to the database.

What is not done here: sending itself (``lane``).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence

from django.db import DatabaseError, close_old_connections, connection

from tamizdat.config import ConfigError, Newsroom, RelaySettings
from tamizdat.desk.newsletter.engine import finish, senders, start, unknown
from tamizdat.desk.newsletter.engine.errors import EngineError
from tamizdat.desk.newsletter.engine.journal import Journal, Place, folder_of
from tamizdat.desk.newsletter.engine.lane import Lane
from tamizdat.desk.newsletter.engine.ledger import Ledger
from tamizdat.desk.newsletter.engine.press import Press
from tamizdat.desk.newsletter.engine.senders import BEAT, Watch
from tamizdat.desk.newsletter.models import Issue
from tamizdat.desk.outgoing import relays
from tamizdat.desk.readers.vault import Vault
from tamizdat.mail.errors import MailError

log = logging.getLogger("tamizdat.newsletter")
WINDOW = 100  # rows that one connection claims at a time
LOOK = 0.5  # seconds between two looks at what there is to do
QUIET = 10.0  # after something that a person has to mend
EMPTY = 1.0  # for how long an issue without waiting rows is not asked again
AHEAD = 2  # windows by which a relay may be ahead of its share
LAGGARD = 2.0  # a relay that claimed nothing for so long is not waited for

State = Issue.State


class Crew:
    """What a worker's connections share. A new one after being taken for dead."""

    def __init__(self, newsroom: Newsroom, window: int) -> None:
        self.newsroom, self.window = newsroom, window
        self.place = Place.here()
        self.name = senders.register(self.place)
        self.over = threading.Event()
        self.ledger = Ledger(self.name, Vault.open(newsroom), newsroom.settings.mail)
        self.presses: tuple[Press, ...] = ()
        self.sent = 0
        self._lock = threading.Lock()
        self._claims: dict[str, float] = {}  # by relay: windows through its weight
        self._claimed: dict[str, float] = {}  # when
        self._empty: dict[tuple[str, int], float] = {}
        self._lanes: list[tuple[Lane, Journal]] = []
        self._made = 0

    # What lanes ask

    def press_for(self, relay: RelaySettings) -> Press | None:
        """The issue to send from now; None where this relay has to wait."""
        now = time.monotonic()
        with self._lock:
            found = [p for p in self.presses if self._empty.get((relay.name, p.issue), 0.0) < now]
            if not found or not self._turn_of(relay, now):
                return None
            self._claims[relay.name] = self._claims.get(relay.name, 0.0) + 1 / relay.weight
            self._claimed[relay.name] = now
            return found[0]

    def _turn_of(self, relay: RelaySettings, now: float) -> bool:
        others = [
            claims
            for name, claims in self._claims.items()
            if name != relay.name and now - self._claimed[name] < LAGGARD
        ]
        if not others:
            return True
        least = min(others)
        mine = self._claims.setdefault(relay.name, least)
        if now - self._claimed.get(relay.name, 0.0) > LAGGARD:  # It comes back: no arrears.
            mine = self._claims[relay.name] = max(mine, least)
        return mine < least + AHEAD / relay.weight

    def nothing_for(self, relay: RelaySettings, issue: int) -> None:
        self._empty[relay.name, issue] = time.monotonic() + EMPTY

    def unusable(self, relay: RelaySettings) -> None:
        with self._lock:
            self._claimed[relay.name] = 0.0

    def works(self, relay: RelaySettings) -> None:
        if relay.name in self.resting:
            self.resting.discard(relay.name)
            relays.note_recovery(name=relay.name)

    resting: set[str] = set()

    def count(self, sent: int) -> None:
        with self._lock:
            self.sent += sent

    # Lanes

    def settle(self, wanted: Sequence[RelaySettings]) -> None:
        """As many connections to each usable relay as the settings say."""
        kept = []
        for lane, journal in self._lanes:
            if lane.relay not in wanted:
                lane.stop.set()
            if lane.is_alive():
                kept.append((lane, journal))
            else:
                journal.close()  # What it could not keep stands in it, until we end.
        self._lanes = kept
        for relay in wanted:
            running = sum(lane.relay == relay and not lane.stop.is_set() for lane, _ in kept)
            for _ in range(relay.connections - running):
                self._add(relay)

    def _add(self, relay: RelaySettings) -> None:
        folder = folder_of(self.newsroom.run)
        journal = Journal(folder, self.name, self._made, self.place)
        lane = Lane(self, relay, self._made, journal)
        self._made += 1
        self._lanes.append((lane, journal))
        lane.start()

    def end(self, patience: float) -> bool:
        """Have all lanes end; whether they did so in time."""
        self.over.set()
        until = time.monotonic() + patience
        for lane, _ in self._lanes:
            lane.stop.set()
        for lane, _ in self._lanes:
            lane.join(max(0.0, until - time.monotonic()))
        return not any(lane.is_alive() for lane, _ in self._lanes)


class Worker:
    """``run`` until ``stop``."""

    def __init__(
        self,
        newsroom: Newsroom,
        *,
        window: int = WINDOW,
        silence: float = senders.SILENCE,
        beat: float = BEAT,
        patience: float = 10.0,
    ) -> None:
        self._newsroom, self._window = newsroom, window
        self._silence, self._beat, self._patience = silence, beat, patience
        self._stop = threading.Event()
        self._rate = Rate()
        self._ended: list[str] = []
        self._unmade: dict[int, float] = {}  # issues, and until when they are not tried again

    def stop(self) -> None:
        self._stop.set()

    def run(self, *, until_done: bool = False) -> None:
        """Work until stopped; with ``until_done`` until nothing is under way."""
        while not self._stop.is_set():
            close_old_connections()
            try:
                if self._idle():
                    if until_done:
                        return
                    self._stop.wait(LOOK)
                    continue
                self._work()
            except DatabaseError:
                log.warning("the database cannot be used; trying again", exc_info=True)
                connection.close()
                self._stop.wait(1.0)
            except (ConfigError, MailError, EngineError) as error:
                log.error("issues wait: %s", error)
                self._stop.wait(QUIET)
        connection.close()

    def _idle(self, name: str = "") -> bool:
        """Whether nothing is under way and nobody left anything."""
        active = Issue.objects.filter(state__in=(State.STARTING, State.SENDING))
        left = bool(self._ended) or senders.anything_left(folder_of(self._newsroom.run), name)
        return not (active.exists() or left)

    def _work(self) -> None:
        """Until nothing is under way any more, or this worker is taken for dead."""
        crew = Crew(self._newsroom, self._window)
        watch = Watch(crew.name, self._newsroom.run, silence=self._silence)
        pulse = Pulse(crew, self._beat, self._rate)
        pulse.start()
        try:
            while not (self._stop.is_set() or crew.over.is_set()):
                if not self._look(crew, watch):
                    break
                self._stop.wait(LOOK)
        finally:
            self._end(crew, pulse)

    def _look(self, crew: Crew, watch: Watch) -> bool:
        """One round beside the connections. Whether there is more to do."""
        try:
            self._settle_own()
            watch.look()
            unknown.settle(self._newsroom)
            self._gather(crew)
            active = finish.look()
            self._settle(crew, active)
            return bool(active) or not self._idle(crew.name)
        except DatabaseError:
            log.warning("the database cannot be used; trying again", exc_info=True)
            connection.close()
            return True

    def _gather(self, crew: Crew) -> None:
        for issue in Issue.objects.filter(state=State.STARTING).values_list("pk", flat=True):
            while start.gather(issue):
                if self._stop.is_set() or crew.over.is_set():
                    return

    def _settle(self, crew: Crew, active: Sequence[int]) -> None:
        """Presses for the issues under way, connections to the relays that can be used."""
        known = {press.issue: press for press in crew.presses}
        pressed = (known.get(one) or self._press(one) for one in active)
        crew.presses = tuple(press for press in pressed if press)
        crew.resting = relays.troubled()
        crew.settle(relays.usable(self._newsroom) if active else [])

    def _press(self, issue: int) -> Press | None:
        """None for an issue of which no mail can be made now: the others go on without it."""
        if self._unmade.get(issue, 0.0) > time.monotonic():
            return None
        try:
            return Press(self._newsroom, issue)
        except (MailError, EngineError) as error:
            log.error("issue %d waits, its mails cannot be made: %s", issue, error)
            self._unmade[issue] = time.monotonic() + QUIET
            return None

    def _end(self, crew: Crew, pulse: Pulse) -> None:
        ended = crew.end(self._patience)
        pulse.end()
        if ended:
            self._ended.append(crew.name)
            try:
                self._settle_own()
            except DatabaseError:
                log.warning("what is known of the last mails waits in the journal", exc_info=True)

    def _settle_own(self) -> None:
        """What crews of this process had when they ended."""
        while self._ended:
            senders.settle_here(folder_of(self._newsroom.run), self._ended[-1], ended=True)
            self._ended.pop()


class Pulse(threading.Thread):
    """Says that the worker lives; ends it where others took it for dead."""

    def __init__(self, crew: Crew, every: float, rate: Rate) -> None:
        super().__init__(name="newsletter-pulse", daemon=True)
        self._crew, self._every, self._rate = crew, every, rate
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(self._every):
            try:
                if not senders.beat(self._crew.name, self._rate.of(self._crew.sent)):
                    log.warning("this worker was taken for dead; it begins anew")
                    self._crew.over.set()
                    break
            except DatabaseError:
                connection.close()
        connection.close()

    def end(self) -> None:
        self._ended.set()
        self.join()


class Rate:
    """Mails a second, over the last few looks."""

    def __init__(self) -> None:
        self._seen: list[tuple[float, int]] = []

    def of(self, sent: int) -> float:
        now = time.monotonic()
        if self._seen and sent < self._seen[-1][1]:
            self._seen.clear()
        self._seen = [*self._seen[-5:], (now, sent)]
        since, before = self._seen[0]
        return (sent - before) / (now - since) if now > since else 0.0
