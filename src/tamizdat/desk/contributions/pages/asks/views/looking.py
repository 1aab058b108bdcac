# SPDX-License-Identifier: AGPL-3.0-or-later
"""Looking at a message where readers will: on a phone and on a desktop, in light and dark."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.views.decorators.clickjacking import xframe_options_sameorigin

from tamizdat.desk.contributions.content import AskContent, AskVariant
from tamizdat.desk.contributions.errors import AskError
from tamizdat.desk.contributions.pages.asks import preview, standing
from tamizdat.desk.contributions.pages.asks.views.base import AskView, Guarded
from tamizdat.desk.newsroom.light import Light
from tamizdat.theme.words import endonym


class _Looking(Guarded):
    """What of a message is looked at, from the address."""

    @cached_property
    def said(self) -> AskContent:
        return standing.said_in(self.ask.content)

    def _light(self) -> Light:
        return "dark" if self.request.GET.get("light") == "dark" else "light"

    def _variant(self) -> AskVariant | None:
        """The one that is asked for, else the first; None where there is none at all."""
        wanted = self.request.GET.get("variant")
        found = [one for one in self.said.variants if wanted in (None, one.slug)]
        if wanted is not None and not found:
            raise Http404
        return found[0] if found else None

    def _language(self, variant: AskVariant) -> str:
        """The one that is asked for, else the first of the newsroom's in which it says anything."""
        languages = settings.NEWSROOM.settings.languages
        wanted = self.request.GET.get("language")
        if wanted is not None:
            if wanted not in languages:
                raise Http404
            return str(wanted)
        return next((code for code in languages if code in variant.texts), languages[0])


class PreviewView(_Looking, AskView):
    """Side by side, with what to choose from."""

    page_title = "Preview"
    template_name = "contributions/asks/preview.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        variant = self._variant()
        if variant is None:
            return {**context, "trouble": "It says nothing yet: write it first."}
        chosen = {
            "variant": variant.slug, "language": self._language(variant), "light": self._light()
        }  # fmt: skip
        query = urlencode(chosen)
        trouble, host = self._host(chosen)
        frame = reverse("contributions:ask_frame", args=[self.ask.pk])
        return {
            **context,
            "trouble": trouble,
            "host": host,
            "frame": f"{frame}?{query}",
            "mark": preview.MARK,
            "choices": self._choices(chosen),
        }

    def _host(self, chosen: dict[str, str]) -> tuple[str, preview.Host | None]:
        """What stands against showing it, and where it is shown."""
        try:
            preview.page(
                self.ask, self.said, variant=chosen["variant"], language=chosen["language"],
                light="light",
            )  # fmt: skip
            return "", preview.host_of(self.ask, self.said, chosen["language"])
        except AskError as error:
            return str(error), None

    def _choices(self, chosen: dict[str, str]) -> list[tuple[str, list[tuple[str, str, bool]]]]:
        """What can be chosen: for each kind of choice the query, the words, whether it is."""
        codes = settings.NEWSROOM.settings.languages
        offered = {
            "variant": [(one.slug, f"Variant {one.slug}") for one in self.said.variants],
            "language": [(code, endonym(code)) for code in codes],
            "light": [("light", "Light"), ("dark", "Dark")],
        }
        return [
            (
                name,
                [(urlencode({**chosen, name: v}), words, v == chosen[name]) for v, words in all_],
            )
            for name, all_ in offered.items()
        ]


@method_decorator(xframe_options_sameorigin, name="dispatch")
class FrameView(_Looking):
    """The page alone, for a frame. Its policy lets nothing run."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        variant = self._variant()
        if variant is None:
            raise Http404
        try:
            html = preview.page(
                self.ask, self.said, variant=variant.slug, language=self._language(variant),
                light=self._light(),
            )  # fmt: skip
        except AskError as error:
            html = preview.refusal(str(error))
        response = HttpResponse(html)
        response.headers["Content-Security-Policy"] = preview.POLICY
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store, private"
        return response
