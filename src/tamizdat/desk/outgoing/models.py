# SPDX-License-Identifier: AGPL-3.0-or-later
"""Mail on its way out: single mails, relays, and addresses that are not to be written to.

What always holds (the database refuses anything else):

- What a mail says and whom it goes to lies here only sealed by the vault; it goes as soon as the
  mail went, the row a week later.
- A mail is ``sending`` from before its first byte leaves until the relay's answer is kept; what a
  dead worker left so is ``unknown``.
- One suppression in force a reader.
- What a relay said is kept without any address (``said``).

What is not done here: issues of newsletters, which have a ledger of their own (``newsletter``).
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tamizdat.desk.readers.models import Reader


class State(models.TextChoices):
    """Of a mail, single or of an issue."""

    QUEUED = "queued", "waits"
    SENDING = "sending", "is being sent"
    SENT = "sent", "sent"
    REFUSED = "refused", "refused"
    DEFERRED = "deferred", "put off, tried again"
    UNKNOWN = "unknown", "not known whether it went"


class Mail(models.Model):
    """One single mail. ``sealed`` opens to ``lanes.Letter`` (purpose ``outgoing.mail``);
    ``mailbox`` is a keyed fingerprint that addresses with and without a ``+tag`` share."""

    purpose = models.SlugField(max_length=50)
    reader = models.ForeignKey(Reader, on_delete=models.CASCADE, null=True, related_name="+")
    mailbox = models.CharField(max_length=64, blank=True, default="")
    sealed = models.BinaryField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    created = models.DateTimeField()
    not_before = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    worker = models.CharField(max_length=80, blank=True)
    relay = models.CharField(max_length=40, blank=True)
    code = models.CharField(max_length=20, blank=True)
    said = models.CharField(max_length=500, blank=True)
    finished = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["state", "not_before", "id"], name="outgoing_mail_due"),
            models.Index(fields=["mailbox"], name="outgoing_mail_of_mailbox"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="outgoing_mail_state"),
            models.CheckConstraint(
                condition=Q(state="sending") & ~Q(worker="") | ~Q(state="sending"),
                name="outgoing_sending_has_worker",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose}, {self.get_state_display()}"


class Suppression(models.Model):
    """Why a reader is not written to. Lifted by the reader's own word, never by itself."""

    class Reason(models.TextChoices):
        HARD = "hard", "the address does not exist"
        SOFT = "soft", "the mailbox could not be reached for long"
        COMPLAINT = "complaint", "complained"
        IMPORTED = "imported", "was suppressed where the list came from"
        BY_HAND = "by-hand", "entered by hand"

    reader = models.ForeignKey(Reader, on_delete=models.CASCADE, related_name="suppressions")
    reason = models.CharField(max_length=10, choices=Reason.choices)
    day = models.DateField()
    code = models.CharField(max_length=20, blank=True)
    said = models.CharField(max_length=500, blank=True)
    lifted = models.DateField(null=True)

    class Meta:
        default_permissions = ("view", "change")
        constraints = [
            models.UniqueConstraint(
                fields=["reader"], condition=Q(lifted=None), name="outgoing_one_suppression"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_reason_display()}, since {self.day}"


class Relay(models.Model):
    """How a relay of the settings stands. ``paused`` by people; ``problem`` says why it rests."""

    name = models.CharField(max_length=40, unique=True)
    paused = models.BooleanField(default=False)
    problem = models.TextField(blank=True)
    failures = models.PositiveIntegerField(default=0)
    next_try = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ("view", "change")

    def __str__(self) -> str:
        return self.name


class Spent(models.Model):
    """What was taken of an allowance in one slice of time (``limits``). ``key`` names a relay or
    a receiving domain, ``span`` the seconds in which no more than so much may be taken, ``slice``
    the number of the slice since 1970, by the database's clock."""

    key = models.CharField(max_length=80)
    span = models.PositiveIntegerField()
    slice = models.BigIntegerField()
    used = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["key", "span", "slice"], name="outgoing_one_slice")
        ]

    def __str__(self) -> str:
        return f"{self.key}: {self.used}"


class Return(models.Model):
    """A mail that came back, or why a relay refused one. ``digest`` (SHA-256, hexadecimal) is of
    the report: the same one counts once; empty for what a relay said itself. ``reader`` is unknown
    where no token proves it, and left out of refusals for our sake (``policy``), which are counted
    by day and code. ``sealed`` holds the report where it could not be understood, and ``why``."""

    digest = models.CharField(max_length=64, blank=True)
    reader = models.ForeignKey(Reader, on_delete=models.CASCADE, null=True, related_name="+")
    kind = models.CharField(max_length=10)
    day = models.DateField()
    code = models.CharField(max_length=20, blank=True)
    said = models.CharField(max_length=500, blank=True)
    why = models.CharField(max_length=200, blank=True)
    sealed = models.BinaryField(default=bytes)
    count = models.PositiveIntegerField(default=1)

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["kind", "day"], name="outgoing_return_by_day")]
        constraints = [
            models.UniqueConstraint(
                fields=["digest"], condition=~Q(digest=""), name="outgoing_one_return"
            ),
            models.UniqueConstraint(
                fields=["day", "code"], condition=Q(kind="policy"), name="outgoing_one_policy_a_day"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.code}, {self.day}"
