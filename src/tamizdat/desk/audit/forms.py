# SPDX-License-Identifier: AGPL-3.0-or-later
"""What to look for in the audit trail."""

from __future__ import annotations

from typing import Any

from django import forms

from tamizdat.desk.audit import trail, words
from tamizdat.desk.staff.models import User


class WantedForm(forms.Form):
    """Filters; what cannot be understood is said beside its field."""

    person = forms.ChoiceField(required=False)
    action = forms.ChoiceField(required=False)
    kind = forms.ChoiceField(required=False, label="Of what kind")
    number = forms.CharField(required=False, max_length=255, label="Its number")
    day = forms.DateField(required=False, widget=forms.DateInput(attrs={"type": "date"}))
    before = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = User.objects.order_by("username").values_list("pk", "username")
        self._choose("person", [("0", "command line or the desk itself"), *people])
        self._choose("action", [(a, words.of_action(a)) for a in trail.actions()])
        kinds = [(k, words.of_kind(k)) for k in trail.kinds()]
        self._choose("kind", sorted(kinds, key=lambda pair: pair[1]))

    def _choose(self, name: str, choices: list[tuple[Any, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - a mistake of ours, not of a user
        field.choices = [("", "any"), *((str(value), label) for value, label in choices)]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("number") and not cleaned.get("kind"):
            self.add_error("number", "Choose of what kind, too.")
        return cleaned

    @property
    def wanted(self) -> trail.Wanted:
        """Of a form that is valid."""
        said = self.cleaned_data
        of_what = ":".join(filter(None, (said["kind"], said["number"])))
        return trail.Wanted(
            account=int(said["person"]) if said["person"] else None,
            object=of_what,
            action=said["action"],
            day=said["day"],
        )
