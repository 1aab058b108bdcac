# SPDX-License-Identifier: AGPL-3.0-or-later
"""Agreements, payments and what became of them, as the provider told.

What always holds (the database refuses anything else):

- Each row is one object of one provider: ``(provider, ref)`` is unique. Rows are made from facts
  (``giving.port``) in any order; what a row says comes from the latest fact about it (``at``).
- Who gave is a reference into the vault and nothing else: no name, address, place, card or IP.
- Of time only days are kept of what a person did; ``at`` is the provider's clock, for its order.
- An event is handled once (``SeenEvent``); nothing of its body stays.

What is not done here: taking facts in (``facts``), the books (``ledger``).
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from tamizdat.desk.readers.models import Reader, random_id

KINDS = ("once", "monthly", "annual")


class Gift(models.Model):
    """An agreement to give, once or again and again. ``intent`` is empty where it did not begin
    with us. ``reader`` is empty where nobody left an address, or asked to be forgotten
    (``forgotten``: their address is not taken in again, whatever the provider repeats); ``number``
    is by which the reader calls it, from 1. ``amount_at`` and ``next_at`` are as of when the
    provider told the amount and ``next_day``, the day of the next payment. ``failed`` counts the
    mails about a renewal that failed, ``warned`` is the day of the last one."""

    class State(models.TextChoices):
        OPEN = "open", "begun, not paid yet"
        ACTIVE = "active", "is given"
        LATE = "late", "a payment failed and is tried again"
        PAUSED = "paused", "paused"
        ENDED = "ended", "over"
        EXPIRED = "expired", "begun and left"

    id = models.BigIntegerField(primary_key=True, default=random_id)
    provider = models.SlugField(max_length=40)
    ref = models.CharField(max_length=255)
    checkout = models.CharField(max_length=255, blank=True)
    intent = models.CharField(max_length=22, blank=True)
    kind = models.CharField(max_length=10, blank=True)
    amount = models.BigIntegerField(default=0)
    amount_at = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    at = models.BigIntegerField(default=0)
    # Named, so that readers are not tidied away while they give (readers.retention).
    reader = models.ForeignKey(Reader, on_delete=models.SET_NULL, null=True, related_name="gifts")
    number = models.PositiveSmallIntegerField(default=0)
    forgotten = models.BooleanField(default=False)
    language = models.CharField(max_length=35, blank=True)
    message = models.SlugField(max_length=60, blank=True)
    variant = models.SlugField(max_length=60, blank=True)
    behalf = models.BooleanField(default=False)
    day = models.DateField()
    ended = models.DateField(null=True)
    next_day = models.DateField(null=True)
    next_at = models.BigIntegerField(default=0)
    failed = models.PositiveSmallIntegerField(default=0)
    warned = models.DateField(null=True)
    thanked = models.BooleanField(default=False)

    class Meta:
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["reader"], name="contributions_gift_of"),
            models.Index(fields=["kind", "state"], name="contributions_gift_state"),
            models.Index(fields=["provider", "intent"], name="contributions_gift_intent"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["provider", "ref"], name="contributions_one_gift"),
            models.CheckConstraint(
                condition=Q(kind__in=("", *KINDS)), name="contributions_gift_kind"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["open", "active", "late", "paused", "ended", "expired"]),
                name="contributions_gift_state_known",
            ),
            models.CheckConstraint(condition=Q(amount__gte=0), name="contributions_gift_amount"),
        ]

    def __str__(self) -> str:
        return f"gift {self.pk:x}"


class Payment(models.Model):
    """Money from a giver, or a try. ``gift_ref`` names its agreement as the provider does, also
    while that is not known here yet. ``receipt`` counts the newsroom's receipts, without gaps in a
    year; 0 where there is none."""

    class State(models.TextChoices):
        PENDING = "pending", "under way"
        PAID = "paid", "paid"
        FAILED = "failed", "failed"

    provider = models.SlugField(max_length=40)
    ref = models.CharField(max_length=255)
    gift_ref = models.CharField(max_length=255, blank=True)
    gift = models.ForeignKey(Gift, on_delete=models.PROTECT, null=True, related_name="payments")
    intent = models.CharField(max_length=22, blank=True)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=10, choices=State.choices)
    cause = models.CharField(max_length=60, blank=True)
    at = models.BigIntegerField()
    day = models.DateField()
    receipt = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["day", "state"], name="contributions_payment_day"),
            models.Index(fields=["provider", "gift_ref"], name="contributions_payment_of"),
            models.Index(fields=["provider", "intent"], name="contributions_payment_intent"),
            # By what people search for one.
            models.Index(fields=["currency", "amount"], name="contributions_payment_sum"),
            models.Index(fields=["receipt"], name="contributions_payment_receipt"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["provider", "ref"], name="contributions_one_payment"),
            models.CheckConstraint(
                condition=Q(state__in=["pending", "paid", "failed"]),
                name="contributions_payment_state",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="contributions_payment_amount"),
        ]

    def __str__(self) -> str:
        return f"payment {self.pk}"


class Refund(models.Model):
    """Money given back. ``asked_by`` and ``approved_by`` are two people of the desk; both empty
    where the provider began it. ``ref`` is empty until the provider named it; ``key`` is what we
    call it to the provider, so that asking twice gives back once. ``why`` is of who asked, ``said``
    why it could not be done."""

    class State(models.TextChoices):
        ASKED = "asked", "waits for a second person"
        APPROVED = "approved", "goes to the provider"
        PENDING = "pending", "under way"
        DONE = "done", "given back"
        FAILED = "failed", "failed"
        DECLINED = "declined", "not given back"

    provider = models.SlugField(max_length=40)
    ref = models.CharField(max_length=255, null=True)
    key = models.CharField(max_length=60, unique=True, null=True)
    payment_ref = models.CharField(max_length=255)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=10, choices=State.choices)
    at = models.BigIntegerField(default=0)
    day = models.DateField()
    why = models.CharField(max_length=300, blank=True)
    said = models.CharField(max_length=300, blank=True)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        default_permissions = ("view",)
        permissions = [("ask_refund", "Can ask for refunds"), ("approve_refund", "Can give back")]
        indexes = [models.Index(fields=["provider", "payment_ref"], name="contributions_refund_of")]
        constraints = [
            models.UniqueConstraint(fields=["provider", "ref"], name="contributions_one_refund"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="contributions_refund_amount"),
            models.CheckConstraint(
                condition=Q(asked_by=None)
                | Q(approved_by=None)
                | ~Q(asked_by=models.F("approved_by")),
                name="contributions_refund_four_eyes",
            ),
        ]

    def __str__(self) -> str:
        return f"refund {self.pk}"


class Dispute(models.Model):
    """A payment that its giver's bank takes back."""

    class State(models.TextChoices):
        OPEN = "open", "open"
        WON = "won", "won"
        LOST = "lost", "lost"

    provider = models.SlugField(max_length=40)
    ref = models.CharField(max_length=255)
    payment_ref = models.CharField(max_length=255)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=10, choices=State.choices)
    reason = models.CharField(max_length=60, blank=True)
    due = models.DateField(null=True)
    at = models.BigIntegerField()
    day = models.DateField()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["provider", "ref"], name="contributions_one_dispute")
        ]

    def __str__(self) -> str:
        return f"dispute {self.pk}"


class Movement(models.Model):
    """One line of the provider's balance (``port.MovementFact``). Booked once, never changed."""

    provider = models.SlugField(max_length=40)
    ref = models.CharField(max_length=255)
    kind = models.CharField(max_length=20)
    gross = models.BigIntegerField()
    fee = models.BigIntegerField()
    net = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    source_amount = models.BigIntegerField()
    source_currency = models.CharField(max_length=3)
    about = models.CharField(max_length=255, blank=True)
    payout = models.CharField(max_length=255, blank=True)
    at = models.BigIntegerField()
    day = models.DateField()

    class Meta:
        default_permissions = ("view",)
        indexes = [models.Index(fields=["provider", "payout"], name="contributions_movement_of")]
        constraints = [
            models.UniqueConstraint(fields=["provider", "ref"], name="contributions_one_movement"),
            models.CheckConstraint(
                condition=Q(net=models.F("gross") - models.F("fee")),
                name="contributions_movement_adds_up",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class Payout(models.Model):
    """What the provider sent to the newsroom's bank."""

    provider = models.SlugField(max_length=40)
    ref = models.CharField(max_length=255)
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=10)
    at = models.BigIntegerField()
    day = models.DateField()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["provider", "ref"], name="contributions_one_payout"),
            models.CheckConstraint(
                condition=Q(state__in=["pending", "paid", "failed"]),
                name="contributions_payout_state",
            ),
        ]

    def __str__(self) -> str:
        return f"payout {self.pk}"


class Receipts(models.Model):
    """How many receipts were numbered in a year."""

    year = models.PositiveIntegerField(primary_key=True)
    last = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.year}: {self.last}"


class Wish(models.Model):
    """What a giver asked for by link and the provider has not done yet; gone once it is done. The
    provider knows it as ``wish-ID``, so that asking again does it once. ``answer``: the giver is
    told by mail. ``said`` is why the provider refused, for the desk."""

    class Ask(models.TextChoices):
        AMOUNT = "amount", "another amount"
        PAUSE = "pause", "a pause"
        RESUME = "resume", "to go on"
        CANCEL = "cancel", "to end it"
        CARD = "card", "another card"

    gift = models.ForeignKey(Gift, on_delete=models.CASCADE, related_name="wishes")
    ask = models.CharField(max_length=10, choices=Ask.choices)
    amount = models.BigIntegerField(default=0)
    until = models.DateField(null=True)
    answer = models.BooleanField(default=True)
    refused = models.BooleanField(default=False)
    attempts = models.PositiveIntegerField(default=0)
    not_before = models.DateTimeField()
    said = models.CharField(max_length=300, blank=True)

    class Meta:
        default_permissions = ("view",)
        indexes = [models.Index(fields=["refused", "not_before"], name="contributions_wish_due")]
        constraints = [
            models.CheckConstraint(
                condition=Q(ask__in=["amount", "pause", "resume", "cancel", "card"]),
                name="contributions_wish_known",
            )
        ]

    def __str__(self) -> str:
        return f"wish {self.pk}"


class SeenEvent(models.Model):
    """An event that was taken in: its id, and nothing of what it said."""

    provider = models.SlugField(max_length=40)
    event = models.CharField(max_length=255)
    day = models.DateField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["provider", "event"], name="contributions_one_event")
        ]

    def __str__(self) -> str:
        return self.event


class Standing(models.Model):
    """How it stands with a provider. ``last_event``: the hour in which the last call of its webhook
    came; ``newest``: when the newest event that it lists happened; ``gaps``: what the last
    reconciliation (``reconciled``) found that no call had told; ``gaps_in_all`` those ever;
    ``forged``: calls that were not its own, on ``forged_day``."""

    provider = models.SlugField(max_length=40, primary_key=True)
    begun = models.DateTimeField(null=True)
    last_event = models.DateTimeField(null=True)
    reconciled = models.DateTimeField(null=True)
    reconciled_to = models.DateTimeField(null=True)
    newest = models.DateTimeField(null=True)
    gaps = models.PositiveIntegerField(default=0)
    gaps_in_all = models.PositiveIntegerField(default=0)
    next_try = models.DateTimeField(null=True)
    forged = models.PositiveIntegerField(default=0)
    forged_day = models.DateField(null=True)
    trouble = models.CharField(max_length=500, blank=True)

    class Meta:
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.provider


class Trouble(models.Model):
    """What the worker cannot do for contributions just now: one of the tasks of ``rounds``, since
    when, which error. Gone once it goes again."""

    task = models.CharField(max_length=60, primary_key=True)
    since = models.DateTimeField()
    said = models.CharField(max_length=500)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.task
