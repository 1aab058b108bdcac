# SPDX-License-Identifier: AGPL-3.0-or-later
"""The forms of the desk's newsletter pages."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import timezone
from wagtail.admin.forms.models import WagtailAdminModelForm
from wagtail.admin.rich_text.editors.draftail import DraftailRichTextArea
from wagtail.images.widgets import AdminImageChooser
from wagtail.rich_text import expand_db_html

from tamizdat.desk.newsletter import schedule
from tamizdat.desk.newsletter.models import Issue, Newsletter
from tamizdat.desk.newsletter.transfer import uploads
from tamizdat.desk.newsletter.transfer.formats import FORMATS
from tamizdat.desk.newsroom.models import Photo
from tamizdat.desk.publishing.forms import LocalDateTime, TokenForm
from tamizdat.edition.body import clean

NOTE_FEATURES = ["bold", "italic", "link", "ol", "ul"]
MOST_TESTED = 5


class NewsletterForm(WagtailAdminModelForm):
    """A newsletter. Its language and zone are chosen, not typed."""

    language = forms.ChoiceField()
    zone = forms.ChoiceField(label="Time zone")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].choices = list(settings.LANGUAGES)
        names = sorted(zoneinfo.available_timezones())
        self.fields["zone"].choices = [(name, name) for name in names]
        if not self.instance.pk:
            self.initial.setdefault("zone", settings.NEWSROOM.settings.timezone)

    def clean_language(self) -> str:
        language: str = self.cleaned_data["language"]
        before = self.instance.language if self.instance.pk else ""
        if before and before != language and self.instance.issues.exists():
            raise ValidationError(
                "This newsletter has issues in its language. Make another one for this language."
            )
        return language


class NoteForm(forms.Form):
    """The editor's note and the picture: fields with scripts of Wagtail's own."""

    note = forms.CharField(
        required=False,
        label="Note from the editor",
        widget=DraftailRichTextArea(features=NOTE_FEATURES),
    )
    picture = forms.ModelChoiceField(
        Photo.objects.all(), required=False, label="Picture of the week", widget=AdminImageChooser
    )


def note_html(typed: str) -> str:
    """What the editor's field sends, as clean HTML. Raises ``ValidationError``."""
    if not typed:
        return ""
    try:
        html = DraftailRichTextArea(features=NOTE_FEATURES).value_from_datadict(
            {"note": typed}, {}, "note"
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValidationError("The note could not be read.") from error
    cleaned = clean(expand_db_html(html))
    return "" if cleaned == "<p></p>" else cleaned


class ApproveForm(TokenForm):
    """``digest`` is of what was looked at."""

    digest = forms.CharField(max_length=64, widget=forms.HiddenInput)


class WhenForm(TokenForm):
    """A date and a time as the clocks of the newsletter's zone show them."""

    at = forms.CharField(label="Date and time", widget=LocalDateTime())

    def __init__(self, *args: Any, issue: Issue, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.issue = issue

    def clean_at(self) -> datetime:
        try:
            wall = datetime.fromisoformat(self.cleaned_data["at"])
        except ValueError:
            raise ValidationError("Say when: a date and a time.") from None
        if wall.tzinfo is not None:
            raise ValidationError("Say when: a date and a time.")
        when = schedule.of_wall(wall, self.issue.newsletter.zone).astimezone(UTC)
        if when <= timezone.now():
            raise ValidationError("That time has passed. Choose a later one, or send it now.")
        return when


def _cohorts() -> list[tuple[str, str]]:
    names = [one.name for one in settings.NEWSROOM.settings.cohorts]
    return [("", "Left open"), *((name, name) for name in names)]


class UploadForm(TokenForm):
    """A file of subscribers. ``too_long``: it was, so that it was not taken in at all."""

    newsletter = forms.ModelChoiceField(
        Newsletter.objects.order_by("-active", "title"),
        label="Newsletter",
        error_messages={"required": "Choose a newsletter."},
    )
    file = forms.FileField(
        label="File",
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,text/csv"}),
        help_text="CSV, as Mailchimp, Ghost and listmonk export it, or a table with a column "
        f"called email; {uploads.MOST // 1_000_000} MB at most.",
        error_messages={
            "required": "Choose a file.",
            "empty": "The file is empty: export it once more.",
        },
    )
    format = forms.ChoiceField(
        label="Whose export it is",
        choices=[("auto", "Told by its columns"), *((f.name, f.title) for f in FORMATS)],
        initial="auto",
    )
    evidence = forms.CharField(
        label="How and when these readers agreed",
        widget=forms.Textarea(attrs={"rows": 2}),
        max_length=400,
        required=False,
        help_text="And where the proof lies. It is kept with each consent. A plain table needs it; "
        "exports of the three systems say it themselves.",
    )

    cohort = forms.ChoiceField(
        label="Cohort",
        choices=_cohorts,
        required=False,
        help_text="Their mails lead to addresses that nobody else is told. Those who are "
        "subscribed are put into it, out of another one too. Left open, a column called cohort "
        "counts for those who are in none; the others fall to one by lot with their first issue.",
    )

    def __init__(self, *args: Any, too_long: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not settings.NEWSROOM.settings.cohorts:
            del self.fields["cohort"]
        if too_long:
            said = (
                f"The file is longer than {uploads.MOST // 1_000_000} MB: hand it in in parts, or "
            )
            said += "let the operator take it in with “tamizdat newsletter import”."
            self.fields["file"].error_messages["required"] = said

    def clean_evidence(self) -> str:
        typed: str = self.cleaned_data["evidence"]
        if "@" in typed:
            raise ValidationError("Leave addresses out of it: say how and when they agreed.")
        return typed


class TestForm(TokenForm):
    """To whom a test goes, and in which form."""

    __test__ = False  # For pytest, which takes it for a test by its name.

    to = forms.CharField(
        label="To",
        widget=forms.Textarea(attrs={"rows": 2, "autocomplete": "off"}),
        help_text=f"One address a line, {MOST_TESTED} at most. They are not kept.",
    )
    text = forms.ChoiceField(
        label="Form",
        choices=[("summary", "Headlines and a few sentences"), ("full", "Whole articles")],
        initial="summary",
    )

    def clean_to(self) -> list[str]:
        typed = self.cleaned_data["to"].replace(",", "\n").split()
        found = list(dict.fromkeys(typed))
        if len(found) > MOST_TESTED:
            raise ValidationError(f"A test goes to {MOST_TESTED} addresses at most.")
        for address in found:
            try:
                validate_email(address)
            except ValidationError:
                raise ValidationError(f"“{address}” is not a mail address.") from None
        return found
