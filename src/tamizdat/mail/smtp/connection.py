# SPDX-License-Identifier: AGPL-3.0-or-later
"""A session with a relay over which batches of mails go.

What always holds:

- Every mail of a batch gets one outcome, whatever the relay does. At most one mail is under way
  whose final dot was written and not answered; if the connection breaks then, it is ``unknown``
  and it alone. Every other mail without an answer is ``deferred``: certainly not sent.
- Whenever an outcome is given, no mail that has none yet was handed over.
- A relay that knows PIPELINING gets MAIL, RCPT and DATA in one write, behind the final dot of the
  mail before (RFC 2920, 3.1); the 354 is awaited before content is written. Any other gets each
  command after the answer to the one before.

What is not done here: trying again, limits, several connections.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterable, Iterator

from tamizdat.mail.errors import BrokenError
from tamizdat.mail.replies import Reply, said, without
from tamizdat.mail.smtp.envelope import Ready, ready
from tamizdat.mail.smtp.outgoing import At, Outcome, Outgoing, Server, State, Timeouts
from tamizdat.mail.smtp.session import Features, begin, take_leave
from tamizdat.mail.smtp.wire import LAST_WORDS, Wire

_CLOSING = 421


class Connection:
    """One session. Not for several threads. Close it, or use it with ``with``."""

    def __init__(self, wire: Wire, features: Features, timeouts: Timeouts) -> None:
        self._wire, self._features, self._timeouts = wire, features, timeouts
        self._stale = False  # A transaction is open at the relay that came to nothing.

    @classmethod
    def open(
        cls,
        server: Server,
        *,
        timeouts: Timeouts | None = None,
        context: ssl.SSLContext | None = None,
    ) -> Connection:
        """Connect, greet, start TLS and log in. ``context`` is for certificates of one's own; the
        system's authorities are trusted otherwise. Raises ``RelayError``."""
        timeouts = timeouts or Timeouts()
        return cls(*begin(server, timeouts, context), timeouts)

    @property
    def features(self) -> Features:
        """What the relay knows how to do."""
        return self._features

    @property
    def usable(self) -> bool:
        """Whether another batch may go over it. False after any break, 421 included."""
        return not self._wire.broken

    def send(self, batch: Iterable[Outgoing]) -> Iterator[Outcome]:
        """Send the mails in turn; give one outcome for each, as soon as it is known.

        Never raises for what a relay does: when the connection breaks, every mail of the batch
        still gets its outcome, and ``usable`` is false from then on. Leaving the loop early breaks
        the connection and leaves the mails that have no outcome yet certainly not sent.

        The batch is asked for its next mail, and ``data`` is called, while the answer to the mail
        before is on its way: neither may wait for long. What they raise (but for ``MailError``
        from ``data``, which refuses that mail) ends the batch: what was taken from it before is
        sent, then it is raised."""
        queue = _Queue(iter(batch), self._features)
        finished = False
        try:
            yield from self._run(queue)
            finished = True
        finally:
            if not finished:
                self._wire.close()
        if queue.failure:
            raise queue.failure

    def _run(self, queue: _Queue) -> Iterator[Outcome]:
        if not self.usable:
            yield from queue.rest("The connection was closed before.")
            return
        mail, ahead = queue.take(), queue.take()
        following: Ready | None = None
        verdict, waits, handed = None, False, False
        yield from queue.early()
        try:
            self._announce(mail)
            while mail:
                verdict, waits = self._judge(mail)
                handed = self._go_on(mail, ahead, waits=waits, refused=verdict is not None)
                following = queue.take()  # The relay works meanwhile.
                if waits:
                    answer = self._read(self._timeouts.final)
                    verdict = verdict or self._outcome(mail, answer, "content")
                outcome, mail, ahead, following = verdict, ahead, following, None
                verdict, waits, handed = None, False, False
                if outcome:
                    yield outcome
                yield from queue.early()
        except BrokenError as error:
            self._wire.close()
            yield from queue.early()
            others = [other for other in (ahead, following) if other]
            hidden = [name for each in (mail, *others) if each for name in each.hidden]
            words = without(str(error), *hidden)  # It may name another reader than the row's.
            if mail:
                yield verdict or _left(mail, error, words, waits=waits, handed=handed)
            for other in others:
                yield Outcome(other.key, "deferred", said=words)
            yield from queue.rest(words)

    def _announce(self, mail: Ready | None) -> None:
        if mail and self._features.pipelining:
            self._wire.write(self._envelope(mail), self._timeouts.block)

    def _envelope(self, mail: Ready) -> bytes:
        """What goes in one write; after a refusal what is left of it is done away with first."""
        reset = b"RSET\r\n" if self._stale else b""
        return b"%s%s%sDATA\r\n" % (reset, mail.mail, mail.rcpt)

    def _judge(self, mail: Ready) -> tuple[Outcome | None, bool]:
        """The answers to an envelope: what is decided by them, and whether content is awaited."""
        if self._stale:
            if self._reply(b"RSET\r\n", self._timeouts.mail).code != 250:
                raise _out_of_step()
            self._stale = False
        reply = self._reply(mail.mail, self._timeouts.mail)
        verdict = None if _is_yes(reply) else self._outcome(mail, reply, "sender")
        if self._features.pipelining or not verdict:
            reply = self._reply(mail.rcpt, self._timeouts.rcpt)
            if not (verdict or _is_yes(reply)):
                verdict = self._outcome(mail, reply, "recipient")
        if self._features.pipelining or not verdict:
            reply = self._reply(b"DATA\r\n", self._timeouts.data)
            if reply.code == 354:
                return verdict, True
            if reply.code < 400:
                raise _out_of_step()
            verdict = verdict or self._outcome(mail, reply, "content")
        self._stale = True
        return verdict, False

    def _go_on(self, mail: Ready, ahead: Ready | None, *, waits: bool, refused: bool) -> bool:
        """Write the content, if it is awaited, and the next envelope behind it. True: the final
        dot may have left. A relay that awaits the content of a mail that it refused gets none."""
        if not waits:
            self._announce(ahead)
            return False
        if not self._wire.is_drained:
            raise _out_of_step()
        content = b".\r\n" if refused else mail.content
        riding = self._envelope(ahead) if ahead and self._features.pipelining else b""
        try:
            self._wire.write(content + riding, self._timeouts.block)
        except BrokenError:
            if self._wire.written <= len(content) - len(b".\r\n"):
                self._read(LAST_WORDS)  # Perhaps it said why.
                raise
        return True

    def _reply(self, command: bytes, patience: float) -> Reply:
        """The answer to a command; in a pipeline it was written before."""
        if not self._features.pipelining:
            self._wire.write(command, self._timeouts.block)
        return self._read(patience)

    def _read(self, patience: float) -> Reply:
        reply = self._wire.read(patience)
        if reply.code == _CLOSING:
            raise BrokenError(
                f"The relay ends the session: {said(reply)}", code=421, enhanced=reply.enhanced
            )
        return reply

    def _outcome(self, mail: Ready, reply: Reply, at: At) -> Outcome:
        state: State | None = _STATES.get(reply.code // 100)
        if not state or (state == "sent" and at != "content"):
            raise _out_of_step()
        words = said(reply, *mail.hidden)
        return Outcome(mail.key, state, reply.code, reply.enhanced, words, at)

    def alive(self) -> bool:
        """Ask (NOOP) whether the relay still listens; to be called after a pause."""
        if self.usable and self._wire.is_quiet():
            with contextlib.suppress(BrokenError):
                self._wire.write(b"NOOP\r\n", self._timeouts.quit)
                if _is_yes(self._wire.read(self._timeouts.quit)):
                    return True
        self._wire.close()
        return False

    def close(self) -> None:
        """Take leave (QUIT) where that is still possible, and close."""
        take_leave(self._wire, self._timeouts)

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Queue:
    """The batch: mails made ready one by one, those that never get so kept aside."""

    def __init__(self, mails: Iterator[Outgoing], features: Features) -> None:
        self._mails, self._features = mails, features
        self._early = list[Outcome]()
        self.failure: Exception | None = None

    def take(self) -> Ready | None:
        """The next mail that can go."""
        while not self.failure:
            try:
                mail = next(self._mails, None)
                made = ready(mail, self._features) if mail else None
            except Exception as error:  # Raised when what was taken before has gone.
                self.failure = error
                break
            if not isinstance(made, Outcome):
                return made
            self._early.append(made)
        return None

    def early(self) -> Iterator[Outcome]:
        """Of mails that cannot go over this relay, or none."""
        found, self._early = self._early, []
        return iter(found)

    def rest(self, why: str) -> Iterator[Outcome]:
        """Of all that were not taken, when nothing goes any more."""
        if not self.failure:
            for mail in self._mails:
                yield Outcome(mail.key, "deferred", said=why)


_STATES: dict[int, State] = {2: "sent", 4: "deferred", 5: "refused"}


def _is_yes(reply: Reply) -> bool:
    return 200 <= reply.code < 300


def _out_of_step() -> BrokenError:
    return BrokenError("The relay answers what it was not asked.")


def _left(mail: Ready, error: BrokenError, words: str, *, waits: bool, handed: bool) -> Outcome:
    """What is known of the mail whose turn it was when the connection broke."""
    state: State = "unknown" if handed and not error.code else "deferred"
    return Outcome(
        mail.key, state, error.code, error.enhanced, words, "content" if waits else "relay"
    )
