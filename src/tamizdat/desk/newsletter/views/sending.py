# SPDX-License-Identifier: AGPL-3.0-or-later
"""From a composed issue to readers: approval, its hour, sending now, and how it goes."""

from __future__ import annotations

import uuid
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from tamizdat.desk.newsletter import (
    actions,
    approval,
    checks,
    composition,
    numbers,
    paper,
    schedule,
)
from tamizdat.desk.newsletter.engine import actions as engine
from tamizdat.desk.newsletter.engine import standing
from tamizdat.desk.newsletter.errors import IssueError
from tamizdat.desk.newsletter.forms import ApproveForm, WhenForm
from tamizdat.desk.newsletter.models import Issue
from tamizdat.desk.newsletter.progress import MOVING, progress_of
from tamizdat.desk.newsletter.steering import deeds_of
from tamizdat.desk.newsletter.views.base import (
    APPROVE,
    RELAYS,
    SEND,
    AskView,
    Guarded,
    IssueView,
    PostView,
    person,
)
from tamizdat.desk.outgoing import relays
from tamizdat.desk.publishing.forms import TokenForm, WithdrawalForm

State = Issue.State


class SendingView(IssueView):
    """What is missing, who approved it, when it goes; later how far it is."""

    page_title = "Approve and send"
    template_name = "newsletter/sending.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        return context | (self._before() if composition.editable(self.issue) else self._after())

    def _before(self) -> dict[str, Any]:
        issue, user = self.issue, person(self.request)
        found = checks.of(issue)
        digest = approval.digest_of(issue)
        verdict = approval.approved(issue, digest)
        blocked = any(check.blocking for check in found)
        due = issue.scheduled_for or timezone.now()
        if due <= timezone.now():
            due = schedule.next_hour(issue.newsletter, timezone.now())
        wall = due.astimezone(ZoneInfo(issue.newsletter.zone)).replace(tzinfo=None)
        return {
            "editable": True,
            "waiting": waiting(issue),
            "checks": found,
            "blocked": blocked,
            "approval": verdict,
            "may_be_second": approval.may_approve(issue, user),
            "digest": digest,
            "sendable": verdict.allowed and not blocked,
            "scheduled": issue.state == State.SCHEDULED,
            "held": issue.state == State.HELD,
            "due_words": numbers.local(issue.scheduled_for, issue.newsletter)
            if issue.scheduled_for
            else "",
            "form": WhenForm(issue=issue, initial={"at": wall}),
            "token": uuid.uuid4(),
        }

    def _after(self) -> dict[str, Any]:
        return {"editable": False, "waiting": waiting(self.issue), **live(self.request, self.issue)}


def waiting(issue: Issue) -> str:
    """Whether to ask how it stands: ``yes``, ``seldom`` (somebody else may change it), ``no``."""
    if issue.state in MOVING:
        return "yes"
    return "no" if issue.state == State.CANCELLED else "seldom"


def live(request: HttpRequest, issue: Issue) -> dict[str, Any]:
    """What changes while the page is open: how far it is, and what can be done."""
    may, progress = request.user.has_perm, progress_of(issue)
    return {
        "issue": issue,
        "progress": progress,
        "moving": issue.state in MOVING,
        "deeds": deeds_of(issue, progress, may_send=may(SEND), may_pause=may(SEND) or may(RELAYS)),
        "may_relays": may(RELAYS),
        "token": uuid.uuid4(),
    }


class ProgressView(Guarded):
    """How far it is and what can be done, alone, for the page to ask again and again. Nothing as
    long as it has not begun."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if composition.editable(self.issue):
            response = HttpResponse()
        else:
            context = live(request, self.issue)
            response = render(request, "newsletter/includes/live.html", context)
        response["X-Waiting"] = waiting(self.issue)
        response["Cache-Control"] = "no-store, private"
        return response


class ApproveView(PostView):
    permissions = (APPROVE,)
    form_class = ApproveForm

    def act(self, form: ApproveForm) -> str:
        digest = form.cleaned_data["digest"]
        actions.approve(issue=self.issue, digest=digest, acting_user=person(self.request))
        return "Approved as it is now. Any change asks for approval again."


class ScheduleView(PostView):
    permissions = (SEND,)

    def form(self) -> Form:
        return WhenForm(self.request.POST, issue=self.issue)

    def act(self, form: WhenForm) -> str:
        when = form.cleaned_data["at"]
        actions.schedule_issue(issue=self.issue, when=when, acting_user=person(self.request))
        return f"It goes out on {numbers.local(when, self.issue.newsletter)}."


class UnscheduleView(PostView):
    permissions = (SEND,)

    def act(self, form: TokenForm) -> str:
        actions.unschedule(issue=self.issue, acting_user=person(self.request))
        return "It will not go out by itself any more."


class ConfirmView(IssueView):
    """One sentence of what is about to be done, and the button that does it."""

    permissions = (SEND,)
    page_title = "Send now"
    template_name = "newsletter/confirm.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {
            **super().get_context_data(**kwargs),
            "readers": numbers.audience_now(self.issue.newsletter, timezone.localdate()),
            "editable": composition.editable(self.issue),
            "token": uuid.uuid4(),
        }


class SendNowView(PostView):
    permissions = (SEND,)

    def act(self, form: TokenForm) -> str:
        actions.send_now(issue=self.issue, acting_user=person(self.request))
        return "It is on its way."


class PauseView(PostView):
    permissions = (SEND, RELAYS)

    def act(self, form: TokenForm) -> str:
        engine.pause(issue=self.issue, acting_user=person(self.request))
        return "Paused. What is already on the line still arrives; nothing new begins."


class ResumeView(PostView):
    permissions = (SEND, RELAYS)

    def act(self, form: TokenForm) -> str:
        engine.resume(issue=self.issue, acting_user=person(self.request))
        return "It goes on where it stopped."


class CancelView(AskView):
    permissions = (SEND,)
    page_title = "Cancel"
    button, keep = "Cancel for good", "Let it go on"
    otherwise = "It is not on its way, so there is nothing to cancel."

    def possible(self) -> bool:
        return self.issue.state in (*MOVING, State.PAUSED)

    def sentence(self) -> str:
        waiting_for_it = standing.of(self.issue).waiting
        return f"{waiting_for_it:,} readers will not get “{self.issue.subject}”."

    def lines(self) -> list[str]:
        return [
            "An issue that was cancelled is never sent on, and nobody can change that. Who has it "
            "keeps it.",
            "To look into something first, pause it: it then goes on where it stopped.",
        ]

    def act(self, form: TokenForm) -> str:
        left = engine.cancel(issue=self.issue, acting_user=person(self.request))
        return f"Cancelled. {left:,} readers do not get it."


class WithdrawView(PostView, IssueView):
    """Take its page out of the paper, for a reason that readers see; typed out, as with stories."""

    http_method_names = ["get", "post"]
    permissions = (SEND,)
    page_title = "Withdraw"
    template_name = "newsletter/withdraw.html"
    form_class = WithdrawalForm

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = self.form()
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form))
        self._once(form)
        return redirect(self.target())

    def act(self, form: WithdrawalForm) -> str:
        reason, user = form.cleaned_data["reason"], person(self.request)
        paper.withdraw_issue(issue=self.issue, reason=reason, acting_user=user)
        return "It is withdrawn. Its page says so in a moment, and can be put back from here."

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        form = kwargs.pop("form", None) or WithdrawalForm(initial={"token": uuid.uuid4()})
        place = paper.place(self.issue)
        return {**super().get_context_data(**kwargs), "form": form, "place": place}


class RestoreView(PostView):
    """Put a page that was withdrawn back into the paper, as it was."""

    permissions = (SEND,)

    def act(self, form: TokenForm) -> str:
        paper.restore_issue(issue=self.issue, acting_user=person(self.request))
        return "It is on its way back into the paper."


class RestView(PostView):
    """Send to those who came since, and again to those whose mail was put off for too long."""

    permissions = (SEND,)

    def act(self, form: TokenForm) -> str:
        engine.send_rest(issue=self.issue, acting_user=person(self.request))
        return "It goes to those who came since, and again to those who could not be reached."


class RelayView(PostView):
    """Let nothing more go through a relay, or let it again."""

    permissions = (RELAYS,)

    def act(self, form: TokenForm) -> str:
        name, user = self.request.POST.get("relay", ""), person(self.request)
        if name not in {relay.name for relay in settings.NEWSROOM.settings.relays}:
            raise IssueError("There is no such relay in the settings. Reload the page.")
        if self.request.POST.get("pause") == "yes":
            relays.pause(name=name, acting_user=user)
            return f"Nothing more goes through {name}."
        relays.resume(name=name, acting_user=user)
        return f"{name} is used again."


class UnknownView(PostView):
    """Send again where it is not known whether it went: some may get it twice, by choice."""

    permissions = (SEND,)

    def act(self, form: TokenForm) -> str:
        number = engine.resend_unknown(issue=self.issue, acting_user=person(self.request))
        return f"{number:,} are sent again."
