# SPDX-License-Identifier: AGPL-3.0-or-later
"""The forms of a message: what is said of it, and one form for each of its variants.

What always holds: what was typed stands in the form again, whatever was wrong with it; a form that
is ``quiet`` judges nothing yet (a variant was added or taken out while others are half-written).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.forms.utils import ErrorDict

from tamizdat.desk.contributions import content
from tamizdat.desk.contributions.content import (
    MOST_BUTTON,
    MOST_TEXT,
    MOST_TITLE,
    AskContent,
    AskText,
    AskVariant,
)
from tamizdat.desk.contributions.models import Ask, Place
from tamizdat.desk.contributions.pages.asks import sections
from tamizdat.desk.contributions.pages.asks.changes import called
from tamizdat.desk.contributions.pages.asks.rich import SimpleText
from tamizdat.desk.publishing.forms import LocalDateTime
from tamizdat.edition.site import RTL_LANGUAGES
from tamizdat.giving.choice import Kind, Offer
from tamizdat.giving.errors import AmountError
from tamizdat.giving.money import Money, exponent, plain, typed
from tamizdat.theme.words import endonym

CARDS = (1, 2, 3)
YEARS = range(2000, 2200)
PLACES = (
    (Place.RIBBON, "Ribbon: on top of every page"),
    (Place.MESSAGE, "Message: under every article"),
    (Place.THANKS, "Thank-you: on the page to which givers come back"),
)
_BAD_NAME = "Use small letters a to z, digits and hyphens."
# A point or comma before three digits is read as that of thousands where no currency has so many.
_THOUSANDS = re.compile(r"[0-9]{1,3}(?:[.,' \u00a0\u202f][0-9]{3})+\Z")


def amount_of(text: str, currency: str) -> int:
    """What was typed in a currency's main unit, in its smallest. Raises ``ValidationError``."""
    text = text.strip()
    try:
        if _THOUSANDS.match(text) and exponent(currency) != 3:
            raise ValidationError("Leave out what parts thousands: write 5000, or 5000.00.")
        return typed(text, currency).amount
    except AmountError as error:
        said = str(error)
        raise ValidationError(f"{said[:1].upper()}{said[1:]}.") from error


class _Quiet(forms.Form):
    """``quiet``: it shows what was typed and judges nothing."""

    def __init__(self, *args: Any, quiet: bool = False, **kwargs: Any) -> None:
        self.quiet = quiet
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)

    def full_clean(self) -> None:
        if not self.quiet:
            super().full_clean()
            return
        self._errors = ErrorDict()
        self.cleaned_data = {}


def _counted(most: int, **attrs: Any) -> forms.TextInput:
    return forms.TextInput(attrs={"data-counted": most, "autocomplete": "off", **attrs})


def _check_length(text: str, most: int) -> str:
    if len(text) > most:
        raise ValidationError(f"It has {len(text)} characters: {most} at most.")
    return text


class AskForm(_Quiet):
    """What is said of a message, but for its words."""

    title = forms.CharField(
        max_length=100, help_text="What the desk calls it. Readers never see it."
    )
    slug = forms.CharField(
        label="Short name",
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
    place = forms.ChoiceField(choices=PLACES)
    begins = forms.DateTimeField(required=False, widget=LocalDateTime())
    ends = forms.DateTimeField(required=False, widget=LocalDateTime())
    sections = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="With none ticked it stands in the whole paper. Articles marked sensitive never "
        "show a message, whatever is ticked here.",
    )
    most = forms.IntegerField(
        label="Times at most",
        required=False,
        min_value=0,
        max_value=100,
        help_text="How often one reader sees it; empty for no limit. It is counted in the reader's "
        "own browser and told to nobody.",
    )
    days = forms.IntegerField(
        label="In so many days", required=False, min_value=0, max_value=365,
        help_text="1 is one day, 30 about a month.",
    )  # fmt: skip
    goal = forms.CharField(
        label="Goal",
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        help_text="As 5000 or 5000.00. A thermometer then shows how far it is, counted from the "
        "day it begins, in whole hundredths. Empty for none.",
    )
    currency = forms.ChoiceField(
        required=False, help_text="Gifts in other currencies do not count towards it."
    )

    def __init__(self, *args: Any, ask: Ask, said: AskContent, fixed: bool, **kwargs: Any) -> None:
        self.ask, self.boxes = ask, sections.boxes(said.sections)
        kwargs["initial"] = _initial(ask, said, self.boxes)
        super().__init__(*args, **kwargs)
        self._say(fixed)
        choices = [(box.key, box.title) for box in self.boxes]
        cast(forms.MultipleChoiceField, self.fields["sections"]).choices = choices
        codes = dict.fromkeys(one.currency for one in settings.NEWSROOM.settings.giving.offers)
        codes |= {said.currency: None} if said.currency else {}
        currencies = [("", "None"), *((code, code) for code in codes)]
        cast(forms.ChoiceField, self.fields["currency"]).choices = currencies

    def _say(self, fixed: bool) -> None:
        """Help that depends on the newsroom and on whether somebody approved it already."""
        zone = settings.NEWSROOM.settings.timezone
        fields = self.fields
        fields["begins"].help_text = f"By the clocks of {zone}. Empty: when it is approved."
        fields["ends"].help_text = f"By the clocks of {zone}. Empty: when it is taken down."
        fields["slug"].disabled = fields["place"].disabled = fixed
        if fixed:
            fields["slug"].help_text = "It stays: gifts that this message brought bear it."
            fields["place"].help_text = "It stays: it was approved for this place."
        else:
            fields["slug"].help_text = (
                "It goes with every gift that the message brings, and stays once it was approved. "
                "Small letters a to z, digits and hyphens."
            )
            fields["place"].help_text = (
                "A ribbon shows its headline and its button alone; a thank-you has no amounts. The "
                "place stays once it was approved."
            )

    def clean_slug(self) -> str:
        slug: str = self.cleaned_data["slug"]
        if self.fields["slug"].disabled:
            return slug
        if not content.SLUG.match(slug):
            raise ValidationError(_BAD_NAME)
        if Ask.objects.filter(slug=slug).exclude(pk=self.ask.pk).exists():
            raise ValidationError("Another message has this short name.")
        return slug

    def clean_begins(self) -> datetime | None:
        return _same_minute(_near(self.cleaned_data["begins"]), self.ask.begins)

    def clean_ends(self) -> datetime | None:
        return _same_minute(_near(self.cleaned_data["ends"]), self.ask.ends)

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        begins, ends = found.get("begins"), found.get("ends")
        if begins and ends and begins >= ends:
            self.add_error("ends", "It ends before it begins.")
        wrong = {"most", "days"} & set(self.errors)
        if not wrong and bool(found.get("most")) != bool(found.get("days")):
            self.add_error("days", "Say both how often and in how many days, or neither.")
        if found.get("place") == Place.THANKS and found.get("sections"):
            self.add_error("sections", "A thank-you stands in no section: tick none.")
        found["goal"] = self._goal(found.get("goal", ""), found.get("currency", ""))
        return found

    def _goal(self, text: str, currency: str) -> int:
        if not text or "goal" in self.errors or "currency" in self.errors:
            return 0
        if not currency:
            self.add_error("currency", "The goal needs a currency.")
            return 0
        try:
            return amount_of(text, currency)
        except ValidationError as error:
            self.add_error("goal", error)
            return 0

    def said(self, variants: tuple[AskVariant, ...]) -> AskContent:
        """All of it, once both kinds of forms are in order."""
        found = self.cleaned_data
        return AskContent(
            variants=variants,
            sections=sections.slugs_of(found["sections"], self.boxes),
            most=found["most"] or 0,
            days=found["days"] or 0,
            goal=found["goal"],
            currency=found["currency"] if found["goal"] else "",
        )


def _initial(ask: Ask, said: AskContent, boxes: Sequence[sections.Box]) -> dict[str, Any]:
    goal = plain(Money(said.goal, said.currency)) if said.goal else ""
    return {
        "title": ask.title, "slug": ask.slug, "place": ask.place or Place.MESSAGE,
        "begins": ask.begins, "ends": ask.ends, "sections": sections.ticked(said.sections, boxes),
        "most": said.most or None, "days": said.days or None,
        "goal": goal, "currency": said.currency,
    }  # fmt: skip


def _near(sent: datetime | None) -> datetime | None:
    """No zone's clock can tell the first and the last hours of all years."""
    if sent and sent.year not in YEARS:
        raise ValidationError(f"Choose a year from {YEARS[0]} to {YEARS[-1]}.")
    return sent


def _same_minute(sent: datetime | None, kept: datetime | None) -> datetime | None:
    """The form knows minutes: what was not touched stays to the second."""
    if sent and kept and sent == kept.replace(second=0, microsecond=0):
        return kept
    return sent


class Tongue(NamedTuple):
    """The fields of one language, for the template."""

    code: str
    name: str
    direction: str
    title: forms.BoundField
    text: forms.BoundField
    button: forms.BoundField


class Row(NamedTuple):
    """The cards of one kind and currency, for the template."""

    name: str
    limits: str
    cards: list[forms.BoundField]
    recommended: forms.BoundField


class VariantForm(_Quiet):
    """One variant: its name and weight, its words in each language, cards of its own."""

    name = forms.CharField(
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
        help_text="It goes with gifts, so that variants can be compared: a, b, short.",
    )
    weight = forms.IntegerField(
        min_value=0,
        max_value=1000,
        help_text="How often it is drawn beside the others: 1 and 1 are halves, 1 and 3 a quarter "
        "and the rest. 0 rests.",
    )

    def __init__(
        self, *args: Any, kept: AskVariant, languages: Sequence[str], offers: Sequence[Offer],
        **kwargs: Any,
    ) -> None:  # fmt: skip
        self.kept, self.languages = kept, languages
        own = {(one.kind, one.currency): one for one in kept.offers}
        # A kind or currency that the newsroom gave up still shows, so that it can be cleared.
        self.rows = {**{(one.kind, one.currency): None for one in kept.offers},
                     **{(one.kind, one.currency): one for one in offers}}  # fmt: skip
        kwargs["initial"] = {"name": kept.slug, "weight": kept.weight}
        super().__init__(*args, **kwargs)
        for code in languages:
            self._add_language(code, kept.texts.get(code, AskText("")))
        for pair in self.rows:
            self._add_row(pair, own.get(pair))

    def _add_language(self, code: str, text: AskText) -> None:
        said = {"lang": code, "dir": "auto"}
        self.fields[f"title_{code}"] = forms.CharField(
            label="Headline", required=False, initial=text.title,
            widget=_counted(MOST_TITLE, **said),
            help_text="One sentence. With all three left empty, the message is not shown in this "
            "language.",
        )  # fmt: skip
        self.fields[f"text_{code}"] = SimpleText(
            language=code, label="Text", initial=text.html,
            help_text=f"Paragraphs, bold, italics and links; {MOST_TEXT} characters at most.",
        )  # fmt: skip
        self.fields[f"button_{code}"] = forms.CharField(
            label="Button", required=False, initial=text.button,
            widget=_counted(MOST_BUTTON, **said),
            help_text="Empty: the paper's own word for it.",
        )  # fmt: skip

    def _add_row(self, pair: tuple[Kind, str], own: Offer | None) -> None:
        kind, currency = pair
        shown = [plain(Money(one, currency)) for one in own.amounts] if own else []
        for number in CARDS:
            self.fields[f"card_{kind}_{currency}_{number}"] = forms.CharField(
                label=f"Amount {number}", required=False, max_length=40,
                initial=shown[number - 1] if number <= len(shown) else "",
                widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
            )  # fmt: skip
        chosen = own.amounts.index(own.recommended) + 1 if own and own.recommended else ""
        self.fields[f"best_{kind}_{currency}"] = forms.ChoiceField(
            label="Recommended", required=False, initial=str(chosen),
            choices=[("", "None"), *((str(one), f"Amount {one}") for one in CARDS)],
        )  # fmt: skip

    # For the template.

    @property
    def tongues(self) -> Iterator[Tongue]:
        for code in self.languages:
            direction = "rtl" if code.split("-")[0] in RTL_LANGUAGES else "ltr"
            fields = (self[f"{part}_{code}"] for part in ("title", "text", "button"))
            yield Tongue(code, endonym(code), direction, *fields)

    @property
    def cards(self) -> Iterator[Row]:
        for (kind, currency), offer in self.rows.items():
            limits = "no longer offered: leave it empty"
            if offer:
                bounds = (plain(Money(one, currency)) for one in (offer.least, offer.most))
                limits = " to ".join(bounds)
            fields = [self[f"card_{kind}_{currency}_{number}"] for number in CARDS]
            yield Row(called(kind, currency), limits, fields, self[f"best_{kind}_{currency}"])

    @property
    def has_cards(self) -> bool:
        """Whether to show them at once: there are some, or something is wrong with them."""
        return any(
            field.errors or field.value()
            for row in self.cards
            for field in (*row.cards, row.recommended)
        )

    # Checks.

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not content.SLUG.match(name):
            raise ValidationError(_BAD_NAME)
        return name

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        for code in self.languages:
            self._check_language(found, code)
        found["offers"] = tuple(filter(None, (self._offer(found, pair) for pair in self.rows)))
        return found

    def _check_language(self, found: dict[str, Any], code: str) -> None:
        for part, most in (("title", MOST_TITLE), ("button", MOST_BUTTON)):
            try:
                _check_length(found.get(f"{part}_{code}", ""), most)
            except ValidationError as error:
                self.add_error(f"{part}_{code}", error)
        says = found.get(f"text_{code}") or found.get(f"button_{code}")
        if says and not found.get(f"title_{code}") and f"title_{code}" not in self.errors:
            self.add_error(f"title_{code}", "It needs a headline.")

    def _offer(self, found: dict[str, Any], pair: tuple[Kind, str]) -> Offer | None:
        """What was typed for one kind and currency; None where nothing was, or it is wrong."""
        kind, currency = pair
        limits = self.rows[pair]
        amounts = {}
        for number in CARDS:
            name = f"card_{kind}_{currency}_{number}"
            if found.get(name):
                try:
                    amounts[number] = self._amount(found[name], currency, limits)
                except ValidationError as error:
                    self.add_error(name, error)
        best = found.get(f"best_{kind}_{currency}", "")
        if best and int(best) not in amounts:
            self.add_error(f"best_{kind}_{currency}", "That amount is empty.")
        if not amounts or limits is None:
            return None
        return Offer(
            kind=kind, currency=currency, amounts=tuple(dict.fromkeys(amounts.values())),
            least=limits.least, most=limits.most,
            recommended=amounts.get(int(best), 0) if best else 0,
        )  # fmt: skip

    def _amount(self, text: str, currency: str, limits: Offer | None) -> int:
        if limits is None:
            raise ValidationError("The newsroom no longer offers this: leave it empty.")
        amount = amount_of(text, currency)
        if not limits.least <= amount <= limits.most:
            least, most = (plain(Money(one, currency)) for one in (limits.least, limits.most))
            raise ValidationError(f"From {least} to {most}: letterboxes refuse anything else.")
        return amount

    def said(self) -> AskVariant:
        """What is kept of a language that the newsroom no longer has stays."""
        found = self.cleaned_data
        texts = {code: t for code, t in self.kept.texts.items() if code not in self.languages}
        for code in self.languages:
            title, html, button = (found[f"{p}_{code}"] for p in ("title", "text", "button"))
            if title or html or button:
                texts[code] = AskText(title, html, button)
        return AskVariant(
            slug=found["name"], weight=found["weight"], texts=texts, offers=found["offers"]
        )
