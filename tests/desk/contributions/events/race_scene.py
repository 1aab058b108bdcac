# SPDX-License-Identifier: AGPL-3.0-or-later
"""A program: a desk (``TAMIZDAT_DIR``) at which several people and workers do the same at once.

For ``ROUNDS`` payments: it is asked for twice in two tabs by two people; then two others approve
what came of it, one of them by two clicks of one form, while who asked takes it back and tries to
approve it; then three workers carry it out. Prints a line of JSON for each payment.
"""

from __future__ import annotations

import json
import sys
import threading
import uuid
from collections.abc import Callable
from typing import Any

import django

django.setup()

from django.contrib.auth.models import Group  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import RequestFactory  # noqa: E402
from django.utils import timezone  # noqa: E402
from wagtail.models import ModelLogEntry  # noqa: E402

from tamizdat.desk.contributions import actions, facts, providers  # noqa: E402
from tamizdat.desk.contributions.errors import RefundError  # noqa: E402
from tamizdat.desk.contributions.models import Payment, Refund  # noqa: E402
from tamizdat.desk.contributions.pages.gifts.refunds import ApproveView  # noqa: E402
from tamizdat.desk.publishing.forms import TokenForm  # noqa: E402
from tamizdat.desk.staff.models import User  # noqa: E402
from tamizdat.desk.staff.roles import PUBLISHER  # noqa: E402
from tamizdat.giving.money import Money  # noqa: E402
from tamizdat.giving.port import GiftFact, PaymentFact  # noqa: E402
from tests.fakes.payments import NAME, START, Bank  # noqa: E402

ALL = 1000


def at_once(*doing: Callable[[], object]) -> list[str]:
    """What came of each, begun together: ``done``, ``nothing``, or why not."""
    gate = threading.Barrier(len(doing))
    found = [""] * len(doing)

    def do(place: int, one: Callable[[], object]) -> None:
        try:
            connection.ensure_connection()
            gate.wait()
            found[place] = "nothing" if one() == "" else "done"
        except RefundError as error:
            found[place] = type(error).__name__
        finally:
            connection.close()

    threads = [threading.Thread(target=do, args=pair) for pair in enumerate(doing)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def person(name: str) -> User:
    user, _ = User.objects.get_or_create(username=name)
    user.groups.add(Group.objects.get(name=PUBLISHER))
    return User.objects.get(pk=user.pk)


def paid(number: int) -> Payment:
    gift = GiftFact(ref=f"cs_{number}", at=START, state="active", kind="once", amount=ALL,
                    currency="USD")  # fmt: skip
    money = PaymentFact(ref=f"pi_{number}", at=START, state="paid", amount=ALL, currency="USD",
                        gift=gift.ref)  # fmt: skip
    facts.apply([gift, money], provider=NAME)
    return Payment.objects.get(ref=money.ref)


def pressed(user: User, refund: Refund, token: uuid.UUID) -> str:
    """The button of the page, as its view does it."""
    request = RequestFactory().post("/")
    request.user = user
    view = ApproveView()
    view.setup(request, pk=refund.pk)
    form = TokenForm({"token": token})
    return view.once(form) if form.is_valid() else "no form"


def one_round(number: int, bank: Bank) -> dict[str, Any]:
    petra, paul, nora = (person(name) for name in ("petra", "paul", "nora"))
    payment, token = paid(number), uuid.uuid4()

    def ask(who: User) -> Callable[[], object]:
        money = Money(ALL, "USD")
        return lambda: actions.ask_refund(
            payment=payment, money=money, why="Given twice", acting_user=who
        )

    asked = at_once(*(ask(petra) for _ in range(3)))
    refund = Refund.objects.get(payment_ref=payment.ref)
    decided = at_once(
        lambda: pressed(paul, refund, token),
        lambda: pressed(paul, refund, token),
        lambda: actions.approve_refund(refund=refund, acting_user=nora),
        lambda: actions.approve_refund(refund=refund, acting_user=petra),
        lambda: actions.decline_refund(refund=refund, why="", acting_user=petra),
    )
    refund.refresh_from_db()
    state = refund.state
    at_once(*(lambda: actions.carry_out_refunds(now=timezone.now()) for _ in range(3)))
    refund.refresh_from_db()
    about = ModelLogEntry.objects.filter(object_id=str(refund.pk))
    return {
        "asked": sorted(asked),
        "decided": decided,
        "state": state,
        "by": refund.approved_by.username if refund.approved_by else "",
        "became": refund.state,
        "steps": sorted(about.values_list("action", flat=True)),
        "at_the_bank": len([one for one in bank.asked if one[1] == payment.ref]),
    }


def main() -> None:
    bank = Bank()
    providers._made = lambda wanted: bank  # type: ignore[assignment]  # a bank of the tests' own
    for number in range(int(sys.argv[1])):
        sys.stdout.write(json.dumps(one_round(number, bank)) + "\n")


main()
