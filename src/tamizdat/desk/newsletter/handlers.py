# SPDX-License-Identifier: AGPL-3.0-or-later
"""What subscribers send by the letterbox, handed to who does it.

What always holds: nothing is told to who sent it; the letterbox answered long ago. What a link
says, and how old it may be: ``outgoing.following``.
"""

from __future__ import annotations

from datetime import date, datetime

from tamizdat.desk.letters.handlers import handler
from tamizdat.desk.newsletter import moving, preferences, signup
from tamizdat.desk.newsletter.models import Subscription
from tamizdat.desk.outgoing.following import confirms, followed
from tamizdat.desk.outgoing.links import Purpose
from tamizdat.drop.envelope import Submission


def take_subscribe(submission: Submission, /, *, arrived_hour: datetime) -> None:
    fields = submission.fields
    signup.sign_up(
        address=fields["address"],
        slugs=fields["newsletters"],
        privacy=fields["privacy"],
        form=fields["form"],
        language=submission.language,
    )


def take_unsubscribe(submission: Submission, /, *, arrived_hour: datetime) -> None:
    link = followed(submission, arrived_hour, Purpose.UNSUBSCRIBE)
    found = link and Subscription.objects.filter(pk=link.subject).first()
    if found:
        form = "one-click" if submission.fields.get("one_click") else "unsubscribe"
        signup.leave(subscription=found, form=form, language=submission.language)


def take_preferences(submission: Submission, /, *, arrived_hour: datetime) -> None:
    link = followed(submission, arrived_hour, Purpose.PREFERENCES)
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


def register() -> None:
    handler("subscribe")(take_subscribe)
    confirms(Purpose.CONFIRM)(signup.confirm)
    confirms(Purpose.MOVE)(moving.confirm_move)
    handler("unsubscribe")(take_unsubscribe)
    handler("preferences")(take_preferences)
