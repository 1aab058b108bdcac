# SPDX-License-Identifier: AGPL-3.0-or-later
"""The models of contributions, one file a subject."""

from tamizdat.desk.contributions.models.asking import Ask, AskVersion, Place
from tamizdat.desk.contributions.models.gifts import (
    Dispute,
    Gift,
    Movement,
    Payment,
    Payout,
    Receipts,
    Refund,
    SeenEvent,
    Standing,
    Trouble,
    Wish,
)
from tamizdat.desk.contributions.models.ledger import Account, Leg, Transaction
from tamizdat.desk.contributions.models.reminders import Reminder

__all__ = [
    "Account",
    "Ask",
    "AskVersion",
    "Dispute",
    "Gift",
    "Leg",
    "Movement",
    "Payment",
    "Payout",
    "Place",
    "Receipts",
    "Refund",
    "Reminder",
    "SeenEvent",
    "Standing",
    "Transaction",
    "Trouble",
    "Wish",
]
