# SPDX-License-Identifier: AGPL-3.0-or-later
"""Writing a message: what was typed is never lost, and nobody's words are overwritten unseen."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import cached_property
from wagtail.admin import messages

from tamizdat.desk.contributions import asking, content
from tamizdat.desk.contributions.errors import AskError, StaleAskError
from tamizdat.desk.contributions.models import Ask
from tamizdat.desk.contributions.pages.asks import changes, standing
from tamizdat.desk.contributions.pages.asks.sheet import MOST_VARIANTS, Sheet
from tamizdat.desk.contributions.pages.asks.verdict import sentence
from tamizdat.desk.contributions.pages.asks.views.base import ADD, CHANGE, AskView, person


class EditView(AskView):
    """The form, and what its buttons do: save, add a variant, take one out."""

    permission = CHANGE
    page_title = "Write"
    template_name = "contributions/asks/write.html"
    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._show(Sheet(self.ask))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        sent = request.POST
        turned = "add" in sent or "remove" in sent
        sheet = Sheet(self.ask, sent, quiet=turned)
        if "remove" in sent:
            sheet.remove(sent["remove"])
        if turned or not sheet.variants:
            if "add" in sent or not sheet.variants:
                sheet.add()
            return self._show(sheet, unsaved=True)
        if not sheet.valid():
            messages.error(request, "It is not saved yet: see below what is to be mended.")
            return self._show(sheet, unsaved=True)
        return self._save(sheet)

    def _save(self, sheet: Sheet) -> HttpResponse:
        try:
            ask = self._write(sheet)
        except StaleAskError:
            return self._stale(sheet)
        except AskError as error:
            sheet.form.add_error(None, sentence(error))
            messages.error(self.request, "It is not saved yet: see below what is to be mended.")
            return self._show(sheet, unsaved=True)
        messages.success(self.request, f"“{ask}” is saved. Readers see what is approved.")
        then = "ask_preview" if self.request.POST.get("then") == "preview" else "ask"
        return redirect(f"contributions:{then}", ask.pk)

    def _write(self, sheet: Sheet) -> Ask:
        return asking.write_ask(
            ask=self.ask,
            acting_user=person(self.request),
            seen=self.request.POST.get("seen", ""),
            **sheet.facts,
        )

    def _stale(self, sheet: Sheet) -> HttpResponse:
        """Say who changed what; the next time it is saved knowingly."""
        now = Ask.objects.select_related("changed_by").get(pk=self.ask.pk)
        facts = sheet.facts
        mine = changes.lines(facts["said"], facts["begins"], facts["ends"], title=facts["title"])
        theirs = changes.lines(standing.said_in(now.content), now.begins, now.ends, title=now.title)
        messages.error(self.request, "It is not saved: somebody changed it while you wrote.")
        return self._show(sheet, unsaved=True, now=now, clash=changes.differences(theirs, mine))

    def _show(
        self, sheet: Sheet, *, unsaved: bool = False, now: Ask | None = None, clash: Any = ()
    ) -> HttpResponse:
        seen = self.request.POST.get("seen", "") if self.request.method == "POST" else None
        if now is not None or seen is None:
            seen = self._stamp(now or self.ask)
        context = self.get_context_data(
            sheet=sheet,
            form=sheet.form,
            seen=seen,
            now=now,
            clash=clash,
            media=self._media(sheet),
            has_unsaved_changes=unsaved,
            most_variants=MOST_VARIANTS,
            most_title=content.MOST_TITLE,
            new=self.ask.pk is None,
        )
        return self.render_to_response(context)

    def _stamp(self, ask: Ask) -> str:
        return asking.stamp(ask)

    def _media(self, sheet: Sheet) -> forms.Media:
        media = sheet.form.media
        for one in sheet.variants.values():
            media += one.media
        return media


class NewView(EditView):
    """The same form, empty."""

    permission = ADD
    page_title = "New message"

    @cached_property
    def ask(self) -> Ask:
        return Ask()

    def get_page_subtitle(self) -> str:
        return ""

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            {"url": reverse("wagtailadmin_home"), "label": "Home"},
            {"url": reverse("contributions:asks"), "label": "Messages"},
            {"url": "", "label": self.page_title},
        ]

    def _stamp(self, ask: Ask) -> str:
        return ""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Sent twice, it is one message: the second time it is the same, or its name is taken."""
        slug = request.POST.get("slug", "")
        twin = Ask.objects.filter(slug=slug, changed_by=person(request))
        for one in twin if content.SLUG.match(slug) else ():
            sheet = Sheet(one, request.POST)
            if sheet.valid() and self._is(one, sheet):
                return redirect("contributions:ask", one.pk)
        return super().post(request, *args, **kwargs)

    def _is(self, ask: Ask, sheet: Sheet) -> bool:
        facts = sheet.facts
        said = content.encode(facts.pop("said"))
        return ask.content == said and all(getattr(ask, k) == v for k, v in facts.items())

    def _write(self, sheet: Sheet) -> Ask:
        return asking.write_ask(acting_user=person(self.request), **sheet.facts)
