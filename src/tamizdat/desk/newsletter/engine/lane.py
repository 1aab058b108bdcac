# SPDX-License-Identifier: AGPL-3.0-or-later
"""One connection to a relay: claims a window of rows, sends them, keeps the answers.

What always holds:

- Before a mail's first byte its row is ``sending`` in the database, this worker is not lost by what
  the database says at that moment, and the journal has it as begun.
- The answers to a window are kept with the claim of the next; a thread that ends keeps them first.
- What is wrong with a relay rests the relay; its mails are queued again, except those that it may
  have taken.
- A database that is gone is waited for; nothing is sent meanwhile.

What is not done here: which issue and relay (``worker``), rows of others (``senders``).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from django.db import DatabaseError, connection

from tamizdat.config import RelaySettings
from tamizdat.desk.newsletter.engine.errors import LostError
from tamizdat.desk.newsletter.engine.journal import Journal
from tamizdat.desk.newsletter.engine.ledger import Answer, Row, Turn
from tamizdat.desk.newsletter.engine.press import Press
from tamizdat.desk.newsletter.engine.senders import Fence
from tamizdat.desk.outgoing import relays
from tamizdat.desk.outgoing.relays import Transport
from tamizdat.mail.errors import RelayError
from tamizdat.mail.smtp import Outcome, Outgoing

if TYPE_CHECKING:
    from tamizdat.desk.newsletter.engine.worker import Crew

log = logging.getLogger("tamizdat.newsletter")
IDLE = 0.25
AFTER_TROUBLE = 1.0
STALE = 20.0  # seconds after which a connection is asked anew
KEEP = 1.0  # seconds after which answers are kept, however few
LONG, SHORT, FEWEST = 2.0, 0.5, 5  # a window should take between so many seconds, of rows at least


class Lane(threading.Thread):
    """Sends until the crew is told to stop, the relay's turn is over or the worker is lost."""

    def __init__(self, crew: Crew, relay: RelaySettings, number: int, journal: Journal) -> None:
        super().__init__(name=f"relay-{relay.name}-{number}", daemon=True)
        self.relay, self.stop = relay, threading.Event()
        self._crew, self._journal = crew, journal
        self._fence = Fence(crew.name)
        self._transport: Transport | None = None
        self._used = 0.0
        self._issue = 0
        self._answers: list[Answer] = []
        self._begun = 0
        self._problem = ""
        self._went = 0  # mails over this connection
        self._window = crew.window
        self._kept = 0.0

    def run(self) -> None:
        try:
            while not self._over():
                self._round()
            self._keep_all()
        except LostError:
            self._crew.over.set()  # What is known of its mails stands in the journal.
        except Exception:
            log.exception("a connection to the relay %s ended", self.relay.name)
            self._crew.over.set()  # The same: the whole crew begins anew.
        finally:
            self._hang_up()
            connection.close()

    def _over(self) -> bool:
        return self.stop.is_set() or self._crew.over.is_set()

    def _round(self) -> None:
        """One window, or a short pause where there is none."""
        press = self._crew.press_for(self.relay)
        if press is None or not self._connected():
            self._keep_all()
            self.stop.wait(IDLE)
            return
        if press.issue != self._issue:
            self._keep_all()
            self._issue = press.issue
        turn = self._turn(self._window)
        began = time.monotonic()
        self._send(press, turn.rows)
        self._adapt(len(turn.rows), time.monotonic() - began)
        if not turn.rows:
            if not turn.wait:  # Where a limit holds it up, rows do wait: it is asked again soon.
                self._crew.nothing_for(self.relay, press.issue)
            self.stop.wait(turn.wait or IDLE)

    def _adapt(self, count: int, seconds: float) -> None:
        """Over a slow relay few are claimed at a time."""
        if seconds > LONG:
            self._window = max(FEWEST, self._window // 2)
        elif count == self._window and seconds < SHORT:
            self._window = min(self._crew.window, self._window * 2)

    # The ledger

    def _turn(self, want: int, has: Iterable[int] = ()) -> Turn:
        """Keep the answers, claim more; as long as it takes the database to come back."""
        while True:
            try:
                turn = self._crew.ledger.turn(self._issue, self.relay, self._answers, want, has)
            except DatabaseError:
                if self._over():
                    log.warning("answers could not be kept: the journal has them")
                    raise
                log.warning("the database cannot be used; its answers are kept until it can")
                connection.close()
                self.stop.wait(AFTER_TROUBLE)
                continue
            self._journal.empty()
            self._begun = 0
            self._crew.count(sum(answer.state == "sent" for answer in self._answers))
            self._answers = []
            self._kept = time.monotonic()
            return turn

    def _keep_all(self) -> None:
        if self._answers:
            self._turn(0)

    # The relay

    def _connected(self) -> bool:
        """Whether there is a connection; opens one where it may."""
        if self._transport is not None:
            fresh = time.monotonic() - self._used < STALE
            if self._transport.usable and (fresh or _alive(self._transport)):
                return True
            self._hang_up()
        try:
            self._transport = relays.open_transport(self._crew.newsroom, self.relay.name)
        except RelayError as error:
            self._trouble(str(error))
            return False
        self._used, self._went = time.monotonic(), 0
        return True

    def _hang_up(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def _trouble(self, problem: str) -> None:
        log.warning("relay %s: %s", self.relay.name, problem)
        self._crew.unusable(self.relay)
        try:
            relays.note_trouble(name=self.relay.name, problem=problem)
        except DatabaseError:
            connection.close()

    # Mails

    def _send(self, press: Press, rows: list[Row]) -> None:
        """Every row of the window gets an answer."""
        if not rows or self._transport is None:
            return
        waiting = {row.id: row for row in rows}
        outcomes = iter(self._transport.send(self._mails(press, rows)))
        sent = 0
        # Whenever it gives an outcome, none of those that wait was handed over: before it goes on,
        # it is noted which is the next.
        while not waiting or self._may_begin(next(iter(waiting))):
            outcome = next(outcomes, None)
            if outcome is None:
                break
            self._note(waiting.pop(int(outcome.key)), outcome)  # type: ignore[call-overload] # ours
            sent += outcome.state == "sent"
            if time.monotonic() - self._kept > KEEP:
                self._turn(0, waiting)
        if waiting:
            self._hang_up()
        self._used = time.monotonic()
        self._answers += [Answer(row, "queued") for row in waiting.values()]
        self._went += sent
        self._look_back()

    def _look_back(self) -> None:
        """What a window says about its relay. That a connection ends after mails went over it is
        no trouble: many relays take so many and no more."""
        if self._went:
            self._crew.works(self.relay)
        if self._problem or self._transport is None or not self._transport.usable:
            self._hang_up()
            if not self._went:
                self._trouble(self._problem or "the connection broke")
        self._problem = ""

    def _mails(self, press: Press, rows: list[Row]) -> Iterable[Outgoing]:
        for row in rows:
            if self._over():
                return  # The others certainly did not leave: they are queued again.
            yield Outgoing(
                key=row.id,
                sender=press.sender(row),
                recipient=row.address,
                data=partial(press.data, row),
            )

    def _may_begin(self, row: int) -> bool:
        """Whether this mail may leave now; from here on it counts as begun."""
        if row == self._begun:
            return True
        try:
            if not self._fence.open():
                return False
            self._journal.begin(row)
        except (DatabaseError, OSError):
            return False
        self._begun = row
        return True

    def _note(self, row: Row, outcome: Outcome) -> None:
        state, code = outcome.state, outcome.codes
        closing = state == "deferred" and outcome.code in (0, 421)
        if closing or (outcome.at in ("relay", "sender") and state in ("refused", "deferred")):
            # It is about the relay, not about this mail.
            self._problem = f"it answered {code or 'nothing'}: {outcome.said or 'no words'}"
            self._journal.end(row.id, "queued", "")
            self._answers.append(Answer(row, "queued"))
            return
        self._journal.end(row.id, state, code)
        self._answers.append(Answer(row, state, code, outcome.said))


def _alive(transport: Transport) -> bool:
    ask = getattr(transport, "alive", None)
    return bool(ask()) if ask else True
