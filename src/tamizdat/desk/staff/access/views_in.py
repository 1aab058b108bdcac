# SPDX-License-Identifier: AGPL-3.0-or-later
"""The pages before the desk: log-in, second factor, one-time link, help without a mail."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import views as django_views
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    JsonResponse,
)
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST
from wagtail.admin import messages
from wagtail.admin.views import account

from tamizdat.desk.staff.access import actions, entry, passkeys, policy, words
from tamizdat.desk.staff.access.codes import take_code
from tamizdat.desk.staff.access.errors import PasskeyError
from tamizdat.desk.staff.access.factors import Kind, factors_of
from tamizdat.desk.staff.access.forms import CodeForm, LoginForm
from tamizdat.desk.staff.access.paths import own_path
from tamizdat.desk.staff.access.throttle import client, throttle
from tamizdat.desk.staff.models import User

FEW_CODES = 3


class LoginView(account.LoginView):
    """Name and password, or a passkey alone."""

    template_name = "staff/access/login.html"

    @method_decorator(never_cache)
    @method_decorator(sensitive_post_parameters("password"))
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if policy.passkeys_only():
            return self._refuse(words.passkeys_alone(), status=403)
        self.attempts = (
            ("password", request.POST.get("username", "").strip().casefold()),
            ("client", client(request)),
        )
        wait = throttle.spend(*self.attempts)
        if wait:
            return _later(self._refuse(words.too_many(wait), status=429), wait)
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: LoginForm) -> HttpResponse:
        user, remember = form.get_user(), bool(form.cleaned_data.get("remember"))
        throttle.forgive(self.attempts[0])
        throttle.take_back(self.attempts[1])
        if factors_of(user).asked:
            entry.wait_for_second(
                self.request, user=user, next_path=self.get_success_url(), remember=remember
            )
            return redirect("wagtailadmin_login_second")
        entry.open_desk(self.request, user=user, how=entry.PASSWORD, remember=remember)
        return HttpResponseRedirect(self.get_success_url())

    def get_success_url(self) -> str:
        return own_path(self.request)

    def _refuse(self, refusal: str, *, status: int) -> HttpResponse:
        form = self.get_form_class()(
            self.request, initial={"username": self.request.POST.get("username", "")[:254]}
        )
        context = self.get_context_data(form=form, refusal=refusal)
        return self.render_to_response(context, status=status)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        only = policy.passkeys_only()
        return context | {"passkeys_only": only, "secondary_passkey": not only}


@never_cache
@require_GET
def passkey_options(request: HttpRequest) -> HttpResponse:
    """What the browser is to ask of a passkey: as JSON, with a challenge that is used once."""
    wait = throttle.spend(("challenge", client(request)))
    if wait:
        return _later(JsonResponse({"error": words.too_many(wait)}, status=429), wait)
    user: User | None = None
    if isinstance(request.user, User):
        user = request.user
    elif "second" in request.GET:
        waiting = entry.pending(request)
        user = waiting.user if waiting else None
    if user is None and entry.PENDING not in request.session:
        request.session.set_expiry(entry.PATIENCE)
    return JsonResponse(passkeys.options_to_show(user))


@never_cache
@require_POST
def login_passkey(request: HttpRequest) -> HttpResponse:
    """A passkey alone: it says whose it is."""
    try:
        user = shown_passkey(request, user=None)
    except PasskeyError as error:
        messages.error(request, str(error))
        return redirect(f"{reverse('wagtailadmin_login')}?{own_path(request, query=True)}")
    remember = bool(request.POST.get("remember"))
    entry.open_desk(request, user=user, how=entry.PASSKEY, remember=remember)
    return HttpResponseRedirect(own_path(request))


def shown_passkey(request: HttpRequest, *, user: User | None) -> User:
    """Whose passkey was shown with this request. Raises ``PasskeyError``."""
    row, count = passkeys.read_shown(request.POST.get("credential", ""), user=user)
    if not row.user.is_active:
        raise PasskeyError(passkeys.unknown())
    if not actions.use_passkey(row=row, count=count):
        raise passkeys.refuse_copy()
    return row.user


@never_cache
@sensitive_post_parameters("code")
def second(request: HttpRequest) -> HttpResponse:
    """After the password: a passkey, a code of the app, or a recovery code."""
    waiting = entry.pending(request)
    if waiting is None:
        messages.error(request, words.took_too_long())
        return redirect("wagtailadmin_login")
    if request.method != "POST":
        return _ask_second(request, waiting)
    if "credential" in request.POST:
        try:
            shown_passkey(request, user=waiting.user)
        except PasskeyError as error:
            return _ask_second(request, waiting, refusal=str(error))
        return _come_in(request, waiting, entry.PASSKEY)
    attempts = (("code", str(waiting.user.pk)), ("client", client(request)))
    wait = throttle.spend(*attempts)
    if wait:
        refusal = words.too_many(wait)
        return _later(_ask_second(request, waiting, refusal=refusal, status=429), wait)
    row = take_code(waiting.user, request.POST.get("code", "")[:40])
    if row is None or policy.passkeys_only():
        return _ask_second(request, waiting, refusal=words.wrong_code())
    throttle.forgive(attempts[0])
    throttle.take_back(attempts[1])
    few = row.type == Kind.RECOVERY_CODES and factors_of(waiting.user).codes_left < FEW_CODES
    return _come_in(request, waiting, entry.CODE, next_path=reverse("staff_access") * few)


def _come_in(
    request: HttpRequest, waiting: entry.Pending, how: str, *, next_path: str = ""
) -> HttpResponse:
    entry.open_desk(request, user=waiting.user, how=how, remember=waiting.remember)
    return HttpResponseRedirect(next_path or waiting.next)


def _ask_second(
    request: HttpRequest, waiting: entry.Pending, *, refusal: str = "", status: int = 200
) -> HttpResponse:
    has = factors_of(waiting.user)
    context = {
        "form": CodeForm(),
        "has": has,
        "typed": not policy.passkeys_only() and (has.app or has.recovery),
        "refusal": refusal,
    }
    return render(request, "staff/access/second.html", context, status=status)


@method_decorator(require_POST, name="dispatch")
class LogoutView(account.LogoutView):
    """Wagtail's takes the cookie away for a mere link, too."""


@never_cache
@require_GET
def forgotten(request: HttpRequest) -> HttpResponse:
    """No mail is sent: people ask their operator."""
    return render(request, "staff/access/forgotten.html")


class InvitationView(django_views.PasswordResetConfirmView):
    """A one-time link: choose a password, then set up what stands beside it.

    In a newsroom of passkeys only no password is chosen: one button opens the desk as far as the
    page that makes the passkey. An account that has a second factor is not opened by the link.
    """

    template_name = "staff/access/invitation.html"

    @method_decorator(never_cache)
    @method_decorator(sensitive_post_parameters())
    def dispatch(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return super().dispatch(*args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not policy.passkeys_only():
            return super().post(request, *args, **kwargs)
        assert isinstance(self.user, User)  # noqa: S101 - the link was checked before
        return self._lead_on(self.user, entry.LINK)

    def form_valid(self, form: Any) -> HttpResponse:
        return self._lead_on(form.save(), entry.PASSWORD)

    def _lead_on(self, user: User, how: str) -> HttpResponse:
        self.request.session.pop(django_views.INTERNAL_RESET_SESSION_TOKEN, None)
        if not user.is_active or factors_of(user).asked:
            said = words.passkey_there() if policy.passkeys_only() else words.now_sign_in()
            messages.success(self.request, said)
            return redirect("wagtailadmin_login")
        entry.open_desk(self.request, user=user, how=how, remember=False)
        return redirect("staff_access_setup")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        return context | {"passkeys_only": policy.passkeys_only(), "account": self.user}


def _later(response: HttpResponse, wait: float) -> HttpResponse:
    response.headers["Retry-After"] = str(int(wait) + 1)
    return response
