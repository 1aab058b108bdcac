# SPDX-License-Identifier: AGPL-3.0-or-later
"""The inbox as pages of the desk. Thin: what is written is written by ``actions``.

What always holds: nobody outside the readers' desk gets past ``dispatch``, a superuser neither; no
page with a letter is kept by a browser, and what is searched for stands in no address.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.generic import TemplateView
from wagtail.admin import messages
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from tamizdat.desk.letters import actions, inbox
from tamizdat.desk.letters.errors import LetterError
from tamizdat.desk.letters.letter import SEARCHED, open_letter, search
from tamizdat.desk.letters.models import Message
from tamizdat.desk.readers.errors import VaultError
from tamizdat.desk.staff.models import User
from tamizdat.desk.staff.roles import sees_readers

PAGE = 50
FOUND = 100
State = Message.State


class LettersView(WagtailAdminTemplateMixin, TemplateView):
    """Base of the pages with readers' letters."""

    header_icon = "mail"
    page_title = "Messages"
    _show_breadcrumbs = True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not sees_readers(request.user):
            raise PermissionDenied
        response = super().dispatch(request, *args, **kwargs)
        response.headers["Cache-Control"] = "no-store, private"
        return response

    @property
    def person(self) -> User:
        """Who is signed in: ``dispatch`` lets nobody else through."""
        if not isinstance(self.request.user, User):
            raise PermissionDenied
        return self.request.user

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            {"url": reverse("wagtailadmin_home"), "label": "Home"},
            {"url": "", "label": self.page_title},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rules = {
            "keep_days": actions.keep_time().days,
            "undo_hours": int(actions.undo_time().total_seconds() // 3600),
        }
        return {**super().get_context_data(**kwargs), **rules}


class InboxView(LettersView):
    """The list: filters, search, and putting away many at once."""

    template_name = "letters/inbox.html"

    @property
    def shown(self) -> inbox.Filter:
        wanted = self.request.GET.get("show", inbox.FILTERS[0].slug)
        for one in inbox.FILTERS:
            if one.slug == wanted:
                return one
        raise Http404

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        page = Paginator(inbox.of(self.shown), PAGE).get_page(self.request.GET.get("p"))
        return {
            **context,
            "shown": self.shown,
            "filters": inbox.counted(),
            "page": page,
            "letters": [open_letter(one) for one in page],
            "any": Message.objects.exists(),
        }

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if "away" in request.POST:
            return self._put_away()
        words = request.POST.get("q", "").strip()[:200]
        if not words:
            return redirect(request.get_full_path())
        newest = Message.objects.filter(deleted=None).order_by("-pk")[:SEARCHED]
        found = list(search(newest, words))
        context = self.get_context_data() | {
            "words": words,
            "letters": found[:FOUND],
            "found": len(found),
            "searched": f"{SEARCHED:,}",
            "shown": None,
            "page": None,
        }
        return self.render_to_response(context)

    def _put_away(self) -> HttpResponse:
        chosen = [int(pk) for pk in self.request.POST.getlist("message") if pk.isdecimal()]
        changed = actions.mark(messages=chosen, state=State.AWAY, acting_user=self.person)
        if not chosen:
            messages.warning(self.request, "Tick the messages that you want to put away.")
        elif changed:
            number = "1 message was" if changed == 1 else f"{changed} messages were"
            messages.success(self.request, f"{number} put away.")
        return redirect(self.request.get_full_path())


class MessageView(LettersView):
    """One message: read it, mark it, note something, delete it, bring it back."""

    template_name = "letters/message.html"

    @property
    def message(self) -> Message:
        found = Message.objects.filter(pk=self.kwargs["pk"]).first()
        if found is None:
            raise Http404
        return found

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            {"url": reverse("wagtailadmin_home"), "label": "Home"},
            {"url": reverse("letters:inbox"), "label": "Messages"},
            {"url": "", "label": str(self.message)},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        message = self.message
        context = {
            "letter": open_letter(message),
            "states": [s for s in State if s != message.state],
            "gone_on": inbox.gone_on(message),
            "older": inbox.neighbour(message, older=True),
            "newer": inbox.neighbour(message, older=False),
        }
        return {**super().get_context_data(**kwargs), **context}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return self._act(request)
        except (LetterError, VaultError) as error:
            messages.error(request, str(error))
            typed = {"typed_note": request.POST.get("note")}
            return self.render_to_response(self.get_context_data() | typed, status=422)

    def _act(self, request: HttpRequest) -> HttpResponse:
        pk, here = self.message.pk, redirect("letters:message", self.kwargs["pk"])
        if request.POST.get("state") in State.values:
            state = State(request.POST["state"])
            actions.mark(messages=[pk], state=state, acting_user=self.person)
            messages.success(request, f"The message is marked as {state.label}.")
            return redirect("letters:inbox") if state == State.AWAY else here
        if "note" in request.POST:
            text = request.POST["note"]
            actions.write_note(message=pk, text=text, acting_user=self.person)
            messages.success(request, "The note is saved.")
        elif "bring_back" in request.POST:
            actions.bring_back(message=pk, acting_user=self.person)
            messages.success(request, "The message is back.")
        return here


class DeleteView(MessageView):
    """Asks before it deletes, and says whether it can be undone."""

    template_name = "letters/delete.html"
    page_title = "Delete a message"

    def _act(self, request: HttpRequest) -> HttpResponse:
        pk = self.message.pk
        actions.delete(message=pk, acting_user=self.person)
        undo = messages.button(reverse("letters:message", args=[pk]), "Look at it again")
        hours = int(actions.undo_time().total_seconds() // 3600)
        if hours:
            said = f"Deleted. For {hours} hours it can be brought back."
            messages.success(request, said, buttons=[undo])
        else:
            messages.success(request, "Deleted for good.")
        return redirect("letters:inbox")


class AsideView(WagtailAdminTemplateMixin, TemplateView):
    """For operators: what is kept aside, sealed, and why. Nothing in it can be read here."""

    header_icon = "warning"
    page_title = "Kept aside"
    template_name = "letters/aside.html"
    _show_breadcrumbs = True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not inbox.operates(request.user):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            {"url": reverse("wagtailadmin_home"), "label": "Home"},
            {"url": "", "label": self.page_title},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), **inbox.aside(), "now": timezone.now()}
