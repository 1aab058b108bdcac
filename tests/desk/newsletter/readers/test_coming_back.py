# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who complains of an issue has left it; what came back is known by the issue and the reader."""

from __future__ import annotations

import datetime

from django.utils import timezone

from tamizdat.desk.newsletter.models import Delivery, Issue, Newsletter
from tamizdat.desk.outgoing import reports, suppression
from tamizdat.desk.outgoing.links import Links, Purpose
from tamizdat.mail.verdicts import Kind
from tamizdat.mail.verp import verp
from tests.desk.newsletter.readers.conftest import ADA, Desk
from tests.mail.returned import BOX, SAMPLES

BY_NAME = {sample.name: sample.data for sample in SAMPLES}


def issue_to_ada(desk: Desk) -> tuple[Delivery, str]:
    """A sent issue, and its envelope's sender."""
    subscription = desk.join(ADA)
    now = timezone.now()
    issue = Issue.objects.create(
        newsletter=Newsletter.objects.get(slug="weekly"), number=1, subject="Ferries",
        created=now, edited=now, started=now, state="sent",
    )  # fmt: skip
    sent = Delivery.objects.create(issue=issue, subscription=subscription, state="sent")
    token = Links(desk.newsroom).make(Purpose.RETURN_ISSUE, subscription.pk, issue.pk)
    return sent, verp(token, "news.example")


def test_who_complains_has_left_and_is_not_written_to(desk: Desk) -> None:
    _, box = issue_to_ada(desk)
    data = BY_NAME["a loop's complaint"].replace(BOX.encode(), box.encode())
    assert reports.take(desk.newsroom, data) == Kind.COMPLAINT
    assert desk.state() == "left"
    assert desk.said()[-1] == "withdrawn"
    reader = desk.reader()
    assert reader is not None
    held = suppression.in_force(reader)
    assert held is not None
    assert held.reason == "complaint"


def test_an_issue_that_came_back_is_marked_and_nobody_left(desk: Desk) -> None:
    sent, box = issue_to_ada(desk)
    data = BY_NAME["Postfix: nobody of this name"].replace(BOX.encode(), box.encode())
    assert reports.take(desk.newsroom, data) == Kind.HARD
    sent.refresh_from_db()
    assert sent.bounced == datetime.date.today()
    assert desk.state() == "active"


def test_signing_up_again_lifts_it(desk: Desk) -> None:
    _, box = issue_to_ada(desk)
    reports.take(desk.newsroom, BY_NAME["a loop's complaint"].replace(BOX.encode(), box.encode()))
    desk.join(ADA)
    reader = desk.reader()
    assert reader is not None
    assert suppression.in_force(reader) is None
    assert desk.state() == "active"


def test_what_comes_back_from_an_address_that_was_given_up_does_not_harm_the_new_one(
    desk: Desk,
) -> None:
    sent, box = issue_to_ada(desk)
    Delivery.objects.filter(pk=sent.pk).update(finished=timezone.now())
    new = "ada@new.example"
    desk.take("preferences", token=desk.preferences(), address=new)
    desk.take("confirm", token=desk.token(new))
    for name in ("Postfix: nobody of this name", "a loop's complaint"):
        data = BY_NAME[name].replace(BOX.encode(), box.encode())
        assert reports.take(desk.newsroom, data) == Kind.UNKNOWN
    reader = desk.reader(new)
    assert reader is not None
    assert suppression.in_force(reader) is None
    assert desk.state(new) == "active"


def test_what_went_to_the_new_address_and_comes_back_counts(desk: Desk) -> None:
    sent, box = issue_to_ada(desk)
    new = "ada@new.example"
    desk.take("preferences", token=desk.preferences(), address=new)
    desk.take("confirm", token=desk.token(new))
    later = timezone.now() + datetime.timedelta(days=7)
    Delivery.objects.filter(pk=sent.pk).update(finished=later)
    data = BY_NAME["Postfix: nobody of this name"].replace(BOX.encode(), box.encode())
    assert reports.take(desk.newsroom, data) == Kind.HARD
    reader = desk.reader(new)
    assert reader is not None
    assert suppression.in_force(reader) is not None
