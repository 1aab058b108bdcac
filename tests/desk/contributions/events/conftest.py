# SPDX-License-Identifier: AGPL-3.0-or-later
"""A newsroom with a bank, a vault and a drop: what givers do, as the desk hears of it."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pyrage
import pytest
from django.db import transaction
from django.utils import timezone

from tamizdat import letterbox
from tamizdat.config import Newsroom
from tamizdat.desk.contributions import providers, reconcile
from tamizdat.desk.contributions.givers import late, wishes
from tamizdat.desk.contributions.models import Gift, Payment, Standing
from tamizdat.desk.letters import handlers, safe
from tamizdat.desk.letters.collecting import Report, collect
from tamizdat.desk.outgoing import lanes, links
from tamizdat.desk.outgoing.lanes import Letter
from tamizdat.desk.outgoing.links import Links, Purpose, day_stamp
from tamizdat.desk.outgoing.models import Mail
from tamizdat.desk.readers import actions, keyring
from tamizdat.desk.readers.models import Reader
from tamizdat.desk.readers.vault import Vault
from tamizdat.drop.envelope import seal, submission
from tamizdat.drop.spool import Spool
from tamizdat.giving.port import Event, Fact, GiftFact, GiftState, PaymentFact, PaymentState
from tests.fakes.payments import NAME, Bank

ADA = "ada@post.example"
_TOKEN = re.compile(r"/v1/gift/([A-Za-z0-9_-]{40})\?")

TOML = """\
name = "The Meridian"
address = "https://meridian.example"
languages = ["en", "ru", "ar"]
demo = true

[[drops]]
name = "pier"
folder = "{drop}"
url = "https://drop.example"

[mail]
sender = "desk@meridian.example"

[[giving.providers]]
kind = "sandbox"
url = "http://127.0.0.1:1"

[[giving.offers]]
kind = "monthly"
currency = "USD"
amounts = ["5", "10", "20"]
least = "2"
most = "500"
"""


class House:
    """The desk, the bank and what lies between them. ``now`` is when things happen."""

    def __init__(self, newsroom: Newsroom, spool: Spool, bank: Bank) -> None:
        self.newsroom, self.spool, self.bank = newsroom, spool, bank
        self.now = datetime.now(UTC)
        bank.clock = int(self.now.timestamp())

    # Time

    def later(self, **span: float) -> None:
        self.now += timedelta(**span)
        self.bank.clock = int(self.now.timestamp())

    @property
    def today(self) -> date:
        return timezone.localdate(self.now)

    # What givers do

    def gift(self, kind: str = "monthly", amount: int = 500, **more: Any) -> GiftFact:
        """An agreement, as the provider tells when its checkout is completed."""
        number = len(self.bank.happened)
        known: dict[str, Any] = {
            "ref": f"sub_{number}",
            "state": "active",
            "intent": f"intent-{number:015d}",
            "currency": "USD",
            "language": "en",
            "address": ADA,
            "next_at": self.bank.clock + 30 * 86_400,
        }
        return GiftFact(at=self.bank.clock, kind=kind, amount=amount, **{**known, **more})  # type: ignore[arg-type] # as given

    def payment(self, of: GiftFact, state: PaymentState = "paid", **more: Any) -> PaymentFact:
        known: dict[str, Any] = {
            "ref": f"pi_{len(self.bank.happened)}",
            "gift": of.ref,
            "amount": of.amount,
            "currency": of.currency,
            "at": self.bank.clock,
        }
        return PaymentFact(state=state, **{**known, **more})

    def gives(self, kind: str = "monthly", amount: int = 500, **more: Any) -> Gift:
        """Somebody gives, and the desk hears of it."""
        fact = self.gift(kind, amount, **more)
        self.hears(self.bank.tell("completed", fact))
        self.hears(self.bank.tell("paid", self.payment(fact)))
        return Gift.objects.get(ref=fact.ref)

    def fails(self, gift: Gift, state: GiftState = "late") -> None:
        """A renewal does not go through."""
        now = self.bank.there["GiftFact", gift.ref]
        assert isinstance(now, GiftFact)
        self.hears(self.bank.tell("failed", self.payment(now, "failed", cause="card_declined")))
        fact = msgspec.structs.replace(now, state=state, at=self.bank.clock, address="")
        self.hears(self.bank.tell("updated", fact))

    # What reaches the desk

    def hears(self, event: Event, *, at: int = 0, **changed: Any) -> None:
        """A call of the webhook, as the letterbox hands it on."""
        body, headers = self.bank.webhook(event, at=at or self.bank.clock)
        self.hears_call(changed.get("body", body), changed.get("headers", headers))

    def hears_call(self, body: bytes, headers: dict[str, str], provider: str = NAME) -> None:
        encoded = base64.b64encode(body).decode()
        fields = {"provider": provider, "headers": headers, "body": encoded}
        self.take("webhook", fields)

    def asks(self, what: str, address: str = ADA, *, days_ago: int = 0, **fields: Any) -> None:
        """The form behind the link in a receipt."""
        token = self.token(address, days_ago=days_ago)
        self.take("gift", {"token": token, "ask": what, **fields})

    def take(self, kind: str, fields: dict[str, Any], language: str = "en") -> None:
        handle = handlers.of(kind)
        assert handle is not None
        hour = self.now.replace(minute=0, second=0, microsecond=0)
        with transaction.atomic():
            handle(submission(kind, language, fields), arrived_hour=hour)

    def drops(self, *calls: tuple[bytes, dict[str, str]]) -> None:
        """Calls of the webhook lie in the drop."""
        recipient = pyrage.x25519.Recipient.from_str(letterbox.recipient(self.newsroom))
        sealed = []
        for body, headers in calls:
            encoded = base64.b64encode(body).decode()
            fields = {"provider": NAME, "headers": headers, "body": encoded}
            sealed.append(seal(submission("webhook", "en", fields), [recipient]))
        self.spool.append(sealed)
        self.spool.close_open()

    def collects(self) -> Report:
        drop = self.newsroom.settings.drops[0]
        return collect(self.newsroom, drop, clock=lambda: self.now)

    def works(self) -> None:
        """What the worker does every few seconds and every minute."""
        self.now = max(self.now, datetime.now(UTC))
        wishes.carry_out(self.now)
        late.carry_out(self.now)
        wishes.carry_out(self.now)

    def reconciles(self) -> reconcile.Report:
        return reconcile.one(NAME, now=self.now)

    # What there is

    def reader(self, address: str = ADA) -> Reader | None:
        return Vault(self.newsroom).find(address, erased=True)

    def mails(self, address: str = ADA) -> list[Letter]:
        """What an address is sent, the oldest first."""
        reader, found = self.reader(address), []
        for mail in Mail.objects.order_by("pk"):
            letter = lanes.opened(mail)
            if letter.to == address or (reader is not None and mail.reader_id == reader.pk):
                found.append(letter)
        return found

    def subjects(self, address: str = ADA) -> list[str]:
        return [letter.notice.subject for letter in self.mails(address) if letter.notice]

    def last_words(self, address: str = ADA) -> str:
        notice = self.mails(address)[-1].notice
        assert notice is not None
        return "\n".join([*notice.lines, *notice.after])

    def token(self, address: str = ADA, *, days_ago: int = 0) -> str:
        reader = self.reader(address)
        assert reader is not None
        stamp = day_stamp(self.today) - days_ago
        return Links(self.newsroom).make(Purpose.GIFTS, reader.pk, stamp)

    def mailed_token(self, address: str = ADA) -> str:
        notice = self.mails(address)[-1].notice
        assert notice is not None
        found = _TOKEN.search(notice.url)
        assert found
        return found[1]

    @property
    def standing(self) -> Standing:
        return Standing.objects.get(pk=NAME)

    def paid(self) -> list[Payment]:
        return list(Payment.objects.filter(state="paid").order_by("pk"))


@pytest.fixture
def bank() -> Bank:
    return Bank()


@pytest.fixture
def house(
    db: None, tmp_path: Path, settings: Any, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> Iterator[House]:
    folder = tmp_path / "newsroom"
    folder.mkdir()
    (folder / "tamizdat.toml").write_text(TOML.format(drop=tmp_path / "drop"))
    newsroom = settings.NEWSROOM = Newsroom(folder)
    links.ensure_key(newsroom)
    letterbox.ensure_keys(newsroom)
    keyring.found(newsroom, pyrage.x25519.Identity.generate().to_public())
    actions.begin_vault(newsroom=newsroom)
    monkeypatch.setattr(providers, "_made", lambda wanted: bank)
    spool = Spool(tmp_path / "drop")
    yield House(newsroom, spool, bank)
    spool.close()
    safe._vault.cache_clear()


def all_facts(bank: Bank) -> list[Fact]:
    return [fact for event in bank.happened for fact in event.facts]
