# SPDX-License-Identifier: AGPL-3.0-or-later
"""What there is at our Stripe, and what happens in it: objects in Stripe's shape, events, a clock.

Bodies of events hold people as the real ones do (names, addresses, the card's country and last
digits), so that tests can look whether any of it gets through.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping
from typing import Any

from tests.fakes.stripe.basics import (
    CARDS,
    DAY,
    DISPUTE_FEE,
    FEE_FIXED,
    FEE_PERCENT,
    LAST4,
    NAME,
    STREET,
    RefusalError,
    envelope,
    later,
)


class World:
    """``now`` is its clock, in unix seconds. ``settles``: the currency of the balance and how many
    of it one of another makes."""

    def __init__(self, *, now: int, settles: str = "", rate: float = 0.9) -> None:
        self.now = now
        self.settles, self.rate = settles, rate
        self.objects: dict[str, dict[str, dict[str, Any]]] = {}
        self.events: list[dict[str, Any]] = []
        self.lock = threading.RLock()
        self._numbers = itertools.count(1)

    # Objects

    def id(self, prefix: str) -> str:
        return f"{prefix}_{next(self._numbers):08d}"

    def put(self, kind: str, found: dict[str, Any]) -> dict[str, Any]:
        self.objects.setdefault(kind, {})[found["id"]] = found
        return found

    def get(self, kind: str, name: str) -> dict[str, Any]:
        try:
            return self.objects.get(kind, {})[name]
        except KeyError:
            raise RefusalError(
                404, "invalid_request_error", "resource_missing", f"no {name}"
            ) from None

    def all(self, kind: str) -> list[dict[str, Any]]:
        return list(self.objects.get(kind, {}).values())

    def tell(self, kind: str, found: Mapping[str, Any]) -> None:
        self.events.append(envelope(self.id("evt"), self.now, kind, found))

    # Checkout

    def open(self, asked: dict[str, Any], base: str) -> dict[str, Any]:
        item = asked["line_items"]["0"]
        price = item["price_data"]
        if int(price["unit_amount"]) < 50 and price["currency"] in ("usd", "eur"):
            raise RefusalError(400, "invalid_request_error", "amount_too_small", "too little")
        name = self.id("cs_test")
        return self.put(
            "session",
            {
                "id": name,
                "object": "checkout.session",
                "created": self.now,
                "expires_at": self.now + DAY,
                "livemode": False,
                "mode": asked["mode"],
                "status": "open",
                "payment_status": "unpaid",
                "amount_total": int(price["unit_amount"]),
                "currency": price["currency"],
                "customer": None,
                "customer_details": None,
                "metadata": dict(asked.get("metadata", {})),
                "success_url": asked["success_url"],
                "cancel_url": asked["cancel_url"],
                "url": f"{base}/pay/{name}",
                "_asked": asked,
            },
        )

    def pay(self, name: str, card: str = "success", email: str = "") -> str:
        """Somebody pays on Stripe's page. Returns the cause where it was not taken."""
        with self.lock:
            session = self.get("session", name)
            if session["status"] != "open":
                return "" if session["status"] == "complete" else "expired"
            asked, again = session["_asked"], session["mode"] == "subscription"
            inside = asked.get("subscription_data" if again else "payment_intent_data", {})
            customer = self._customer(email)["id"] if again else None
            intent = session.setdefault("_intent", self.id("pi"))
            charge = self.charge(
                session["amount_total"],
                session["currency"],
                card,
                intent=intent,
                customer=customer,
                metadata={} if again else dict(inside.get("metadata", {})),
            )
            if charge["status"] == "failed":
                return str(charge["failure_code"])
            self._complete(session, charge, email, customer)
            if again:
                self._subscribe(session, customer or "", card, dict(inside.get("metadata", {})))
            self.tell("checkout.session.completed", session)
            return ""

    def _complete(
        self, session: dict[str, Any], charge: dict[str, Any], email: str, customer: str | None
    ) -> None:
        session.update(
            status="complete",
            payment_status="paid" if charge["paid"] else "unpaid",
            customer=customer,
            payment_intent=None if customer else charge["payment_intent"],
            customer_details={
                "email": email or "reader@plover.example",
                "name": NAME,
                "phone": None,
                "address": {"country": "NL", "line1": STREET, "city": "Aldermoor"},
            },
        )
        charge["_session"] = session["id"]

    def expire(self, name: str) -> None:
        session = self.get("session", name)
        if session["status"] == "open":
            session["status"] = "expired"
            self.tell("checkout.session.expired", session)

    def end_checkout(self, name: str) -> dict[str, Any]:
        """By the API."""
        session = self.get("session", name)
        if session["status"] != "open":
            said = f"This Session is {session['status']}: only open ones can be expired"
            raise RefusalError(400, "invalid_request_error", "", said)
        self.expire(name)
        return session

    def _customer(self, email: str) -> dict[str, Any]:
        made = {"id": self.id("cus"), "object": "customer", "email": email, "name": NAME}
        return self.put("customer", made)

    # Charges

    def charge(
        self,
        amount: int,
        currency: str,
        card: str,
        *,
        intent: str,
        customer: str | None,
        metadata: dict[str, str],
    ) -> dict[str, Any]:
        code, slow = CARDS[card], card.startswith("slow")
        status = "failed" if code else "pending" if slow else "succeeded"
        blocked = card == "blocked"
        charge = self.put(
            "charge",
            {
                "id": self.id("ch"),
                "object": "charge",
                "amount": amount,
                "amount_refunded": 0,
                "balance_transaction": None,
                "billing_details": {"name": NAME, "email": "hidden@plover.example"},
                "created": self.now,
                "currency": currency,
                "customer": customer,
                "failure_code": code or None,
                "livemode": False,
                "metadata": metadata,
                "outcome": {"type": "blocked" if blocked else "authorized", "risk_score": 12},
                "paid": status == "succeeded",
                "payment_intent": intent,
                "payment_method_details": {
                    "type": "card",
                    "card": {"country": "RU" if blocked else "NL", "last4": LAST4},
                },
                "status": status,
                "_card": card,
            },
        )
        kind = {"failed": "failed", "pending": "pending", "succeeded": "succeeded"}[status]
        self.tell(f"charge.{kind}", charge)
        if status == "succeeded":
            self._balance_of(charge)
        return charge

    def settle(self) -> None:
        """What was slow comes, or does not."""
        for charge in self.all("charge"):
            if charge["status"] != "pending":
                continue
            fails = charge["_card"] == "slow-fails"
            charge["status"] = "failed" if fails else "succeeded"
            charge["paid"] = not fails
            charge["failure_code"] = "debit_not_authorized" if fails else None
            self.tell(f"charge.{'failed' if fails else 'succeeded'}", charge)
            session = self.get("session", charge["_session"])
            if not fails:
                self._balance_of(charge)
                session["payment_status"] = "paid"
            ending = "failed" if fails else "succeeded"
            self.tell(f"checkout.session.async_payment_{ending}", session)

    # The balance

    def line(
        self,
        category: str,
        amount: int,
        fee: int,
        source: str | None,
        rate: float | None,
        **more: Any,
    ) -> dict[str, Any]:
        return self.put(
            "line",
            {
                "id": self.id("txn"),
                "object": "balance_transaction",
                "amount": amount,
                "fee": fee,
                "net": amount - fee,
                "created": self.now,
                "available_on": self.now + 2 * DAY,
                "currency": more.pop("currency"),
                "exchange_rate": rate,
                "reporting_category": category,
                "type": category,
                "source": source,
                "_payout": "",
                **more,
            },
        )

    def _settled(self, amount: int, currency: str) -> tuple[int, str, float | None]:
        if not self.settles or currency == self.settles:
            return amount, currency, None
        return round(amount * self.rate), self.settles, self.rate

    def _balance_of(self, charge: dict[str, Any]) -> None:
        amount, currency, rate = self._settled(charge["amount"], charge["currency"])
        fee = amount * FEE_PERCENT // 100 + FEE_FIXED
        line = self.line("charge", amount, fee, charge["id"], rate, currency=currency)
        charge["balance_transaction"] = line["id"]

    def refund(self, asked: dict[str, Any]) -> dict[str, Any]:
        name = asked.get("payment_intent") or asked.get("charge")
        charge = next(
            (
                one
                for one in self.all("charge")
                if name in (one["payment_intent"], one["id"]) and one["paid"]
            ),
            None,
        )
        if charge is None:
            raise RefusalError(404, "invalid_request_error", "resource_missing", f"no {name}")
        amount = int(asked.get("amount", charge["amount"]))
        if charge["amount_refunded"] + amount > charge["amount"]:
            raise RefusalError(400, "invalid_request_error", "charge_already_refunded", "too much")
        charge["amount_refunded"] += amount
        refund = self.put(
            "refund",
            {
                "id": self.id("re"),
                "object": "refund",
                "amount": amount,
                "charge": charge["id"],
                "created": self.now,
                "currency": charge["currency"],
                "metadata": dict(asked.get("metadata", {})),
                "payment_intent": charge["payment_intent"],
                "status": "succeeded",
            },
        )
        back, currency, rate = self._settled(-amount, charge["currency"])
        self.line("refund", back, 0, refund["id"], rate, currency=currency)
        self.tell("refund.created", refund)
        return refund

    def refund_fails(self, name: str) -> None:
        """The bank does not take it: the money comes back, days later."""
        refund = self.get("refund", name)
        refund["status"] = "failed"
        back, currency, rate = self._settled(refund["amount"], refund["currency"])
        self.line("refund_failure", back, 0, refund["id"], rate, currency=currency)
        self.tell("refund.failed", refund)

    def dispute(self, intent: str) -> str:
        charge = next(one for one in self.all("charge") if one["payment_intent"] == intent)
        dispute = self.put(
            "dispute",
            {
                "id": self.id("dp"),
                "object": "dispute",
                "amount": charge["amount"],
                "charge": charge["id"],
                "created": self.now,
                "currency": charge["currency"],
                "evidence_details": {"due_by": self.now + 7 * DAY},
                "evidence": {"customer_name": NAME, "customer_purchase_ip": "192.0.2.7"},
                "payment_intent": intent,
                "reason": "fraudulent",
                "status": "needs_response",
            },
        )
        gone, currency, rate = self._settled(-charge["amount"], charge["currency"])
        self.line("dispute", gone, DISPUTE_FEE, dispute["id"], rate, currency=currency)
        self.tell("charge.dispute.created", dispute)
        return str(dispute["id"])

    def judge(self, name: str, *, won: bool) -> None:
        dispute = self.get("dispute", name)
        dispute["status"] = "won" if won else "lost"
        if won:
            back, currency, rate = self._settled(dispute["amount"], dispute["currency"])
            self.line("dispute_reversal", back, 0, name, rate, currency=currency)
        self.tell("charge.dispute.closed", dispute)

    def payout(self) -> str:
        """All that has not been paid out yet goes to the bank, in the first currency it has."""
        waiting = [one for one in self.all("line") if not one["_payout"]]
        currency = waiting[0]["currency"]
        carried = [one for one in waiting if one["currency"] == currency]
        payout = self.put(
            "payout",
            {
                "id": self.id("po"),
                "object": "payout",
                "amount": sum(one["net"] for one in carried),
                "arrival_date": self.now + DAY,
                "automatic": True,
                "created": self.now,
                "currency": currency,
                "status": "pending",
            },
        )
        line = self.line("payout", -payout["amount"], 0, payout["id"], None, currency=currency)
        for one in (*carried, line):
            one["_payout"] = payout["id"]
        self.tell("payout.created", payout)
        return str(payout["id"])

    def arrives(self, name: str) -> None:
        payout = self.get("payout", name)
        payout["status"] = "paid"
        self.tell("payout.paid", payout)

    # Subscriptions

    def _subscribe(
        self, session: dict[str, Any], customer: str, card: str, metadata: dict[str, str]
    ) -> None:
        price = session["_asked"]["line_items"]["0"]["price_data"]
        interval = price["recurring"]["interval"]
        subscription = self.put(
            "subscription",
            {
                "id": self.id("sub"),
                "object": "subscription",
                "created": self.now,
                "customer": customer,
                "currency": session["currency"],
                "items": {
                    "object": "list",
                    "data": [
                        {
                            "id": self.id("si"),
                            "object": "subscription_item",
                            "quantity": 1,
                            "current_period_end": later(self.now, self.now, interval),
                            "price": {
                                "id": self.id("price"),
                                "currency": session["currency"],
                                "product": self.id("prod"),
                                "recurring": {"interval": interval, "interval_count": 1},
                                "unit_amount": session["amount_total"],
                            },
                        }
                    ],
                },
                "metadata": metadata,
                "pause_collection": None,
                "status": "active",
                "_card": card,
            },
        )
        session["subscription"] = subscription["id"]
        self.tell("customer.subscription.created", subscription)

    def subscription_of(self, customer: str) -> dict[str, Any]:
        return next(one for one in self.all("subscription") if one["customer"] == customer)

    def renew(self, customer: str) -> None:
        """The clock goes to the next payment, which is taken or not."""
        found = self.subscription_of(customer)
        item = found["items"]["data"][0]
        self.now = max(self.now, item["current_period_end"])
        self._renew_now(found)

    def try_again(self, customer: str) -> None:
        """Stripe takes what is open, unless it was made void."""
        found = self.subscription_of(customer)
        if self._invoice(found)["status"] == "open":
            self._charge_again(found)

    def give_up(self, customer: str) -> None:
        """Stripe's retries are over."""
        self.end(self.subscription_of(customer)["id"])

    def _renew_now(self, found: dict[str, Any]) -> None:
        if found["status"] == "canceled":
            return
        item = found["items"]["data"][0]
        pause = found["pause_collection"]
        item["current_period_end"] = later(
            found["created"], self.now, item["price"]["recurring"]["interval"]
        )
        self.tell("customer.subscription.updated", found)
        if pause is None:
            found["_intent"] = self.id("pi")
            self._charge_again(found)

    def _charge_again(self, found: dict[str, Any]) -> None:
        price = found["items"]["data"][0]["price"]
        charge = self.charge(
            price["unit_amount"],
            price["currency"],
            found["_card"],
            intent=found["_intent"],
            customer=found["customer"],
            metadata={},
        )
        failed = charge["status"] == "failed"
        self._invoice(found)["status"] = "open" if failed else "paid"
        status = "past_due" if failed else "active"
        if status != found["status"]:
            found["status"] = status
            self.tell("customer.subscription.updated", found)

    def _invoice(self, found: dict[str, Any]) -> dict[str, Any]:
        """That of the present renewal."""
        name = f"in_{found['_intent']}"
        made = {"id": name, "object": "invoice", "subscription": found["id"], "status": "open"}
        return self.objects.get("invoice", {}).get(name) or self.put("invoice", made)

    def void(self, name: str) -> dict[str, Any]:
        invoice = self.get("invoice", name)
        invoice["status"] = "void"
        found = self.get("subscription", invoice["subscription"])
        found["status"] = "active"
        self.tell("customer.subscription.updated", found)
        return invoice

    def update(self, name: str, asked: dict[str, Any]) -> dict[str, Any]:
        found = self.get("subscription", name)
        if found["status"] == "canceled":
            raise RefusalError(404, "invalid_request_error", "resource_missing", "it was canceled")
        if "pause_collection" in asked:
            pause = asked["pause_collection"]
            found["pause_collection"] = (
                {"behavior": pause["behavior"], "resumes_at": int(pause["resumes_at"])}
                if pause
                else None
            )
        for changed in asked.get("items", {}).values():
            item = next(one for one in found["items"]["data"] if one["id"] == changed["id"])
            price = changed["price_data"]
            if price["product"] != item["price"]["product"]:
                raise RefusalError(400, "invalid_request_error", "resource_missing", "no product")
            item["price"]["unit_amount"] = int(price["unit_amount"])
        self.tell("customer.subscription.updated", found)
        return found

    def end(self, name: str) -> dict[str, Any]:
        found = self.get("subscription", name)
        if found["status"] == "canceled":
            raise RefusalError(404, "invalid_request_error", "resource_missing", "it was canceled")
        found["status"] = "canceled"
        found["ended_at"] = self.now
        self.tell("customer.subscription.deleted", found)
        return found
