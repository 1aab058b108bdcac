# SPDX-License-Identifier: AGPL-3.0-or-later
"""Gifts of the demo: given, declined, given back, ended, reminded of, and in the books.

What always holds: all goes the way that readers go: the letterbox's form, the sandbox's page, its
webhooks, the desk's worker. Only the day of reminders is not waited for.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import pyrage
import urllib3

from tamizdat import letterbox
from tamizdat.cli.demo_check import CheckError
from tamizdat.cli.demo_drop import url_of
from tamizdat.config import Newsroom, offers_of
from tamizdat.drop.envelope import seal, submission
from tamizdat.giving.choice import KINDS, Kind
from tamizdat.giving.form import amount_field, card_value
from tamizdat.giving.money import Money, plain

PATIENCE: Final = 60.0
_FORM: Final = {"content-type": "application/x-www-form-urlencoded"}


class Giver:
    """A reader's browser without script. Each gift is of a mailbox of its own."""

    def __init__(self, newsroom: Newsroom) -> None:
        self.newsroom = newsroom
        self.drop = url_of(newsroom)
        self._offers = {one.kind: one for one in offers_of(newsroom.settings.giving)}
        self._pool = urllib3.PoolManager(timeout=30.0, retries=False)

    def send(self, url: str, fields: dict[str, str], status: int) -> str:
        """Send a form; where it leads, else what came back. Raises ``CheckError``."""
        try:
            answer = self._pool.request(
                "POST", url, fields=fields, headers=_FORM, encode_multipart=False
            )
        except urllib3.exceptions.HTTPError as error:
            raise CheckError(f"{url} does not answer ({error})") from error
        if answer.status != status:
            raise CheckError(f"{url} should give {status}, and gave {answer.status}")
        return answer.headers.get("location") or answer.data.decode()

    def begins(self, kind: Kind) -> tuple[str, str]:
        """The intent, and where to pay."""
        offer, intent = self._offers[kind], secrets.token_urlsafe(16)
        card = Money(offer.recommended or offer.amounts[0], offer.currency)
        chosen = {
            "kind": kind,
            amount_field(kind): card_value(card),
            "language": "en",
            "intent": intent,
            "back": self.newsroom.settings.address.rstrip("/"),
        }
        return intent, self.send(f"{self.drop}/v1/give", chosen, 303)

    def gives(self, kind: Kind) -> tuple[str, str]:
        """The intent and the mailbox of a gift that was paid, and thanked by the paper. Raises
        ``CheckError``."""
        intent, page = self.begins(kind)
        address = f"{kind}-{secrets.token_hex(4)}@harbour.example"
        thanks = self.send(page, {"card": "good", "address": address}, 303)
        if self._pool.request("GET", thanks).status != 200:
            raise CheckError(f"{thanks} should thank who gave, and is not there")
        return intent, address

    def is_declined(self) -> None:
        """Raises ``CheckError`` where the page does not say why."""
        _, page = self.begins("once")
        told = self.send(page, {"card": "no-money", "address": ""}, 402)
        if "not enough money" not in told or "Nothing was taken" not in told:
            raise CheckError("the sandbox does not say why a card was declined")

    def reminded(self, address: str) -> None:
        """Ask to be reminded in a month."""
        from tamizdat.desk.outgoing.notices import policy_versions

        recipient = pyrage.x25519.Recipient.from_str(letterbox.recipient(self.newsroom))
        wish = {"address": address, "months": 1, "privacy": max(policy_versions(), default=1)}
        sealed = seal(submission("remind", "en", wish), [recipient])
        plainly = {"content-type": "text/plain"}
        url = f"{self.drop}/v1/sealed"
        if self._pool.request("POST", url, body=sealed, headers=plainly).status != 200:
            raise CheckError(f"{url} did not take a wish to be reminded")


def prove_gifts(newsroom: Newsroom) -> dict[str, Any]:
    """Do all of it; what came of it. Django must be ready, the worker running. Raises
    ``CheckError``."""
    giver = Giver(newsroom)
    given = {kind: giver.gives(kind) for kind in KINDS}
    giver.is_declined()
    _wait(newsroom, lambda: all(_paid(intent) for intent, _ in given.values()), "a gift")
    _give_back(newsroom, given["once"][0])
    left, reminded = _remind(newsroom, giver, given["monthly"][1])
    _cancel(newsroom, giver, *given["monthly"])
    return {
        "given": list(given),
        "declined": "insufficient_funds",
        "refunded": True,
        "reminded": reminded,
        "left_alone": left,
        "cancelled": True,
        "books": _books(newsroom),
    }


def _wait(newsroom: Newsroom, happened: Callable[[], bool], what: str) -> None:
    """Collect, as the worker does every minute, until it happened. Raises ``CheckError``."""
    from tamizdat.desk.letters.collecting import collect

    deadline = time.monotonic() + PATIENCE
    while not happened():
        if time.monotonic() > deadline:
            raise CheckError(f"{what} did not arrive at the desk within {PATIENCE:.0f} s")
        time.sleep(0.25)
        collect(newsroom, newsroom.settings.drops[0])


def _paid(intent: str) -> bool:
    from tamizdat.desk.contributions.models import Gift, Payment

    gift = Gift.objects.filter(intent=intent).first()
    return gift is not None and Payment.objects.filter(gift=gift, state="paid").exists()


def _give_back(newsroom: Newsroom, intent: str) -> None:
    """One asks, another approves, the worker does it."""
    from tamizdat.desk.contributions.actions import approve_refund, ask_refund
    from tamizdat.desk.contributions.models import Payment, Refund
    from tamizdat.desk.staff.models import User

    payment = Payment.objects.get(gift__intent=intent)
    wanted = Money(payment.amount, payment.currency)
    publisher = User.objects.get(username="publisher")
    operator = User.objects.get(username="operator")
    refund = ask_refund(payment=payment, money=wanted, why="Given twice", acting_user=publisher)
    approve_refund(refund=refund, acting_user=operator)
    done = Refund.objects.filter(pk=refund.pk, state="done")
    _wait(newsroom, done.exists, "a refund")


def _remind(newsroom: Newsroom, giver: Giver, gave: str) -> tuple[int, int]:
    """Who gives is left alone, who does not is reminded: how many of each."""
    from tamizdat.desk.contributions import reminders
    from tamizdat.desk.contributions.models import Reminder
    from tamizdat.desk.outgoing import outbox

    later = f"later-{secrets.token_hex(4)}@post.example"
    wishes = [_waiting(newsroom, giver, address) for address in (gave, later)]
    sent = reminders.send_due(ahead=timedelta(days=40))
    # What asked, and what reminds.
    _wait(newsroom, lambda: len(outbox.newest(newsroom, later)[0]) == 2, "a reminder in the outbox")
    done = Reminder.objects.filter(pk__in=wishes, state="done").count()
    return done - sent, sent


def _waiting(newsroom: Newsroom, giver: Giver, address: str) -> int:
    """A reminder that was asked for and confirmed."""
    from tamizdat.desk.contributions.models import Reminder
    from tamizdat.desk.readers.vault import Vault

    giver.reminded(address)
    vault = Vault.open(newsroom)

    def asked() -> bool:
        return Reminder.objects.filter(reader=vault.find(address), state="asked").exists()

    _wait(newsroom, asked, "a wish to be reminded")
    wish = Reminder.objects.get(reader=vault.find(address))
    token = _token(newsroom, "CONFIRM_REMINDER", wish.pk)
    giver.send(f"{giver.drop}/v1/confirm/{token}", {"language": "en"}, 303)
    confirmed = Reminder.objects.filter(pk=wish.pk, state="waits")
    _wait(newsroom, confirmed.exists, "a confirmed reminder")
    return wish.pk


def _cancel(newsroom: Newsroom, giver: Giver, intent: str, address: str) -> None:
    """By the link in a receipt."""
    from tamizdat.desk.contributions.models import Gift
    from tamizdat.desk.readers.vault import Vault

    reader = Vault.open(newsroom).find(address)
    if reader is None:
        raise CheckError("who gave has no place in the vault")
    token = _token(newsroom, "GIFTS", reader.pk)
    giver.send(f"{giver.drop}/v1/gift/{token}", {"language": "en", "ask": "cancel"}, 303)
    ended = Gift.objects.filter(intent=intent, state="ended")
    _wait(newsroom, ended.exists, "the end of a gift")


def _token(newsroom: Newsroom, purpose: str, subject: int) -> str:
    """What stands in the link of a mail, which here nobody opens."""
    from django.utils import timezone

    from tamizdat.desk.outgoing.links import Links, Purpose, day_stamp

    stamp = day_stamp(timezone.localdate())
    return Links(newsroom).make(Purpose[purpose], subject, stamp)


def _books(newsroom: Newsroom) -> dict[str, str]:
    """What stands on each account. Raises ``CheckError`` where the provider knows otherwise, or
    where they do not balance."""
    from django.db.models import Sum

    from tamizdat.desk.contributions.models import Leg
    from tamizdat.desk.contributions.reconcile import reconcile

    for report in reconcile(newsroom):
        if report.problem or report.failed:
            raise CheckError(f"the books cannot be reconciled: {report.problem or report}")
    rows = Leg.objects.values_list("account__name", "currency").annotate(sum=Sum("amount"))
    found = {(name, currency): amount for name, currency, amount in rows.order_by("account__name")}
    if any(sum(a for (_, c), a in found.items() if c == one) for one in {c for _, c in found}):
        raise CheckError("the books do not balance")
    return {
        f"{name} {currency}": plain(Money(amount, currency))
        for (name, currency), amount in found.items()
        if amount
    }
