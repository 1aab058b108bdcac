# SPDX-License-Identifier: AGPL-3.0-or-later
"""What readers send of reminders by the letterbox, what we hold of them, and when that goes.

What always holds: nothing is told to who sent it; the letterbox answered long ago. What was sent,
or was not needed, is erased the day after; what was never confirmed, with the days in which it
could have been.

What is not done here: reminding (``reminders``), links (``outgoing.following``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tamizdat.desk.contributions import reminders
from tamizdat.desk.contributions.models import Reminder
from tamizdat.desk.letters.handlers import handler
from tamizdat.desk.outgoing.following import confirms, followed
from tamizdat.desk.outgoing.links import Purpose
from tamizdat.desk.readers import holdings, retention
from tamizdat.desk.readers.holdings import Outcome, Person, Row
from tamizdat.desk.readers.retention import UNCONFIRMED, Rule
from tamizdat.drop.envelope import Submission


def take_remind(submission: Submission, /, *, arrived_hour: datetime) -> None:
    """The months are counted from the day on which it reached the letterbox."""
    fields = submission.fields
    reminders.remind(
        address=fields["address"],
        months=fields["months"],
        privacy=fields["privacy"],
        language=submission.language,
        message=fields.get("message", ""),
        variant=fields.get("variant", ""),
        asked_at=arrived_hour,
    )


def take_stop(submission: Submission, /, *, arrived_hour: datetime) -> None:
    link = followed(submission, arrived_hour, Purpose.STOP_REMINDING)
    if link is not None:
        reminders.stop(link=link)


class Reminders:
    """Whom we are to remind, and when."""

    name, title = "reminders", "Reminders"

    def export(self, person: Person) -> Sequence[Row]:
        mine = Reminder.objects.filter(reader=person.reader).order_by("asked", "pk")
        return [
            {
                "state": one.get_state_display(),
                "asked": one.asked,
                "to be reminded on": one.due,
                "mails sent": one.sent,
                "message": one.message,
                "variant": one.variant,
                "language": one.language,
            }
            for one in mine
        ]

    def erase(self, person: Person) -> Outcome:
        return Outcome(erased=Reminder.objects.filter(reader=person.reader).delete()[0])


def register() -> None:
    handler("remind")(take_remind)
    handler("stop-reminding")(take_stop)
    confirms(Purpose.CONFIRM_REMINDER)(reminders.confirm)
    holdings.register(Reminders())
    retention.register(
        Rule(
            "reminders",
            "Reminders that were sent or not needed, the day after; those that nobody confirmed "
            f"within {UNCONFIRMED} days",
            due=lambda today: reminders.over(today).count(),
            erase=reminders.erase_over,
            bound=None,
        )
    )
