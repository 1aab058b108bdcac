# SPDX-License-Identifier: AGPL-3.0-or-later
"""Payments by what people at the desk know of them: filters, one field to search, pages.

What always holds: the newest stand first; a page is read from an index, however many payments there
are and however far back it lies, and they are never counted. An address is not searched for here:
it would stand in the desk's own address (``givers``).
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any, Final, NamedTuple

from django import forms
from django.db.models import Q, QuerySet

from tamizdat.desk.contributions.models import Dispute, Gift, Payment, Refund, Standing
from tamizdat.desk.contributions.pages.gifts import words
from tamizdat.giving.errors import AmountError
from tamizdat.giving.money import typed

PAGE: Final = 50
MOST: Final = 500  # payments of one agreement that a search finds
_RECEIPT = re.compile(r"(2[0-9]{3})\s*[-–]\s*([0-9]{1,9})\Z")
_AMOUNT = re.compile(r"(?:([A-Za-z]{3})\s*)?([0-9][0-9 \u00a0\u202f.,]*?)(?:\s*([A-Za-z]{3}))?\Z")
_PLACE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})\.([0-9]{1,18})\Z")
_ANY = ("", "Any")


class DayInput(forms.DateInput):
    """The browser's own field for a day."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class SearchForm(forms.Form):
    """Everything is optional. Sent by GET, so that a page can be kept as a bookmark."""

    q = forms.CharField(required=False, max_length=255, label="Find")
    kind = forms.ChoiceField(required=False, choices=[_ANY, *words.KINDS.items()])
    state = forms.ChoiceField(
        required=False,
        choices=[
            _ANY,
            ("paid", "Paid"),
            ("pending", "Under way"),
            ("failed", "Did not go through"),
        ],
    )
    provider = forms.ChoiceField(required=False)
    currency = forms.ChoiceField(required=False)
    since = forms.DateField(required=False, label="From", widget=DayInput())
    until = forms.DateField(required=False, label="To", widget=DayInput())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, known in (("provider", providers()), ("currency", currencies())):
            choices = [_ANY, *((one, one) for one in known)]
            self.fields[name].choices = choices  # type: ignore[attr-defined]  # a ChoiceField

    def clean_q(self) -> str:
        text = str(self.cleaned_data["q"]).strip()
        if "@" in text:
            raise forms.ValidationError(
                "An address is not searched for here. Who is in the readers' desk finds what "
                "somebody gave under “Find a giver”."
            )
        return text

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and since > until:
            self.add_error("until", "This day is before the first one.")
        return cleaned

    @property
    def filled(self) -> bool:
        return any(self.data.get(name) for name in self.fields)


def currencies() -> list[str]:
    """In which something was ever given."""
    return list(Payment.objects.order_by("currency").values_list("currency", flat=True).distinct())


def providers() -> list[str]:
    """Which ever told anything."""
    return list(Standing.objects.order_by("pk").values_list("pk", flat=True))


def matching(wanted: dict[str, Any]) -> QuerySet[Payment]:
    """The payments that somebody looks for, by the cleaned data of ``SearchForm``."""
    found = Payment.objects.all()
    for name in ("state", "provider", "currency"):
        if wanted.get(name):
            found = found.filter(**{name: wanted[name]})
    if wanted.get("kind"):
        found = found.filter(gift__kind=wanted["kind"])
    if wanted.get("since"):
        found = found.filter(day__gte=wanted["since"])
    if wanted.get("until"):
        found = found.filter(day__lte=wanted["until"])
    text = wanted.get("q", "")
    return found.filter(_named(text, wanted.get("currency", ""))) if text else found


def _named(text: str, currency: str) -> Q:
    """A receipt's number as it stands on it, an amount in any currency or the one that is named,
    else what a provider calls something."""
    if receipt := _RECEIPT.match(text):
        year, number = int(receipt[1]), int(receipt[2])
        whole_year = (date(year, 1, 1), date(year, 12, 31))
        return Q(receipt=number, day__range=whole_year) if number else Q(pk__in=[])
    if amount := _AMOUNT.match(text):
        return _of_amount(amount[2], (amount[1] or amount[3] or currency).upper())
    return _of_reference(text)


def _of_amount(text: str, currency: str) -> Q:
    found = Q(pk__in=[])
    for code in currencies():
        if currency in ("", code):
            try:
                found |= Q(currency=code, amount=typed(text, code).amount)
            except AmountError:
                continue  # It cannot be an amount of this currency.
    return found


def _of_reference(text: str) -> Q:
    """Of a payment, its agreement or checkout, of what was given back or is disputed."""
    here = Q(provider__in=providers())
    told = [text, *Refund.objects.filter(here, ref=text).values_list("payment_ref", flat=True)]
    told += Dispute.objects.filter(here, ref=text).values_list("payment_ref", flat=True)
    gifts = Gift.objects.filter(Q(here, ref=text) | Q(checkout=text)).values_list("pk", flat=True)
    # One question each, so that each has its index.
    found: set[int] = set()
    for wanted in (Q(here, ref__in=told), Q(here, gift_ref=text), Q(gift__in=list(gifts[:PAGE]))):
        found.update(Payment.objects.filter(wanted).values_list("pk", flat=True)[:MOST])
    return Q(pk__in=found)


class Page(NamedTuple):
    """``newer`` and ``older`` are the places from which the pages beside it begin, or empty."""

    rows: list[Payment]
    newer: str
    older: str


def page(found: QuerySet[Payment], *, before: str = "", after: str = "") -> Page:
    """The newest, or what lies beside a place. One that cannot be read is passed over."""
    place, later = _place(before or after), bool(after) and not before
    rows = found.select_related("gift")
    if place is not None and later:
        day, pk = place
        beside = Q(day__gt=day) | Q(day=day, pk__gt=pk)
        some = list(rows.filter(beside, day__gte=day).order_by("day", "pk")[: PAGE + 1])
        more, shown = len(some) > PAGE, some[:PAGE][::-1]
        return Page(shown, _at(shown[0]) if more else "", _at(shown[-1]) if shown else "")
    if place is not None:
        day, pk = place
        rows = rows.filter(Q(day__lt=day) | Q(day=day, pk__lt=pk), day__lte=day)
    some = list(rows.order_by("-day", "-pk")[: PAGE + 1])
    more, shown = len(some) > PAGE, some[:PAGE]
    newer = _at(shown[0]) if shown and place else ""
    return Page(shown, newer, _at(shown[-1]) if more else "")


def _at(row: Payment) -> str:
    return f"{row.day.isoformat()}.{row.pk}"


def _place(text: str) -> tuple[date, int] | None:
    found = _PLACE.match(text)
    try:
        return (date.fromisoformat(found[1]), int(found[2])) if found else None
    except ValueError:
        return None
