# SPDX-License-Identifier: AGPL-3.0-or-later
"""The books: account, transaction, leg.

What always holds (the database refuses anything else, see ``triggers``):

- A transaction's legs sum to nothing in each currency, and there are two at least. Legs are written
  first and refer to a transaction that is not there yet (a foreign key checked at the end of the
  database's transaction); writing the transaction itself is refused while its legs do not balance,
  and once it is there no leg can be added.
- Nothing is ever changed or deleted. A mistake is reversed by another transaction (``reverses``),
  and nothing is reversed twice.
- What a transaction books (``source``) is booked once.
- Amounts are whole numbers of a currency's smallest unit; debit is positive, credit negative.

What is not done here: what is booked where (``books``).
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tamizdat.desk.readers.models import random_id


class Account(models.Model):
    """``name`` as hledger and beancount write it: ``Assets:Stripe:Balance``."""

    class Kind(models.TextChoices):
        ASSETS = "Assets", "what the newsroom has"
        LIABILITIES = "Liabilities", "what it owes"
        EQUITY = "Equity", "what is changed into another currency"
        INCOME = "Income", "what was given"
        EXPENSES = "Expenses", "what it cost"

    name = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=12, choices=Kind.choices)

    class Meta:
        ordering = ["name"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.name


class Transaction(models.Model):
    """``source`` names what it books, as ``stripe:payment:pi_…``; a reversal is
    ``reverse:SOURCE``."""

    id = models.BigIntegerField(primary_key=True, default=random_id)
    source = models.CharField(max_length=300, unique=True)
    words = models.CharField(max_length=200)
    day = models.DateField()
    reverses = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        default_permissions = ("view",)
        indexes = [models.Index(fields=["day"], name="contributions_tx_day")]

    def __str__(self) -> str:
        return self.source


class Leg(models.Model):
    transaction = models.ForeignKey(Transaction, on_delete=models.PROTECT, related_name="legs")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="legs")
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)

    class Meta:
        default_permissions = ("view",)
        indexes = [models.Index(fields=["account", "currency"], name="contributions_leg_of")]
        constraints = [
            models.CheckConstraint(condition=~Q(amount=0), name="contributions_leg_not_nothing")
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"
