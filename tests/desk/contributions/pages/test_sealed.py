# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who gave stands nowhere but where the readers' desk asked for it: no page, file or log tells."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.test import Client
from wagtail.models import ModelLogEntry

from tamizdat.desk.contributions import actions, exports
from tamizdat.desk.contributions.models import Gift, Payment, Refund, Wish
from tamizdat.giving.errors import RefusedError
from tamizdat.giving.port import DisputeFact
from tests.desk.contributions.events.conftest import ADA, House
from tests.desk.contributions.pages.gifts.conftest import (
    asks,
    bank,
    house,
    path,
    paul,
    petra,
    press,
)
from tests.fakes.payments import NAME, Bank

__all__ = ["bank", "house", "paul", "petra"]


def test_no_page_file_log_or_trail_of_a_publisher_names_a_giver(
    house: House, bank: Bank, petra: Client, paul: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    gift = _all_that_can_become_of_it(house, bank, petra, paul)
    month = f"{house.today:%Y-%m}"
    pages = [
        "/desk/", *(path(name) for name in ("overview", "report", "months", "gifts", "refunds",
        "disputes", "wishes", "standing")), path("gift", gift.pk),
        *(path("payment", pk) for pk in Payment.objects.values_list("pk", flat=True)),
        *(path("refund", pk) for pk in Refund.objects.values_list("pk", flat=True)),
        *(path("books", month, format_) for format_ in exports.FORMATS),
        f"{path('gifts')}?q={ADA}",
    ]  # fmt: skip
    told = "".join(_text(petra.get(where, follow=True)) for where in pages)
    assert "5.00 USD" in told
    assert gift.reader is not None
    trail = [f"{entry.label} {entry.data}" for entry in ModelLogEntry.objects.all()]
    for where in (told.replace(f"?q={ADA}", "").replace(f'value="{ADA}"', ""), *trail, caplog.text):
        for name in (ADA, ADA.partition("@")[0], str(gift.reader.pk), f"{gift.reader.pk:x}"):
            assert name not in where


def _all_that_can_become_of_it(house: House, bank: Bank, petra: Client, paul: Client) -> Gift:
    gift = house.gives("monthly", 500, message="autumn")
    house.fails(gift)
    payment = Payment.objects.get(state="paid")
    asks(petra, payment, "2")
    press(paul, path("refund_approve", Refund.objects.get().pk))
    bank.trouble = RefusedError("it is too old")
    actions.carry_out_refunds(now=house.now)
    house.asks("amount", amount="7")
    house.works()
    bank.trouble = None
    asks(petra, payment, "1")
    facts: dict[str, Any] = {"payment": payment.ref, "amount": 500, "currency": "USD"}
    house.hears(bank.tell("dispute", DisputeFact(ref="dp", at=bank.clock, state="open", **facts)))
    house.hears(bank.tell("completed", house.gift()), headers={})  # signed by nobody
    house.reconciles()
    assert Wish.objects.filter(refused=True).exists()
    assert house.standing.pk == NAME
    return Gift.objects.get(pk=gift.pk)


def _text(answer: Any) -> str:
    assert answer.status_code == 200, answer
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return str(body.decode())
