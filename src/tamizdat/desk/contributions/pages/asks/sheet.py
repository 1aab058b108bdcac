# SPDX-License-Identifier: AGPL-3.0-or-later
"""A message as one page of forms: what is said of it, and its variants, however many.

What always holds: a variant keeps its key while the page goes to and fro, so that adding or taking
out one never mixes up what was typed in another. Nothing is written here.
"""

from __future__ import annotations

from string import ascii_lowercase
from typing import Any

from django.conf import settings
from django.http import QueryDict

from tamizdat.config import offers_of
from tamizdat.desk.contributions import asking
from tamizdat.desk.contributions.content import AskContent, AskVariant
from tamizdat.desk.contributions.models import Ask
from tamizdat.desk.contributions.pages.asks.forms import AskForm, VariantForm
from tamizdat.desk.contributions.pages.asks.standing import said_in

MOST_VARIANTS = 6


class Sheet:
    """``data`` is what was sent; without it the message stands there as it is kept."""

    def __init__(self, ask: Ask, data: QueryDict | None = None, *, quiet: bool = False) -> None:
        newsroom = settings.NEWSROOM.settings
        self.ask, self.data, self.quiet = ask, data, quiet
        self.languages, self.offers = newsroom.languages, offers_of(newsroom.giving)
        self.kept = said_in(ask.content) if ask.pk else AskContent()
        fixed = bool(ask.pk and asking.newest(ask))
        self.form = AskForm(data, ask=ask, said=self.kept, fixed=fixed, quiet=quiet)
        variants = self.kept.variants or (AskVariant(slug="a"),)
        kept = dict(enumerate(variants))
        keys = list(kept) if data is None else _keys(data)
        self.variants = {key: self._form(key, kept.get(key, AskVariant(slug=""))) for key in keys}

    def _form(self, key: int, kept: AskVariant, *, new: bool = False) -> VariantForm:
        return VariantForm(
            None if new else self.data, prefix=f"v{key}", kept=kept, quiet=self.quiet,
            languages=self.languages, offers=self.offers,
        )  # fmt: skip

    @property
    def full(self) -> bool:
        return len(self.variants) >= MOST_VARIANTS

    def add(self) -> None:
        """One variant more, empty but for a name that no other has."""
        if self.full:
            return
        taken = {str(one["name"].value()) for one in self.variants.values()}
        name = next(letter for letter in ascii_lowercase if letter not in taken)
        key = max(self.variants, default=-1) + 1
        made = self._form(key, AskVariant(slug=name), new=True)
        made.fields["name"].widget.attrs["autofocus"] = True
        self.variants[key] = made

    def remove(self, key: str) -> None:
        """Take one out; the last one stays."""
        if len(self.variants) > 1:
            self.variants = {k: one for k, one in self.variants.items() if str(k) != key}

    def valid(self) -> bool:
        """Whether all of it is in order; else each error stands at its field."""
        fine = all([self.form.is_valid(), *(one.is_valid() for one in self.variants.values())])
        return self._names_differ() and fine and bool(self.variants)

    def _names_differ(self) -> bool:
        seen: set[str] = set()
        for one in self.variants.values():
            name = one.cleaned_data.get("name")
            if name in seen:
                one.add_error("name", "Another variant has this name.")
            elif name:
                seen.add(name)
        return all("name" not in one.errors for one in self.variants.values())

    @property
    def facts(self) -> dict[str, Any]:
        """What ``asking.write_ask`` takes."""
        names = ("title", "slug", "place", "begins", "ends")
        variants = tuple(one.said() for one in self.variants.values())
        return {
            **{name: self.form.cleaned_data[name] for name in names},
            "said": self.form.said(variants),
        }


def _keys(data: QueryDict) -> list[int]:
    """The variants that a page had, in their order."""
    sent = [one for one in data.getlist("variant") if one.isdecimal() and len(one) < 3]
    return list(dict.fromkeys(int(one) for one in sent))[:MOST_VARIANTS]
