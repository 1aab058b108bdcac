# SPDX-License-Identifier: AGPL-3.0-or-later
"""A newsroom with two newsletters, a vault and a drop; readers who fill in forms."""

from __future__ import annotations

import datetime
import re
from datetime import UTC
from pathlib import Path
from typing import Any

import pyrage
import pytest
from django.db import transaction

from tamizdat.config import Newsroom
from tamizdat.desk.letters import handlers
from tamizdat.desk.newsletter.models import Newsletter, Subscription
from tamizdat.desk.outgoing import lanes, links
from tamizdat.desk.outgoing.lanes import Letter
from tamizdat.desk.outgoing.links import Links, Purpose, day_stamp
from tamizdat.desk.outgoing.models import Mail
from tamizdat.desk.readers import actions, keyring
from tamizdat.desk.readers.models import Consent, Reader
from tamizdat.desk.readers.vault import Vault
from tamizdat.drop.envelope import submission

ADA = "ada@post.example"
DROP = "https://drop.example"
_TOKEN = re.compile(r"/v1/([a-z-]+)/([A-Za-z0-9_-]{40})\?")

TOML = """\
name = "The Meridian"
address = "https://meridian.example"
languages = ["en", "ru", "ar"]

[[drops]]
name = "pier"
url = "https://drop.example"

[mail]
sender = "desk@meridian.example"
"""


class Desk:
    """What the letterbox hands on, done as the desk does it; and what readers then have."""

    def __init__(self, newsroom: Newsroom) -> None:
        self.newsroom = newsroom
        self.vault = Vault(newsroom)
        self.links = Links(newsroom)

    def take(
        self,
        kind: str,
        language: str = "en",
        *,
        arrived: datetime.datetime | None = None,
        **fields: Any,
    ) -> None:
        """One form, as the letterbox hands it on."""
        handle = handlers.of(kind)
        assert handle is not None
        arrived = arrived or datetime.datetime.now(UTC)
        with transaction.atomic():
            handle(submission(kind, language, fields), arrived_hour=arrived)

    def sign_up(
        self, address: str = ADA, *slugs: str, language: str = "en", privacy: int = 1
    ) -> None:
        self.take(
            "subscribe",
            language,
            address=address,
            newsletters=list(slugs or ["weekly"]),
            privacy=privacy,
            form="front",
        )

    def join(self, address: str = ADA, *slugs: str, language: str = "en") -> Subscription:
        """Sign up and confirm; the first subscription of them."""
        self.sign_up(address, *slugs, language=language)
        self.take("confirm", language, token=self.token(address))
        found = self.subscription(address, *(slugs or ("weekly",))[:1])
        assert found is not None
        return found

    def reader(self, address: str = ADA) -> Reader | None:
        return self.vault.find(address, erased=True)

    def subscription(self, address: str = ADA, slug: str = "weekly") -> Subscription | None:
        return Subscription.objects.filter(
            reader=self.reader(address), newsletter__slug=slug
        ).first()

    def state(self, address: str = ADA, slug: str = "weekly") -> str:
        found = self.subscription(address, slug)
        return found.state if found else ""

    def mails(self, address: str = ADA) -> list[tuple[str, Letter]]:
        """Purpose and content of each mail to an address, the oldest first."""
        reader = self.vault.find(address, erased=True)
        found = []
        for mail in Mail.objects.order_by("pk"):
            letter = lanes.opened(mail)
            if letter.to == address or (reader is not None and mail.reader_id == reader.pk):
                found.append((mail.purpose, letter))
        return found

    def purposes(self, address: str = ADA) -> list[str]:
        return [purpose for purpose, _ in self.mails(address)]

    def token(self, address: str = ADA) -> str:
        """That of the link in the newest mail."""
        letter = self.mails(address)[-1][1]
        assert letter.notice is not None
        found = _TOKEN.search(letter.notice.url)
        assert found
        return found[2]

    def preferences(self, address: str = ADA, *, days_ago: int = 0) -> str:
        """A link as it stands in an issue."""
        reader = self.reader(address)
        assert reader is not None
        stamp = day_stamp(datetime.date.today()) - days_ago
        return self.links.make(Purpose.PREFERENCES, reader.pk, stamp)

    def leaving(self, address: str = ADA, slug: str = "weekly") -> str:
        found = self.subscription(address, slug)
        assert found is not None
        return self.links.make(Purpose.UNSUBSCRIBE, found.pk, 42)

    def said(self, address: str = ADA, slug: str = "weekly") -> list[str]:
        """What this reader said about a newsletter, in order."""
        rows = Consent.objects.filter(reader=self.reader(address), subject=slug).order_by("pk")
        return [row.event for row in rows]


@pytest.fixture
def desk(db: None, tmp_path: Path, settings: Any) -> Desk:
    folder = tmp_path / "newsroom"
    folder.mkdir()
    (folder / "tamizdat.toml").write_text(TOML)
    newsroom = settings.NEWSROOM = Newsroom(folder)
    links.ensure_key(newsroom)
    keyring.found(newsroom, pyrage.x25519.Identity.generate().to_public())
    actions.begin_vault(newsroom=newsroom)
    for slug, title in (("weekly", "The Weekly"), ("harbour", "Harbour Notes")):
        make_newsletter(slug, title)
    return Desk(newsroom)


def make_newsletter(slug: str, title: str, **more: Any) -> Newsletter:
    made: Newsletter = Newsletter.objects.create(
        slug=slug,
        title=title,
        language="en",
        sender_name="The Meridian",
        sender_address=f"{slug}@meridian.example",
        hour=datetime.time(7),
        zone="UTC",
        **more,
    )
    return made
