# SPDX-License-Identifier: AGPL-3.0-or-later
"""What ``tamizdat doctor`` says of mail. Django must be set up."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from tamizdat.cli.checkup import Finding, fine, problem, warning
from tamizdat.config import ConfigError, Newsroom
from tamizdat.desk.newsletter.models import Newsletter
from tamizdat.desk.newsletter.sending_domain import setup_of
from tamizdat.desk.outgoing import maildir, suppression
from tamizdat.desk.outgoing.links import KEY, address
from tamizdat.desk.outgoing.models import Relay, State
from tamizdat.desk.outgoing.post import waiting
from tamizdat.mail.errors import SigningError

SEE = "See docs/operating/mail.md."


def mail(newsroom: Newsroom) -> Iterator[Finding]:
    """Relays, keys, where mail comes back to, what receivers refused for our sake. Says nothing
    where the newsroom sends no mail."""
    relays = newsroom.settings.relays
    if not relays:
        if Newsletter.objects.filter(active=True).exists():
            yield problem("mail", "there are newsletters and no relay to send them", SEE)
        return
    for row in Relay.objects.filter(name__in=[relay.name for relay in relays]):
        if row.problem:
            yield warning("mail", f"the relay {row.name} rests: {row.problem}", SEE)
    yield from _keys(newsroom)
    yield from _links(newsroom)
    yield from _single()
    yield from _returns(newsroom)
    yield from _refused()


def _keys(newsroom: Newsroom) -> Iterator[Finding]:
    try:
        setup = setup_of(newsroom)
    except SigningError as error:
        yield problem("mail", str(error), SEE)
        return
    if newsroom.settings.demo:
        yield fine("mail", "the demo's mails stay in its outbox")
    elif not setup.keys:
        yield warning("mail", "mails are not signed by us", "See: tamizdat newsletter doctor.")
    else:
        yield fine("mail", f"signed by {', '.join(key.name for key in setup.keys)}")


def _links(newsroom: Newsroom) -> Iterator[Finding]:
    """What every mail to a reader needs: a key, and a letterbox that its links lead to."""
    needed: tuple[Callable[[], str], ...] = (
        lambda: newsroom.secret(KEY),
        lambda: address(newsroom, "preferences", ""),
    )
    for look in needed:
        try:
            look()
        except ConfigError as error:
            yield problem("mail", str(error), "Until then readers' forms are kept and wait.")


def _single() -> Iterator[Finding]:
    """Confirmations and their like that did not go."""
    found = waiting()
    if doubt := found.get(State.UNKNOWN):
        yield warning(
            "mail",
            f"{doubt} single mails are in doubt: nobody knows whether they went",
            'They are sent again where [mail] says unknown = "resend"; else they go in a week.',
        )
    if late := found.get(State.QUEUED, 0) + found.get(State.DEFERRED, 0):
        yield fine("mail", f"{late} single mails wait")


def _returns(newsroom: Newsroom) -> Iterator[Finding]:
    settings = newsroom.settings.mail
    folder = maildir.folder_of(newsroom)
    if folder is not None and not os.access(folder / "new", os.R_OK | os.W_OK | os.X_OK):
        yield problem("mail", f"{folder} is no Maildir that the desk may empty", SEE)
    elif not settings.bounces and not newsroom.settings.demo:
        yield warning("mail", "nothing says where mail comes back to", SEE)
    if count := suppression.standing().unread:
        yield warning(
            "mail",
            f"{count} mails came back that nobody understood",
            "Read them with: tamizdat newsletter report --kept.",
        )


def _refused() -> Iterator[Finding]:
    for code, said, count in suppression.standing().policy[:3]:
        yield warning(
            "mail",
            f"{count} mails were refused for our sake lately: {code} {said}",
            "See: tamizdat newsletter doctor.",
        )
