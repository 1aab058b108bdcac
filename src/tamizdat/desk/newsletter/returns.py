# SPDX-License-Identifier: AGPL-3.0-or-later
"""Mails of issues that came back: whose they were, and what follows for the newsletter.

What always holds: runs in the transaction of the report (``outgoing.reports``); who complained
leaves the newsletter that they complained of.

What is not done here: suppressing (``outgoing.suppression``).
"""

from __future__ import annotations

from django.utils import timezone

from tamizdat.desk.newsletter import signup
from tamizdat.desk.newsletter.models import Delivery, Subscription
from tamizdat.desk.outgoing import reports
from tamizdat.desk.outgoing.links import Link, Purpose
from tamizdat.desk.readers.models import Reader
from tamizdat.mail.reports import Report
from tamizdat.mail.verdicts import Kind


def about(link: Link, report: Report) -> Reader | None:
    """Whose mail it was. ``link`` names the subscription, and by its stamp the issue."""
    subscription = (
        Subscription.objects.select_related("reader", "newsletter").filter(pk=link.subject).first()
    )
    if subscription is None:
        return None
    Delivery.objects.filter(issue=link.stamp, subscription=subscription, bounced=None).update(
        bounced=timezone.localdate()
    )
    if report.kind == Kind.COMPLAINT:
        language = subscription.newsletter.language
        signup.leave(subscription=subscription, form="complaint", language=language)
    return subscription.reader


def register() -> None:
    reports.register(Purpose.RETURN_ISSUE, about)
    reports.register(Purpose.UNSUBSCRIBE, about)
