# SPDX-License-Identifier: AGPL-3.0-or-later
"""Refunds: asked for by one, approved or declined by another, carried out by the worker."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.conf import settings
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import cached_property
from wagtail.admin import messages

from tamizdat.desk.contributions import actions
from tamizdat.desk.contributions.errors import RefundError
from tamizdat.desk.contributions.models import Payment, Refund
from tamizdat.desk.contributions.pages.gifts import lines, words
from tamizdat.desk.contributions.pages.gifts.base import DeskView, PostView, number_of_page
from tamizdat.desk.contributions.pages.gifts.lines import RefundLine
from tamizdat.desk.publishing import actions as publishing
from tamizdat.desk.publishing.forms import TokenForm
from tamizdat.desk.staff.models import User
from tamizdat.giving.errors import AmountError
from tamizdat.giving.money import EXPONENTS, Money, exponent, plain, typed

PAGE = 50
ON_THEIR_WAY = (Refund.State.APPROVED, Refund.State.PENDING)
_PEOPLE = ("asked_by", "approved_by")


class AskForm(TokenForm):
    """How much of a payment, in the currency's main unit, and why."""

    amount = forms.CharField(max_length=20)
    why = forms.CharField(
        max_length=300,
        label="Why",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Whoever approves it reads this. Without a name or an address: it is kept.",
        error_messages={"required": "Say why: whoever approves it reads that."},
    )

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._currency = currency
        digits = exponent(currency)
        self.fields["amount"].label = f"How much, in {currency}"
        self.fields["amount"].widget.attrs["inputmode"] = "decimal" if digits else "numeric"
        self.fields["amount"].help_text = (
            f"All of it or a part, with at most {digits} digits behind the point."
            if digits
            else f"All of it or a part, in whole {currency}."
        )

    def clean_amount(self) -> Money:
        try:
            return typed(self.cleaned_data["amount"], self._currency)
        except AmountError as error:
            said = str(error)
            raise forms.ValidationError(f"{said[:1].upper()}{said[1:]}.") from None


class AskView(DeskView):
    """Ask for a payment, or a part of it, to be given back."""

    permission = actions.ASK
    template_name = "contributions/gifts/ask.html"
    page_title = "Give back"

    def above(self) -> list[dict[str, Any]]:
        where = reverse("contributions:payment", args=[self.payment.pk])
        return [
            {"url": reverse("contributions:gifts"), "label": "Gifts"},
            {"url": where, "label": words.day(self.payment.day)},
        ]

    @cached_property
    def payment(self) -> Payment:
        rows = Payment.objects.select_related("gift")
        return get_object_or_404(rows, pk=self.kwargs["pk"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        [line] = lines.of_payments([self.payment], self.person)
        left = actions.left_of(self.payment)
        fresh = {"amount": plain(left), "token": uuid.uuid4()} if line.left else {}
        return {
            "form": AskForm(currency=self.payment.currency, initial=fresh) if line.left else None,
            **super().get_context_data(**kwargs),
            "line": line,
            "left": words.money(*left),
            "four_eyes": settings.NEWSROOM.settings.desk.four_eyes,
            "alone": nobody_else_approves(self.person),
        }

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.payment.currency not in EXPONENTS:
            return self.render_to_response(self.get_context_data(), status=422)
        form = AskForm(request.POST, currency=self.payment.currency)
        if form.is_valid():
            try:
                self._once(form)
                return redirect("contributions:refunds")
            except RefundError as error:
                form.add_error("amount", str(error))
        return self.render_to_response(self.get_context_data(form=form), status=422)

    @transaction.atomic
    def _once(self, form: AskForm) -> None:
        if not publishing.first_time(form.cleaned_data["token"]):
            return
        money: Money = form.cleaned_data["amount"]
        actions.ask_refund(
            payment=self.payment,
            money=money,
            why=form.cleaned_data["why"],
            acting_user=self.person,
        )
        said = f"Asked for {words.money(*money)} to be given back. "
        if settings.NEWSROOM.settings.desk.four_eyes:
            said += "Another person has to approve it; nothing is given back before that."
        else:
            said += "It is given back once it is approved."
        messages.success(self.request, said)


def nobody_else_approves(person: User) -> bool:
    """Whether a refund that somebody asks for could be approved by nobody."""
    if not settings.NEWSROOM.settings.desk.four_eyes:
        return False
    others = User.objects.filter(is_active=True).exclude(pk=person.pk)
    return not any(user.has_perm(actions.APPROVE) for user in others.iterator())


class RefundsView(DeskView):
    """What waits for a second person first, the oldest on top; what is on its way; the rest."""

    template_name = "contributions/gifts/refunds.html"
    page_title = "Refunds"
    tab = "refunds"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rows = Refund.objects.select_related(*_PEOPLE)
        over = rows.exclude(state__in=(Refund.State.ASKED, *ON_THEIR_WAY))
        page = Paginator(over.order_by("-pk"), PAGE).get_page(number_of_page(self.request))
        return {
            **super().get_context_data(**kwargs),
            "waiting": self._lines(rows.filter(state=Refund.State.ASKED).order_by("pk")),
            "on_their_way": self._lines(rows.filter(state__in=ON_THEIR_WAY).order_by("pk")),
            "page": page,
            "over": self._lines(page.object_list),
        }

    def _lines(self, rows: Any) -> list[RefundLine]:
        return lines.of_refunds(rows, self.person)


class RefundView(DeskView):
    """One refund: what is asked and why; for the second person, yes or no."""

    template_name = "contributions/gifts/refund.html"
    page_title = "A refund"
    tab = "refunds"

    def above(self) -> list[dict[str, Any]]:
        return [{"url": reverse("contributions:refunds"), "label": "Refunds"}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rows = Refund.objects.select_related(*_PEOPLE)
        refund = get_object_or_404(rows, pk=self.kwargs["pk"])
        [line] = lines.of_refunds([refund], self.person)
        payments = lines.of_payments([line.payment], self.person) if line.payment else []
        may = self.request.user.has_perm(actions.APPROVE)
        eyes = settings.NEWSROOM.settings.desk.four_eyes
        return {
            **super().get_context_data(**kwargs),
            "line": line,
            "of": payments[0] if payments else None,
            "steps": lines.steps(None, [refund]),
            "decides": line.waits and may and not (line.mine and eyes),
            "takes_back": line.waits and line.mine,
            "alone": line.waits and line.mine and nobody_else_approves(self.person),
            "token": uuid.uuid4(),
        }


class DeclineForm(TokenForm):
    why = forms.CharField(max_length=300, required=False)


class DecisionView(PostView):
    """Base of yes and no."""

    permission = actions.APPROVE

    @cached_property
    def refund(self) -> Refund:
        return get_object_or_404(Refund, pk=self.kwargs["pk"])

    def target(self) -> str:
        return reverse("contributions:refund", args=[self.kwargs["pk"]])


class ApproveView(DecisionView):
    def act(self, form: TokenForm) -> str:
        actions.approve_refund(refund=self.refund, acting_user=self.person)
        return "Approved. The provider is asked within a minute; this page then says what it said."


class DeclineView(DecisionView):
    """No; for who asked, taking it back."""

    form_class = DeclineForm

    def admits(self, request: HttpRequest) -> bool:
        return super().admits(request) or bool(request.user.has_perm(actions.ASK))

    def act(self, form: DeclineForm) -> str:
        refund, why = self.refund, form.cleaned_data["why"].strip()
        mine = refund.asked_by_id == self.person.pk
        if not why and not mine:
            raise RefundError("Say why not: who asked reads that.")
        actions.decline_refund(refund=refund, why=why, acting_user=self.person)
        return "Taken back." if mine else "Declined. Who asked reads why in the list of refunds."
