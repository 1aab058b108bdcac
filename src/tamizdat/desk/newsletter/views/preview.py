# SPDX-License-Identifier: AGPL-3.0-or-later
"""Looking at an issue as readers will get it, what is to be mended, and a test by mail."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.clickjacking import xframe_options_sameorigin

from tamizdat.desk.newsletter import approval, checks, preview, testing
from tamizdat.desk.newsletter.checks import Form
from tamizdat.desk.newsletter.errors import IssueError
from tamizdat.desk.newsletter.forms import TestForm
from tamizdat.desk.newsletter.views.base import CHANGE, Guarded, IssueView, PostView, person
from tamizdat.mail.content import Text
from tamizdat.mail.errors import MailError

TEXTS: dict[str, Text] = {"summary": "summary", "full": "full"}
FORM_WORDS = (("summary", "Headlines"), ("full", "Whole articles"))


def _text(request: HttpRequest) -> Text:
    found = TEXTS.get(request.GET.get("text", "summary"))
    if found is None:
        raise Http404
    return found


class PreviewView(IssueView):
    """Side by side: phone, desktop, plain text, and the checks."""

    page_title = "Preview"
    template_name = "newsletter/preview.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        text, dark = _text(self.request), self.request.GET.get("light") == "dark"
        to = person(self.request).email
        form, trouble = self._form(text)
        return {
            **super().get_context_data(**kwargs),
            "shown": text,
            "forms": FORM_WORDS,
            "light": "dark" if dark else "light",
            "form": form,
            "trouble": trouble,
            "checks": checks.of(self.issue),
            "links": checks.links_of([form]) if form else [],
            "test": kwargs.get("test")
            or TestForm(initial={"token": uuid.uuid4(), "to": to, "text": text}),
            "only_summary": text == "full" and not self.issue.newsletter.full_text,
            "approval": approval.approved(self.issue),
        }

    def _form(self, text: Text) -> tuple[Form | None, str]:
        try:
            return checks.lay_out(self.issue, text), ""
        except MailError as error:
            return None, f"It cannot be laid out: {error}."
        except OSError:
            return None, "It cannot be laid out: a file of it cannot be read."


@method_decorator(xframe_options_sameorigin, name="dispatch")
class MailView(Guarded):
    """The HTML part alone, for a frame. Its policy lets nothing run and fetches nothing."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            form = checks.lay_out(self.issue, _text(request))
        except (MailError, OSError):
            raise Http404 from None
        dark = request.GET.get("light") == "dark"
        response = HttpResponse(preview.page(form, "dark" if dark else "light"))
        response.headers["Content-Security-Policy"] = preview.POLICY
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store, private"
        return response


class TestView(PostView):
    """Send a test to these addresses."""

    __test__ = False  # For pytest, which takes it for a test by its name.
    permissions = (CHANGE,)
    form_class = TestForm
    then = "newsletter:preview"

    def act(self, form: TestForm) -> str:
        to, text = form.cleaned_data["to"], TEXTS[form.cleaned_data["text"]]
        try:
            testing.send_test(issue=self.issue, to=to, text=text, acting_user=person(self.request))
        except MailError as error:
            raise IssueError(f"The test could not be made: {error}.") from error
        except OSError as error:
            raise IssueError("The test could not be made: a file of it cannot be read.") from error
        number = "One test is" if len(to) == 1 else f"{len(to)} tests are"
        return f"{number} on the way."
