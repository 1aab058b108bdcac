# SPDX-License-Identifier: AGPL-3.0-or-later
"""What subscribers send by the letterbox, handed to who does it.

What always holds: a link that is not whole, not ours or too old changes nothing and comes back
never; how old it is, is told by the hour in which it reached the letterbox. Nothing is told to who
sent it: the letterbox answered long ago.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date, datetime

from django.conf import settings
from django.utils import timezone

from tamizdat.desk.letters.handlers import handler
from tamizdat.desk.newsletter import moving, preferences, signup
from tamizdat.desk.newsletter.models import Subscription
from tamizdat.desk.outgoing.errors import LinkError
from tamizdat.desk.outgoing.links import Link, Links, Purpose
from tamizdat.drop.envelope import Submission

log = logging.getLogger("tamizdat.newsletter")


def take_subscribe(submission: Submission, /, *, arrived_hour: datetime) -> None:
    fields = submission.fields
    signup.sign_up(
        address=fields["address"],
        slugs=fields["newsletters"],
        privacy=fields["privacy"],
        form=fields["form"],
        language=submission.language,
    )


def take_confirm(submission: Submission, /, *, arrived_hour: datetime) -> None:
    """A sign-up, or an address that moves: the link says which."""
    link = _link(submission, arrived_hour, Purpose.CONFIRM, Purpose.MOVE)
    if link is None:
        return
    do: Callable[..., int] = (
        signup.confirm if link.purpose == Purpose.CONFIRM else moving.confirm_move
    )
    done = do(link=link, token=submission.fields["token"], language=submission.language)
    if not done:
        log.info("a confirmation came again, or what it confirms is gone")


def take_unsubscribe(submission: Submission, /, *, arrived_hour: datetime) -> None:
    link = _link(submission, arrived_hour, Purpose.UNSUBSCRIBE)
    found = link and Subscription.objects.filter(pk=link.subject).first()
    if found:
        form = "one-click" if submission.fields.get("one_click") else "unsubscribe"
        signup.leave(subscription=found, form=form, language=submission.language)


def take_preferences(submission: Submission, /, *, arrived_hour: datetime) -> None:
    link = _link(submission, arrived_hour, Purpose.PREFERENCES)
    if link is not None:
        fields = submission.fields
        until = fields.get("pause_until")
        wish = preferences.Wish(
            newsletters=fields.get("newsletters"),
            mail_language=fields.get("mail_language"),
            text=fields.get("text"),
            pause_until=date.fromisoformat(until) if until else None,
            address=fields.get("address"),
            ask=fields.get("ask"),
        )
        preferences.change(
            link=link, token=fields["token"], wish=wish, language=submission.language
        )


def _link(submission: Submission, arrived: datetime, *purposes: Purpose) -> Link | None:
    """What a link says; None where it cannot be followed."""
    try:
        link = Links(settings.NEWSROOM).read(
            submission.fields["token"], today=timezone.localdate(arrived)
        )
    except LinkError as error:
        log.info("a %s was not done: %s", submission.kind, error)
        return None
    if link.purpose not in purposes:
        log.info("a %s was not done: its link is for something else", submission.kind)
        return None
    return link


def register() -> None:
    handler("subscribe")(take_subscribe)
    handler("confirm")(take_confirm)
    handler("unsubscribe")(take_unsubscribe)
    handler("preferences")(take_preferences)
