# SPDX-License-Identifier: AGPL-3.0-or-later
"""A newsroom that readers pay for, its vault and its letterbox."""

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
from tamizdat.desk.contributions.models import Gift, Payment, Reminder
from tamizdat.desk.letters import handlers
from tamizdat.desk.outgoing import lanes, links
from tamizdat.desk.outgoing.lanes import Letter
from tamizdat.desk.outgoing.models import Mail
from tamizdat.desk.readers import actions, keyring
from tamizdat.desk.readers.models import Reader
from tamizdat.desk.readers.vault import Vault
from tamizdat.drop.envelope import submission

ADA = "ada@post.example"
_LINK = re.compile(r"https://drop\.example/v1/([a-z-]+)/([A-Za-z0-9_-]{40})")
TOML = """\
name = "The Meridian"
address = "https://meridian.example"
languages = ["en", "ru", "ar"]
timezone = "Europe/Vilnius"

[[drops]]
name = "pier"
url = "https://drop.example"

[mail]
sender = "desk@meridian.example"

[giving]
[[giving.providers]]
kind = "stripe"
methods = ["card", "apple-pay"]

[[giving.offers]]
kind = "monthly"
currency = "USD"
amounts = ["5", "10", "20"]
least = "2"
most = "1000"
recommended = "10"
"""


class Desk:
    """What the letterbox hands on, done as the desk does it; and what readers then get."""

    def __init__(self, newsroom: Newsroom) -> None:
        self.newsroom = newsroom
        self.vault = Vault(newsroom)

    def take(self, kind: str, *, language: str = "en", at: str = "", **fields: Any) -> None:
        """One form, as the letterbox hands it on; ``at`` is when it arrived, else now."""
        handle = handlers.of(kind)
        assert handle is not None
        arrived = moment(at) if at else datetime.datetime.now(UTC)
        with transaction.atomic():
            handle(submission(kind, language, fields), arrived_hour=arrived)

    def ask(self, months: int = 1, *, address: str = ADA, **more: Any) -> None:
        more = {"privacy": 1, **more}
        self.take("remind", address=address, months=months, **more)

    def confirmed(self, months: int = 1, **more: Any) -> Reminder:
        """Asked for and confirmed."""
        self.ask(months, **more)
        self.take("confirm", token=self.link("confirm"))
        return Reminder.objects.get(state="waits")

    def reader(self, address: str = ADA) -> Reader | None:
        return self.vault.find(address, erased=True)

    def letters(self) -> list[Letter]:
        """What every mail says, the oldest first."""
        return [lanes.opened(mail) for mail in Mail.objects.exclude(sealed=b"").order_by("pk")]

    def text(self) -> str:
        """What the newest mail says, with its addresses."""
        notice = self.letters()[-1].notice
        assert notice is not None
        return "\n".join((notice.subject, *notice.lines, notice.url, *notice.after))

    def link(self, kind: str) -> str:
        """The token of a link of the newest mail."""
        found = dict(_LINK.findall(self.text()))
        return found[kind]

    def sent(self) -> None:
        """A relay took every mail: what they say is gone."""
        Mail.objects.update(state="sent", sealed=b"", finished=datetime.datetime.now(UTC))

    def give(self, day: datetime.date, *, kind: str = "once", state: str = "ended") -> Payment:
        gift = Gift.objects.create(
            provider="sandbox", ref=f"sub-{day}", kind=kind, amount=500, currency="USD",
            state=state, reader=self.reader(), day=day,
        )  # fmt: skip
        return Payment.objects.create(
            provider="sandbox", ref=f"pay-{day}", gift=gift, amount=500, currency="USD",
            state="paid", at=1, day=day,
        )  # fmt: skip


def moment(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def desk(db: None, tmp_path: Path, settings: Any) -> Desk:
    folder = tmp_path / "newsroom"
    folder.mkdir()
    (folder / "tamizdat.toml").write_text(TOML)
    newsroom = settings.NEWSROOM = Newsroom(folder)
    links.ensure_key(newsroom)
    keyring.found(newsroom, pyrage.x25519.Identity.generate().to_public())
    actions.begin_vault(newsroom=newsroom)
    return Desk(newsroom)
