# SPDX-License-Identifier: AGPL-3.0-or-later
"""Brings single mails to a relay, one after the other, each once.

What always holds:

- Before the first byte leaves the row is ``sending``, in a transaction of its own; the relay's
  answer is kept before the next mail begins. Of several workers one gets a mail.
- What a worker that died left as ``sending`` is in doubt: ``[mail] unknown`` says whether it is
  held, and shown, or sent again, once, with the same Message-ID. A process of this machine is
  known to be dead at once, another's after ``LEASE``.
- What a mail says is overwritten in the row that went, was refused or given up.
- A relay that cannot be used costs a mail nothing: it waits, or goes through another.
- No address is logged or kept.

What is not done here: deciding what is sent (``lanes``), rules for what is refused
(``suppression``).
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import socket
import time
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, F

from tamizdat.config import ConfigError, Newsroom, RelaySettings
from tamizdat.desk.outgoing import clock, limits, relays, suppression
from tamizdat.desk.outgoing.models import Mail, State
from tamizdat.desk.outgoing.relays import Transport
from tamizdat.desk.outgoing.writing import written
from tamizdat.desk.publishing.queue import process_lives
from tamizdat.desk.readers.errors import ErasedError, ReadersError, SealedError
from tamizdat.mail.errors import LayoutError, MessageError, RelayError
from tamizdat.mail.smtp import Outcome

log = logging.getLogger("tamizdat.outgoing")
LEASE = timedelta(hours=1)  # longer than any relay may take for an answer
GIVEN_UP = timedelta(days=3)
MENDING = timedelta(minutes=1)
PAUSES = [timedelta(minutes=n) for n in (1, 5, 15, 30, 60)]
RESENT = "resent"  # the code of a mail that was in doubt and is sent again
IDLE = 20.0  # seconds for which a connection is kept
WAITS = (State.QUEUED, State.DEFERRED)
_NAME = re.compile(r"(.*)-(\d+)-[0-9a-f]{8}\Z")


class Post:
    """One in each worker, for one thread."""

    def __init__(self, newsroom: Newsroom) -> None:
        self.newsroom = newsroom
        self.name = f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(4)}"
        self._open: dict[str, tuple[Transport, float]] = {}

    def run(self, most: int = 100) -> int:
        """Send what is due, ``most`` at a time; how many were tried."""
        tried = 0
        while tried < most and (mail := self._next()) is not None:
            relay = self._relay()
            if relay is None or not self._send(mail, relay):
                break
            tried += 1
        self._hang_up(idle=IDLE)
        return tried

    def close(self) -> None:
        self._hang_up(idle=0.0)

    # Rows

    def _next(self) -> Mail | None:
        due = Mail.objects.filter(state__in=WAITS, not_before__lte=clock.now())
        return due.order_by("not_before", "pk").first()

    def _claim(self, mail: Mail, relay: RelaySettings, now: datetime) -> bool:
        """Whether it is ours, as the database knows from now on."""
        waits = Mail.objects.filter(pk=mail.pk, state__in=WAITS, not_before=mail.not_before)
        return bool(
            waits.update(
                state=State.SENDING,
                worker=self.name,
                relay=relay.name,
                attempts=F("attempts") + 1,
                not_before=now + LEASE,
            )
        )

    def _mine(self, mail: Mail, **changes: object) -> bool:
        mine = Mail.objects.filter(pk=mail.pk, state=State.SENDING, worker=self.name)
        return mine.update(**changes) > 0

    def settle_left(self) -> None:
        """What dead workers left: nobody knows whether it went. To be called now and then."""
        now = clock.now()
        for mail in Mail.objects.filter(state=State.SENDING).exclude(worker=self.name):
            if mail.not_before <= now or not _lives(mail.worker):
                left = Mail.objects.filter(pk=mail.pk, state=State.SENDING, worker=mail.worker)
                left.update(**self._in_doubt(mail, now))
                log.warning("a single mail is in doubt: its worker ended while it was sent")
        if self.newsroom.settings.mail.unknown == "resend":
            for mail in Mail.objects.filter(state=State.UNKNOWN).exclude(sealed=b""):
                held = Mail.objects.filter(pk=mail.pk, state=State.UNKNOWN)
                held.update(**self._in_doubt(mail, now))

    def _in_doubt(self, mail: Mail, now: datetime) -> dict[str, object]:
        """Sent again at most once by itself: a relay that takes mails and never says so would
        flood a mailbox."""
        again = self.newsroom.settings.mail.unknown == "resend" and mail.code != RESENT
        state, then = (State.QUEUED, now + PAUSES[0]) if again else (State.UNKNOWN, now)
        code = RESENT if again else mail.code
        return {"state": state, "not_before": then, "worker": "", "code": code}

    # Relays

    def _relay(self) -> RelaySettings | None:
        """One that may be used and takes one more now; None where there is none."""
        for relay in relays.usable(self.newsroom):
            with transaction.atomic():
                if limits.take(limits.of_relay(relay), 1):
                    return relay
        return None

    def _transport(self, relay: RelaySettings) -> Transport:
        held = self._open.pop(relay.name, None)
        if held is not None:
            if held[0].usable and time.monotonic() - held[1] < IDLE:
                return held[0]
            held[0].close()
        return relays.open_transport(self.newsroom, relay.name)

    def _hang_up(self, idle: float) -> None:
        for name, (transport, used) in list(self._open.items()):
            if not idle or time.monotonic() - used > idle or not transport.usable:
                transport.close()
                del self._open[name]

    # One mail

    def _send(self, mail: Mail, relay: RelaySettings) -> bool:
        """Whether the next one's turn has come; False where something is to be mended first."""
        now = clock.now()
        try:
            outgoing = written(self.newsroom, mail, now)
        except (LayoutError, MessageError, ErasedError, SealedError) as error:
            if self._claim(mail, relay, now):
                self._end(mail, State.REFUSED, said=_words(error))
            return True
        except (ConfigError, ReadersError) as error:
            log.error("single mails wait: %s", error)
            Mail.objects.filter(state__in=WAITS).update(not_before=now + MENDING)
            return False
        try:
            transport = self._transport(relay)
        except RelayError as error:
            self._trouble(relay, str(error))
            return True
        if self._claim(mail, relay, now):
            [outcome] = list(transport.send([outgoing]))
            self._open[relay.name] = (transport, time.monotonic())
            self._keep(mail, relay, outcome)
        return True

    def _keep(self, mail: Mail, relay: RelaySettings, outcome: Outcome) -> None:
        """What became of it, as the relay said."""
        if outcome.state == "sent":
            self._end(mail, State.SENT, code=outcome.codes)
            relays.note_recovery(name=relay.name)
        elif outcome.state == "unknown":
            log.warning("relay %s: a single mail is in doubt", relay.name)
            self._mine(mail, **self._in_doubt(mail, clock.now()))
        elif outcome.at == "relay" or (outcome.at, outcome.state) == ("sender", "refused"):
            self._trouble(relay, outcome.said or outcome.codes or "it broke the connection")
            self._mine(mail, state=State.QUEUED, not_before=clock.now(), worker="")
        elif outcome.state == "refused":
            self._refused(mail, outcome)
        else:
            self._put_off(mail, outcome)

    @transaction.atomic
    def _refused(self, mail: Mail, outcome: Outcome) -> None:
        if self._end(mail, State.REFUSED, code=outcome.codes, said=outcome.said) and mail.reader:
            suppression.note_refusal(mail.reader, outcome.codes, outcome.said)

    def _put_off(self, mail: Mail, outcome: Outcome) -> None:
        now = clock.now()
        if now - mail.created > GIVEN_UP:
            self._end(mail, State.REFUSED, code=outcome.codes, said=outcome.said)
            return
        pause = PAUSES[min(mail.attempts, len(PAUSES) - 1)]
        self._mine(
            mail,
            state=State.DEFERRED,
            not_before=now + pause,
            worker="",
            code=outcome.codes,
            said=outcome.said,
        )

    def _end(self, mail: Mail, state: State, *, code: str = "", said: str = "") -> bool:
        return self._mine(
            mail, state=state, code=code, said=said[:500], finished=clock.now(), sealed=b""
        )

    def _trouble(self, relay: RelaySettings, problem: str) -> None:
        log.warning("relay %s: %s", relay.name, problem)
        relays.note_trouble(name=relay.name, problem=problem)


def _words(error: Exception) -> str:
    return f"{error}"[:500]


def _lives(worker: str) -> bool:
    """Whether a worker may still live: another machine's may, for its lease."""
    found = _NAME.match(worker)
    if found is None or found[1] != socket.gethostname()[:40]:
        return True
    return process_lives(int(found[2]))


def waiting() -> dict[str, int]:
    """How many single mails there are that did not go, by state."""
    rows = Mail.objects.exclude(state=State.SENT).values("state").annotate(n=Count("pk"))
    return {row["state"]: row["n"] for row in rows.order_by("state")}
