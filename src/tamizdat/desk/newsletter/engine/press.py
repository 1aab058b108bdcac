# SPDX-License-Identifier: AGPL-3.0-or-later
"""Makes the mails of an issue: laid out once a form and cohort, then personal by substitution.

What always holds:

- A mail is made from what was frozen when the issue was started, never from the issue as it is now.
- Its Message-ID is a keyed hash of issue and subscription: the same at each try, and nobody can
  compute it from an address.
- Its envelope sender names the subscription to us alone, where ``[mail] bounces`` is set.
- Making one costs no question to the database.

What is not done here: deciding who gets one (``ledger``).
"""

from __future__ import annotations

import base64
import hmac
import threading
import time
from datetime import UTC, datetime
from functools import partial

import msgspec

from tamizdat.config import Newsroom
from tamizdat.desk.newsletter.engine.errors import StateError
from tamizdat.desk.newsletter.engine.ledger import Row
from tamizdat.desk.newsletter.models import Issue
from tamizdat.desk.outgoing.links import Links, Purpose, day_stamp
from tamizdat.desk.outgoing.signing import signer_of
from tamizdat.mail import layout
from tamizdat.mail.content import PREFERENCES, UNSUBSCRIBE, Content, Told, decode
from tamizdat.mail.message import Template
from tamizdat.mail.verp import verp

FORMS = ("summary", "full")
_ID = b"tamizdat newsletter 1: message id"


class MessageIds:
    """What stands before the @ of an issue's Message-IDs, by subscription. Raises ``ConfigError``
    where the desk's key is missing."""

    def __init__(self, newsroom: Newsroom, issue: int) -> None:
        self._key = hmac.digest(newsroom.secret("desk-key").encode(), _ID, "sha256")
        self._issue = issue.to_bytes(8, "big")

    def of(self, subscription: int) -> str:
        said = self._issue + subscription.to_bytes(8, "big")
        return hmac.digest(self._key, said, "sha256")[:15].hex()


class Press:
    """The mails of one issue. Threads may share one.

    Raises ``MailError`` and ``ConfigError`` where they cannot be made at all.
    """

    def __init__(self, newsroom: Newsroom, issue: int) -> None:
        found = Issue.objects.select_related("newsletter").get(pk=issue)
        if not found.frozen:
            raise StateError("the issue was not started")
        self.issue = issue
        self._sender = found.newsletter.sender_address
        self._bounces = newsroom.settings.mail.bounces
        self._signer = signer_of(newsroom)
        self._ids, self._links = MessageIds(newsroom, issue), Links(newsroom)
        self._stamp = day_stamp((found.started or found.created).date())
        files = {name: base64.b64decode(data) for name, data in found.frozen["files"].items()}
        self._contents = {
            form: decode(found.frozen[form].encode()) for form in FORMS if form in found.frozen
        }
        self._told = {
            name: msgspec.convert(told, Told)
            for name, told in found.frozen.get("cohorts", {}).items()
        }
        found.frozen = {}  # All of it was taken out.
        self._make = partial(_template, newsroom, found, files)
        self._lock = threading.Lock()
        self._templates = {(form, ""): self._make(one) for form, one in self._contents.items()}

    def sender(self, row: Row) -> str:
        """Whom the envelope says it is from: where it comes back to."""
        if not self._bounces:
            return self._sender
        token = self._links.make(Purpose.RETURN_ISSUE, row.subscription, self.issue)
        return verp(token, self._bounces)

    def message_id(self, row: Row) -> str:
        return self._ids.of(row.subscription)

    def data(self, row: Row) -> bytes:
        """The whole mail. Raises ``MessageError`` for an address that no mail can go to."""
        template, make = self._template(row), self._links.make
        return template.personal(
            to=row.address,
            message_id=self._ids.of(row.subscription),
            date=_now(),
            tokens={
                UNSUBSCRIBE: make(Purpose.UNSUBSCRIBE, row.subscription, self.issue),
                PREFERENCES: make(Purpose.PREFERENCES, row.reader, self._stamp),
            },
            signer=self._signer,
        )

    def _template(self, row: Row) -> Template:
        """That of the row's form and cohort, made when the first mail of it is."""
        form = row.text if row.text in self._contents else "summary"
        cohort = row.cohort if row.cohort in self._told else ""
        found = self._templates.get((form, cohort))
        if found is not None:
            return found
        with self._lock:
            if (form, cohort) not in self._templates:
                content = self._told[cohort].applied(self._contents[form])
                self._templates[form, cohort] = self._make(content)
            return self._templates[form, cohort]


def _now() -> datetime:
    """The time, in steps of ten seconds: mails of one moment share what is made from it."""
    return datetime.fromtimestamp(time.time() // 10 * 10, UTC)


def _template(
    newsroom: Newsroom, issue: Issue, files: dict[str, bytes], content: Content
) -> Template:
    newsletter, leave = issue.newsletter, content.foot.unsubscribe
    by_mail = leave.startswith("mailto:")
    domain = newsletter.sender_address.rpartition("@")[2]
    archive: dict[str, str] = {"List-Archive": content.foot.web} if content.foot.web else {}
    return Template.make(
        layout.issue(content),
        sender=newsletter.sender_address,
        sender_name=newsletter.sender_name,
        reply_to=newsletter.reply_to,
        message_id_domain=domain_of(newsroom, newsletter.sender_address),
        list_id=f"{newsletter.slug}.{domain}",
        list_name=newsletter.title,
        list_unsubscribe="" if by_mail else leave,
        list_unsubscribe_mail=leave if by_mail else "",
        headers=archive,
        files=[(file, files[file.sha256]) for file in content.files],
    )


def domain_of(newsroom: Newsroom, sender: str) -> str:
    """The domain of Message-IDs."""
    return newsroom.settings.mail.bounces or sender.rpartition("@")[2]
