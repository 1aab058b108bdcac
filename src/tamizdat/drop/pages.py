# SPDX-License-Identifier: AGPL-3.0-or-later
"""The letterbox's pages: forms, one button behind a link, done, refused. In the paper's look.

What always holds: a reader's own words are escaped; a page loads nothing and runs no script; its
one style is named by hash in the policy. Everything that does not depend on the request is made
once, when the drop starts; a token never stands in a page.

What is not done here: statuses and headers (``answers``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from urllib.parse import urlencode

from babel import Locale
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from tamizdat.drop.errors import FieldError
from tamizdat.drop.kinds import KINDS, SLUG
from tamizdat.drop.settings import FALLBACK, Settings
from tamizdat.theme.style import csp_hash, stylesheet
from tamizdat.theme.words import endonym

FORMS = ("subscribe", "remind", "message")
TOKENS = ("confirm", "unsubscribe", "stop-reminding", "preferences", "gift")
_MANY = ("preferences", "gift")  # Links behind which there is more than one button.
ERASE = "erase"
DONE = (*FORMS, *TOKENS, ERASE)
REFUSALS = ("too-large", "malformed", "busy", "full", "unknown", "method")
MONTHS = (1, 2, 3, 6, 9, 12)
ASKED_BY = ("message", "variant")  # Which message brought a reader; no field that they see.

Values = Mapping[str, Sequence[str]]


@cache
def words(language: str) -> dict[str, str]:
    """The letterbox's words; English where the theme has none."""
    folder = resources.files("tamizdat.theme") / "locales" / "drop"
    for code in (language, language.split("-")[0], FALLBACK):
        file = folder / f"{code.lower()}.json"
        if file.is_file():
            found: dict[str, str] = json.loads(file.read_text("utf-8"))
            return {**found, "code": code.lower()}
    raise AssertionError("the theme has no English words")


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("tamizdat.theme", "templates/drop"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
    )


class Pages:
    """Every page, as UTF-8. ``policy`` is what their content security policy says."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.languages = settings.languages
        self._style = stylesheet(("base", "drop"), settings.accent, settings.accent_dark)
        goals = " ".join(("'self'", *settings.giving.checkouts))
        self.policy = (
            f"default-src 'none'; style-src {csp_hash(self._style)}; "
            # A form by which somebody gives is answered with the way to a provider's page.
            f"form-action {goals}; base-uri 'none'; frame-ancestors 'none'"
        )
        self._made = dict(self._make())

    def _make(self) -> list[tuple[tuple[str, str, str], bytes]]:
        found = []
        for language in self.languages:
            for kind in (*FORMS, *TOKENS):
                found.append((("form", kind, language), self._form(kind, language)))
            found.append((("sure", ERASE, language), self._sure(language)))
            for kind in DONE:
                found.append((("done", kind, language), self._told(f"done.{kind}", language)))
            for code in REFUSALS:
                found.append((("refusal", code, language), self._told(code, language)))
        return found

    def form(self, kind: str, language: str, *, values: Values | None = None) -> bytes:
        """The form of a kind, or its one button. ``values`` are filled in."""
        if not values:
            return self._made["form", kind, language]
        return self._form(kind, language, values=values)

    def again(self, kind: str, language: str, values: Values, error: FieldError) -> bytes:
        """The form once more, with what is wrong and the reader's words."""
        said = words(language)
        problem = said.get(f"wrong.{error.field}") or said["wrong.other"]
        return self._form(kind, language, values=values, wrong={error.field: problem})

    def sure(self, language: str) -> bytes:
        """Whether everything is to be deleted, asked once more. It is sent where it was asked."""
        return self._made["sure", ERASE, language]

    def done(self, kind: str, language: str) -> bytes:
        """What happens next."""
        return self._made["done", kind, language]

    def refusal(self, code: str, language: str) -> bytes:
        """One of ``REFUSALS``."""
        return self._made["refusal", code, language]

    def _form(
        self,
        kind: str,
        language: str,
        *,
        values: Values | None = None,
        wrong: Mapping[str, str] | None = None,
    ) -> bytes:
        own = kind in FORMS or kind in _MANY
        kept = {
            name: list(said) for name, said in (values or {}).items() if _known(kind, name, said)
        }
        return self.rendered(
            f"{kind}.html" if own else "token.html",
            words(language)[f"{kind}.title"],
            language,
            kind=kind,
            values=kept,
            kept="".join(f"&{urlencode({name: said[0]})}" for name, said in kept.items() if said),
            wrong=wrong or {},
            # A page that answers a form has no address of its own to be asked for again.
            others=() if wrong else self.others(),
        )

    def _sure(self, language: str) -> bytes:
        title = words(language)["erase.title"]
        return self.rendered("erase.html", title, language, values={}, wrong={}, others=())

    def _told(self, said: str, language: str) -> bytes:
        title = words(language)[f"{said}.title"]
        return self.rendered("told.html", title, language, said=said, others=())

    def others(self) -> list[tuple[str, str]]:
        """The languages that a page can be had in, with their own names; empty for one."""
        named = [(code, endonym(code)) for code in self.languages]
        return named if len(named) > 1 else []

    def rendered(self, template: str, title: str, language: str, **more: object) -> bytes:
        """A template of the letterbox in its frame."""
        settings = self._settings
        said = words(language)
        page = (
            _templates()
            .get_template(template)
            .render(
                t=said,
                title=title,
                lang=said["code"] if said["code"] == FALLBACK else language,
                language=language,
                paper=settings.name_in(language),
                home=f"{settings.paper.rstrip('/')}/{language}/",
                style=Markup(self._style),  # noqa: S704 - the theme's own, named by its hash
                privacy=settings.privacy,
                privacy_page=settings.privacy_page.replace("{language}", language),
                newsletters=[(one.slug, one.title(language)) for one in settings.newsletters],
                languages=[(code, endonym(code)) for code in self.languages],
                months=_months(language),
                **{"kept": "", "foot": said["foot"], **more},
            )
        )
        return page.encode()

    def language(self, asked: str, accepted: str) -> str:
        """The paper's language that is asked for, else one that the browser names, else the first.

        ``accepted`` is Accept-Language; its order counts, its weights do not.
        """
        for tag in (asked, *(one.split(";")[0].strip() for one in accepted[:500].split(","))):
            for language in self.languages:
                if tag and (tag == language or tag.split("-")[0] == language.split("-")[0]):
                    return language
        return self.languages[0]


def _known(kind: str, name: str, said: Sequence[str]) -> bool:
    """Whether a form shows a field again. Nobody could mend what they do not see."""
    if name in ASKED_BY and kind == "remind":
        return any(map(SLUG.match, said[:1]))
    return name in KINDS[kind].fields


def _months(language: str) -> list[tuple[int, str]]:
    said = words(language)
    plural = Locale.parse(said["code"], sep="-").plural_form
    forms = {n: said.get(f"remind.months.{plural(n)}") for n in MONTHS}
    return [(n, (form or said["remind.months.other"]).format(n=n)) for n, form in forms.items()]
