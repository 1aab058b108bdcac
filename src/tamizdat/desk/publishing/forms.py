# SPDX-License-Identifier: AGPL-3.0-or-later
"""The forms of the publish panel, of corrections, withdrawals and addresses."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone

from tamizdat.desk.newsroom.text import slug_from

NOW, LATER = "now", "later"
CONFIRMATION = "withdraw"


class LocalDateTime(forms.DateTimeInput):
    """The browser's own field for a date and a time, in the newsroom's zone."""

    input_type = "datetime-local"

    def format_value(self, value: Any) -> str | None:
        if isinstance(value, datetime):  # In the newsroom's zone already: the field saw to it.
            return value.strftime("%Y-%m-%dT%H:%M")
        return super().format_value(value)


class WhenForm(forms.Form):
    """Now, or at a time."""

    when = forms.ChoiceField(
        choices=[(NOW, "Now"), (LATER, "At a time")], initial=NOW, widget=forms.RadioSelect
    )
    at = forms.DateTimeField(required=False, label="Date and time", widget=LocalDateTime())

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("when") != LATER or "at" in self.errors:
            return cleaned
        at = cleaned.get("at")
        if at is None:
            self.add_error("at", "Say when: a date and a time.")
        elif at <= timezone.now():
            self.add_error("at", "That time has passed. Choose a later one, or publish now.")
        return cleaned

    @property
    def time(self) -> datetime | None:
        """When it is to go out; None is now."""
        if self.cleaned_data["when"] == NOW:
            return None
        at: datetime = self.cleaned_data["at"]
        return at


class TokenForm(forms.Form):
    """A form that does its work once, however often it is sent."""

    token = forms.UUIDField(widget=forms.HiddenInput)


class PublishForm(TokenForm, WhenForm):
    """What the confirmation sends. ``revision`` is the text that was looked at."""

    revision = forms.IntegerField(widget=forms.HiddenInput)


class CorrectionForm(TokenForm):
    """A note to readers."""

    text = forms.CharField(
        label="What was wrong, and what is right",
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=2000,
        help_text="Readers see it above the text, with its date.",
    )
    date = forms.DateTimeField(
        label="Date", widget=LocalDateTime(), help_text="When it was put right."
    )
    changes = forms.ChoiceField(
        label="The changes that are not published yet",
        choices=[("yes", "Publish them together with this note"), ("no", "Keep them as a draft")],
        initial="yes",
        required=False,
        widget=forms.RadioSelect,
    )

    @property
    def with_changes(self) -> bool:
        return bool(self.cleaned_data["changes"] != "no")


class WithdrawalForm(TokenForm):
    """Why a story is taken back; typed out, so that it never happens by accident."""

    reason = forms.CharField(
        label="Why it is withdrawn",
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=1000,
        help_text="Readers see this reason in place of the text.",
    )
    confirmation = forms.CharField(
        label=f"Type “{CONFIRMATION}” to confirm",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )

    def clean_confirmation(self) -> str:
        typed: str = self.cleaned_data["confirmation"]
        if typed.strip().lower().strip("“”\"'") != CONFIRMATION:
            raise forms.ValidationError(f"Type the word “{CONFIRMATION}”, or go back.")
        return typed


class AddressForm(TokenForm):
    """Another address for a published story."""

    slug = forms.SlugField(
        label="Last part of the address",
        max_length=100,
        allow_unicode=True,
        help_text="The old address will lead to the new one.",
    )

    def clean_slug(self) -> str:
        return slug_from(self.cleaned_data["slug"])
