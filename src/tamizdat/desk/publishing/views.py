# SPDX-License-Identifier: AGPL-3.0-or-later
"""The publish panel, corrections, withdrawals, addresses and the queue, as pages of the desk."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.views import View
from django.views.generic import TemplateView
from wagtail.admin import messages
from wagtail.admin.views.generic import WagtailAdminTemplateMixin

from tamizdat.desk.newsroom.models import Article
from tamizdat.desk.publishing import actions, four_eyes, outlook, problems, state
from tamizdat.desk.publishing.errors import PublishingError
from tamizdat.desk.publishing.forms import (
    AddressForm,
    CorrectionForm,
    PublishForm,
    WhenForm,
    WithdrawalForm,
)
from tamizdat.desk.publishing.models import BuildRequest
from tamizdat.desk.staff.models import User

CHANGE, PUBLISH = "newsroom.change_article", "newsroom.publish_article"


class ArticleView(WagtailAdminTemplateMixin, TemplateView):
    """Base of the pages about one article. Who may not, is told so by Wagtail."""

    permission = PUBLISH
    header_icon = "upload"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.has_perm(self.permission):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    @cached_property
    def article(self) -> Article:
        return get_object_or_404(
            Article.objects.select_related("locale", "latest_revision", "live_revision"),
            pk=self.kwargs["pk"],
        )

    @cached_property
    def draft(self) -> Article:
        """The article as its newest revision has it."""
        newest: Article = self.article.get_latest_revision_as_object()
        return newest

    @property
    def edit_url(self) -> str:
        return edit_url(self.article)

    def get_page_subtitle(self) -> str:
        return self.draft.headline

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        viewset = Article.snippet_viewset
        return [
            *self.breadcrumbs_items,
            {"url": reverse(viewset.get_url_name("list")), "label": "Articles"},
            {"url": self.edit_url, "label": self.draft.headline or "Untitled"},
            {"url": "", "label": self.page_title},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {
            **super().get_context_data(**kwargs),
            "breadcrumbs_items": self.get_breadcrumbs_items(),
            "header_title": self.get_header_title(),
            "article": self.article,
            "draft": self.draft,
            "edit_url": self.edit_url,
            "panel_url": reverse("publishing:panel", args=[self.article.pk]),
            "state": state.of(self.article),
            "may_publish": self.request.user.has_perm(PUBLISH),
        }


class PanelView(ArticleView):
    """What will happen, when, and what is wrong; then where it stands."""

    permission = CHANGE
    page_title = "Publish"
    template_name = "publishing/panel.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        revision = self.article.get_latest_revision()
        found = problems.of(self.draft)
        verdict = (
            four_eyes.judge(
                article=self.article, revision=revision, acting_user=_person(self.request)
            )
            if revision
            else None
        )
        blocked = any(p.blocking for p in found) or bool(verdict and not verdict.allowed)
        return {
            **context,
            "outlook": outlook.of(self.draft),
            "problems": found,
            "four_eyes": verdict,
            "revision": revision,
            "embargo": _ahead(self.draft.embargoed_until),
            "due": state.due_at(self.article),
            "nothing_new": _nothing_new(self.article),
            "can_continue": context["may_publish"] and not blocked,
            "form": kwargs.get("form") or WhenForm(initial={"when": "now"}),
            "zone": timezone.get_default_timezone_name(),
        }


class ConfirmView(PanelView):
    """One sentence of what is about to be done, and the button that does it."""

    permission = PUBLISH
    page_title = "Publish"
    template_name = "publishing/confirm.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = WhenForm(request.GET)
        if not form.is_valid():
            context = self.get_context_data(form=form)
            return render(request, PanelView.template_name, context)
        return self._confirm(form)

    def _confirm(self, form: WhenForm, error: str = "") -> HttpResponse:
        context = self.get_context_data(form=form)
        if context["nothing_new"] or not context["can_continue"]:
            return redirect(context["panel_url"])
        return render(
            self.request,
            self.template_name,
            {**context, "at": form.time, "token": uuid.uuid4(), "error": error},
        )

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = PublishForm(request.POST)
        panel = reverse("publishing:panel", args=[self.article.pk])
        if not form.is_valid():
            messages.error(request, "That could not be read. Please look at it once more.")
            return redirect(panel)
        revision = get_object_or_404(self.article.revisions, pk=form.cleaned_data["revision"])
        if revision.pk != self.article.latest_revision_id:
            messages.warning(request, "The text was changed meanwhile. Please look at it again.")
            return redirect(panel)
        return _once(request, form, panel, lambda: self._publish(form))

    def _publish(self, form: PublishForm) -> str:
        if form.time is None:
            queued = actions.publish_article(
                article=self.article, acting_user=_person(self.request)
            )
            return "" if queued else "It is under embargo and goes out when that ends."
        actions.schedule_article(
            article=self.article, when=form.time, acting_user=_person(self.request)
        )
        return f"It goes out at {state.when(form.time)}."


class FormView(ArticleView):
    """A page with one form that does one thing to an article."""

    form_class: type[Form]

    def initial(self) -> dict[str, Any]:
        return {}

    def act(self, form: Any) -> str:
        """Do it; return what to say."""
        raise NotImplementedError

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        form = kwargs.get("form") or self.form_class(
            initial={"token": uuid.uuid4(), **self.initial()}
        )
        return {**super().get_context_data(**kwargs), "form": form}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = self.form_class(request.POST)
        if form.is_valid():
            panel = reverse("publishing:panel", args=[self.article.pk])
            return _once(request, form, panel, lambda: self.act(form), again=self._again)
        return self._again(form)

    def _again(self, form: Form) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form))


class CorrectView(FormView):
    page_title = "Correct"
    header_icon = "edit"
    template_name = "publishing/correct.html"
    form_class = CorrectionForm

    def initial(self) -> dict[str, Any]:
        return {"date": timezone.now()}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        return {**context, "has_draft": not _nothing_new(self.article)}

    def act(self, form: CorrectionForm) -> str:
        actions.correct_article(
            article=self.article,
            text=form.cleaned_data["text"],
            date=form.cleaned_data["date"],
            with_changes=form.with_changes,
            acting_user=_person(self.request),
        )
        return "The correction is on its way to readers."


class WithdrawView(FormView):
    page_title = "Withdraw"
    header_icon = "warning"
    template_name = "publishing/withdraw.html"
    form_class = WithdrawalForm

    def act(self, form: WithdrawalForm) -> str:
        actions.withdraw_article(
            article=self.article,
            reason=form.cleaned_data["reason"],
            acting_user=_person(self.request),
        )
        return "The story is withdrawn. It can be restored from this page."


class AddressView(FormView):
    page_title = "Change address"
    header_icon = "link"
    template_name = "publishing/address.html"
    form_class = AddressForm

    def initial(self) -> dict[str, Any]:
        return {"slug": self.article.slug}

    def act(self, form: AddressForm) -> str:
        actions.change_slug(
            article=self.article, slug=form.cleaned_data["slug"], acting_user=_person(self.request)
        )
        return "The story moves to its new address."


class StateView(ArticleView):
    """The state alone, for the page to ask again and again while something waits."""

    permission = CHANGE

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        found = state.of(self.article)
        context = {
            "state": found,
            "article": self.article,
            "may_publish": request.user.has_perm(PUBLISH),
        }
        response = render(request, "publishing/includes/state.html", context)
        response["X-Waiting"] = "yes" if found.moving else "no"
        return response


class PostView(View):
    """An action that needs no page: a button was pressed."""

    http_method_names = ["post"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.has_perm(PUBLISH):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)


class RestoreView(PostView):
    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        article = get_object_or_404(Article, pk=pk)
        return _said(
            request,
            article,
            lambda: actions.restore_article(article=article, acting_user=_person(request)),
            "The story is on its way back to readers.",
        )


class UnscheduleView(PostView):
    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        article = get_object_or_404(Article, pk=pk)
        return _said(
            request,
            article,
            lambda: actions.cancel_schedule(article=article, acting_user=_person(request)),
            "It will not go out by itself any more.",
        )


class RetryView(PostView):
    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        failed = get_object_or_404(BuildRequest.objects.select_related("article"), pk=pk)
        actions.retry_build(request=failed, acting_user=_person(request))
        if request.POST.get("next") == "article" and failed.article:
            return redirect("publishing:panel", failed.article.pk)
        messages.success(request, "It is tried again.")
        return redirect("wagtailadmin_home")


class RebuildView(PostView):
    def post(self, request: HttpRequest) -> HttpResponse:
        actions.rebuild_paper(acting_user=_person(request))
        messages.success(request, "The whole paper is built anew.")
        return redirect("wagtailadmin_home")


def edit_url(article: Article) -> str:
    viewset = Article.snippet_viewset
    return reverse(viewset.get_url_name("edit"), args=[article.pk])


def _person(request: HttpRequest) -> User:
    """Who is signed in: nobody else gets this far."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def _once(
    request: HttpRequest,
    form: Form,
    then: str,
    act: Callable[[], str],
    again: Callable[[Form], HttpResponse] | None = None,
) -> HttpResponse:
    """Do it, unless this very form was already sent; say what came of it."""
    try:
        with transaction.atomic():
            said = act() if actions.first_time(form.cleaned_data["token"]) else ""
    except PublishingError as error:
        if again is not None:
            form.add_error(None, str(error))
            return again(form)
        messages.error(request, str(error))
        return redirect(then)
    if said:
        messages.success(request, said)
    return redirect(then)


def _said(
    request: HttpRequest, article: Article, act: Callable[[], object], said: str
) -> HttpResponse:
    try:
        act()
    except PublishingError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, said)
    return redirect("publishing:panel", article.pk)


def _ahead(time: Any) -> Any:
    return time if time and time > timezone.now() else None


def _nothing_new(article: Article) -> bool:
    """Whether readers already have the newest text."""
    return bool(
        article.live
        and (
            not article.has_unpublished_changes
            or article.latest_revision_id == article.live_revision_id
        )
    )
