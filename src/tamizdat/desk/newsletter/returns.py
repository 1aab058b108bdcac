# SPDX-License-Identifier: AGPL-3.0-or-later
"""Mails of issues that came back: whose they were, and what follows for the newsletter.

What always holds: runs in the transaction of the report (``outgoing.reports``); who complained
leaves the newsletter that they complained of; what went to an address that the reader has given up
since says nothing of the new one.

What is not done here: suppressing (``outgoing.suppression``).
"""

from __future__ import annotations

from django.utils import timezone

from tamizdat.desk.newsletter import moving, signup
from tamizdat.desk.newsletter.models import Delivery, Subscription
from tamizdat.desk.outgoing import reports
from tamizdat.desk.outgoing.links import Link, Purpose
from tamizdat.desk.readers.models import Consent, Reader
from tamizdat.mail.reports import Report
from tamizdat.mail.verdicts import Kind


def about(link: Link, report: Report) -> Reader | None:
    """Whose mail it was. ``link`` names the subscription, and by its stamp the issue."""
    subscription = (
        Subscription.objects.select_related("reader", "newsletter").filter(pk=link.subject).first()
    )
    if subscription is None:
        return None
    sent = Delivery.objects.filter(issue=link.stamp, subscription=subscription)
    sent.filter(bounced=None).update(bounced=timezone.localdate())
    if _moved_since(subscription, sent.first()):
        return None
    if report.kind == Kind.COMPLAINT:
        language = subscription.newsletter.language
        signup.leave(subscription=subscription, form="complaint", language=language)
    return subscription.reader


def _moved_since(subscription: Subscription, sent: Delivery | None) -> bool:
    """Whether this mail went to another address than the subscription has now. Of a mail of the day
    on which it moved that is believed too: the next one shows how the new address is."""
    said = Consent.objects.filter(
        reader=subscription.reader, purpose=signup.PURPOSE, subject=subscription.newsletter.slug
    )
    moves = said.filter(event=Consent.Event.ASKED, form=moving.FORM).order_by("-pk")
    asked = moves.values_list("pk", flat=True).first()
    if sent is None or sent.finished is None or asked is None:
        return False
    moved = said.filter(event=Consent.Event.CONFIRMED, pk__gt=asked).order_by("pk").first()
    return moved is not None and timezone.localdate(sent.finished) <= moved.day


def register() -> None:
    reports.register(Purpose.RETURN_ISSUE, about)
    reports.register(Purpose.UNSUBSCRIBE, about)
