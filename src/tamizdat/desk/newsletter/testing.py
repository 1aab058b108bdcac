# SPDX-License-Identifier: AGPL-3.0-or-later
"""A test of an issue by mail, to staff or whoever is named.

What always holds: it is marked as a test in its subject; it goes the way of single mails, not
through the ledger of issues; its links to unsubscribe and to preferences are of the right shape and
belong to nobody, so that following them changes nothing; addresses lie sealed until it went.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from wagtail.log_actions import log

from tamizdat.desk.newsletter import checks
from tamizdat.desk.newsletter.checks import Form
from tamizdat.desk.newsletter.errors import IssueError
from tamizdat.desk.newsletter.models import Issue
from tamizdat.desk.outgoing import lanes
from tamizdat.desk.outgoing.errors import OutgoingError
from tamizdat.mail.content import PREFERENCES, TOKEN_LENGTH, UNSUBSCRIBE, Text

if TYPE_CHECKING:
    from tamizdat.desk.staff.models import User

PURPOSE = "issue-test"
MARK = "[Test] "
# Of a token's length and letters; proven by no key of ours.
NOBODYS = "this-is-a-test-nobody-unsubscribes-by-it".ljust(TOKEN_LENGTH, "0")[:TOKEN_LENGTH]


@transaction.atomic
def send_test(*, issue: Issue, to: Iterable[str], text: Text, acting_user: User | None) -> int:
    """Queue one mail an address; how many. Raises ``IssueError``, ``MailError``, ``OSError``."""
    if not settings.NEWSROOM.settings.relays:
        raise IssueError("No relay is set up, so nothing can be sent. Ask the operator.")
    form, sent = checks.lay_out(issue, text), 0
    for address in to:
        _send(issue, form, address)
        sent += 1
    log(issue, "tamizdat.issue_test", user=acting_user, data={"number": sent, "form": text})
    return sent


def _send(issue: Issue, form: Form, address: str) -> None:
    newsletter, laid = issue.newsletter, form.laid
    try:
        lanes.send(
            purpose=PURPOSE,
            to=address,
            laid=type(laid)(subject=MARK + laid.subject, html=laid.html, plain=laid.plain),
            files=[
                lanes.Enclosed(file.name, file.media_type, form.files[file.sha256], file.cid)
                for file in form.content.files
                if file.sha256 in form.files
            ],
            sender=newsletter.sender_address,
            sender_name=newsletter.sender_name,
            reply_to=newsletter.reply_to,
            tokens={UNSUBSCRIBE: NOBODYS, PREFERENCES: NOBODYS},
        )
    except OutgoingError as error:
        raise IssueError(f"The test could not be sent: {error}.") from error
