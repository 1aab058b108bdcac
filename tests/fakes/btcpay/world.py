# SPDX-License-Identifier: AGPL-3.0-or-later
"""Invoices at our BTCPay, and what becomes of them. Amounts of bitcoin are invented."""

from __future__ import annotations

import hmac
import itertools
import json
import threading
from typing import Any

STORE = "PloverShop1"
NAME = "Wilhelmina Quist"
ADDRESS = "ada@reed.example"
VALUE = "0.00010601"


class World:
    """``now`` is its clock, in unix seconds; ``sent`` are the bodies of its webhook's calls."""

    def __init__(self, *, now: int) -> None:
        self.now = now
        self.invoices: dict[str, dict[str, Any]] = {}
        self.paid: dict[str, list[dict[str, Any]]] = {}
        self.sent: list[bytes] = []
        self.lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._failing: set[str] = set()

    def open(self, asked: dict[str, Any], base: str) -> dict[str, Any]:
        name = f"Inv{next(self._numbers):06d}"
        self.invoices[name] = {
            "id": name,
            "storeId": STORE,
            "amount": asked["amount"],
            "currency": asked["currency"],
            "status": "New",
            "additionalStatus": "None",
            "createdTime": self.now,
            "expirationTime": self.now + 1_800,
            "checkoutLink": f"{base}/i/{name}",
            "metadata": {**asked["metadata"], "buyerName": NAME, "buyerEmail": ADDRESS},
            "checkout": asked["checkout"],
        }
        self._tell(name, "InvoiceCreated")
        return self.invoices[name]

    def pay(self, name: str, *, confirmed: bool = True, fails: bool = False) -> None:
        """Somebody sends the bitcoin; it is confirmed at once, later or never."""
        if self.invoices[name]["status"] != "New":
            return
        self.paid[name] = [{"id": f"{name}-0", "value": VALUE, "status": "Processing"}]
        self._tell(name, "InvoiceReceivedPayment")
        self._become(name, "Processing")
        if fails:
            self._failing.add(name)
        if confirmed:
            self.confirm()

    def confirm(self) -> None:
        for name, invoice in self.invoices.items():
            if invoice["status"] != "Processing":
                continue
            fails = name in self._failing
            for one in self.paid[name]:
                one["status"] = "Invalid" if fails else "Settled"
            self._become(name, "Invalid" if fails else "Settled")

    def expire(self, name: str) -> None:
        if self.invoices[name]["status"] == "New":
            self._become(name, "Expired")

    def signature(self, body: bytes, secret: str) -> str:
        return "sha256=" + hmac.new(secret.encode(), body, "sha256").hexdigest()

    def _become(self, name: str, status: str) -> None:
        self.invoices[name]["status"] = status
        self._tell(name, f"Invoice{status}")

    def _tell(self, name: str, kind: str) -> None:
        number = f"delivery{next(self._numbers)}"
        said = {
            "deliveryId": number,
            "webhookId": "hook1",
            "originalDeliveryId": number,
            "isRedelivery": False,
            "type": kind,
            "timestamp": self.now,
            "storeId": STORE,
            "invoiceId": name,
            "metadata": self.invoices[name]["metadata"],
        }
        self.sent.append(json.dumps(said).encode())
