# SPDX-License-Identifier: AGPL-3.0-or-later
"""What opens one's own account: passkeys, the app with codes, recovery codes, open sessions.

What always holds: nothing is added, removed or shown that opens the account before its person has
proved who they are within the last minutes (``entry.proved``).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from urllib.parse import urlencode

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST
from wagtail.admin import messages

from tamizdat.desk.staff.access import actions, entry, passkeys, policy, words
from tamizdat.desk.staff.access.codes import matching_steps, take_code
from tamizdat.desk.staff.access.errors import LastFactorError, PasskeyError
from tamizdat.desk.staff.access.factors import Factors, Kind, factors_of
from tamizdat.desk.staff.access.forms import CodeForm, PasswordForm
from tamizdat.desk.staff.access.paths import own_path
from tamizdat.desk.staff.access.sessions import open_sessions
from tamizdat.desk.staff.access.store import hashed
from tamizdat.desk.staff.access.throttle import client, throttle
from tamizdat.desk.staff.access.views_in import shown_passkey
from tamizdat.desk.staff.models import Session, User

View = Callable[..., HttpResponse]


def fresh_proof(view: View) -> View:
    """Ask who they are first, unless they showed it a moment ago."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        user = person(request)
        if entry.proved(request) or not _provable(user, factors_of(user)):
            return view(request, *args, **kwargs)
        back = request.path if request.method == "GET" else reverse("staff_access")
        return redirect(f"{reverse('staff_access_prove')}?{urlencode({'next': back})}")

    return guarded


def person(request: HttpRequest) -> User:
    """Who is signed in; Wagtail lets nobody else come here."""
    assert isinstance(request.user, User)  # noqa: S101 - a mistake of ours, not of a user
    return request.user


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """Everything that opens one's account, and where it is open."""
    user = person(request)
    own = hashed(request.session.session_key)
    context = {
        "has": factors_of(user),
        "sessions": open_sessions(user, own=own),
        "required": policy.second_factor_required(),
        "passkeys_only": policy.passkeys_only(),
    }
    return render(request, "staff/access/overview.html", context)


@require_GET
@fresh_proof
def setup(request: HttpRequest) -> HttpResponse:
    """The choice: a passkey, or an app with codes."""
    has = factors_of(person(request))
    context = {
        "has": has,
        "forced": policy.second_factor_required() and not has.enough,
        "passkeys_only": policy.passkeys_only(),
        "next": own_path(request),
        "error": request.GET.get("error", ""),
    }
    return render(request, "staff/access/setup.html", context)


@fresh_proof
def passkey(request: HttpRequest) -> HttpResponse:
    """GET: what the browser is to make. POST: what it made."""
    user = person(request)
    if request.method != "POST":
        return JsonResponse(passkeys.options_to_add(user))
    try:
        credential, count = passkeys.read_new(request.POST.get("credential", ""))
    except PasskeyError as error:
        messages.error(request, str(error))
        return redirect("staff_access_setup")
    had = factors_of(user)
    actions.add_passkey(
        acting_user=user,
        name=_name(request, had),
        credential=credential,
        count=count,
        session_key=hashed(request.session.session_key),
    )
    request.session[entry.HOW] = entry.PASSKEY
    messages.success(request, _("The passkey is set up: next time it opens the desk."))
    return _onward(request, had)


@sensitive_post_parameters("code")
@fresh_proof
def app(request: HttpRequest) -> HttpResponse:
    """An app that shows codes: its secret as a picture and in letters, then its first code."""
    user = person(request)
    had = factors_of(user)
    if had.app is not None or policy.passkeys_only():
        return redirect("staff_access")
    secret = totp.get_totp_secret(regenerate=request.method == "GET")
    if request.method == "POST":
        attempts = (("code", f"setup {user.pk}"),)
        wait = throttle.spend(*attempts)
        if wait:
            return _show_app(request, user, secret, words.too_many(wait), status=429)
        step = max(matching_steps(secret, request.POST.get("code", "")[:40]), default=None)
        if step is None:
            return _show_app(request, user, secret, words.wrong_code())
        throttle.forgive(*attempts)
        totp.clear_totp_secret(request)
        actions.add_app(
            acting_user=user,
            secret=secret,
            step=step,
            session_key=hashed(request.session.session_key),
        )
        messages.success(request, _("The app is set up: after your password it opens the desk."))
        return _onward(request, had)
    return _show_app(request, user, secret, "")


def _show_app(
    request: HttpRequest, user: User, secret: str, refusal: str, *, status: int = 200
) -> HttpResponse:
    adapter = get_adapter()
    picture = adapter.build_totp_svg(adapter.build_totp_url(user, secret))
    context = {
        "form": CodeForm(),
        # Made by the qrcode library of our own address; nothing of it is somebody's words.
        "picture": mark_safe(picture.partition("?>")[2] or picture),  # noqa: S308
        "secret": " ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),
        "refusal": refusal,
    }
    return render(request, "staff/access/app.html", context, status=status)


@fresh_proof
def codes(request: HttpRequest) -> HttpResponse:
    """GET asks, POST makes recovery codes anew and shows them this once."""
    user = person(request)
    has = factors_of(user)
    if not has.asked or policy.passkeys_only():
        return redirect("staff_access")
    made = actions.make_recovery_codes(acting_user=user) if request.method == "POST" else []
    shown = [" ".join(code[i : i + 4] for i in range(0, len(code), 4)) for code in made]
    context = {"has": has, "codes": shown, "next": own_path(request)}
    response = render(request, "staff/access/codes.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response


@fresh_proof
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """GET asks, POST takes a passkey or the app away and ends the other sessions."""
    user = person(request)
    rows = Authenticator.objects.filter(user=user).exclude(type=Kind.RECOVERY_CODES)
    row = get_object_or_404(rows, pk=pk)
    if request.method != "POST":
        return render(request, "staff/access/remove.html", {"row": row, "name": _called(row)})
    own = hashed(request.session.session_key)
    try:
        actions.remove_factor(acting_user=user, row=row, session_key=own)
    except LastFactorError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("“{}” opens your account no more.").format(_called(row)))
    request.session.pop(entry.CLEARED, None)
    return redirect("staff_access")


@require_POST
def end(request: HttpRequest) -> HttpResponse:
    """End one session of one's own, or all the others."""
    user = person(request)
    own = hashed(request.session.session_key)
    if "others" in request.POST:
        actions.end_sessions(acting_user=user, user=user, but=own)
        messages.success(request, _("You are signed out everywhere but here."))
    else:
        mine = Session.objects.filter(user=user).exclude(session_key=own)
        session = mine.filter(session_key=request.POST.get("session", "")).first()
        if session is not None:
            actions.end_session(acting_user=user, session=session)
        messages.success(request, _("That browser is signed out."))
    return redirect("staff_access")


@sensitive_post_parameters("code", "password")
def prove(request: HttpRequest) -> HttpResponse:
    """Who sits here? Asked before what opens an account is changed."""
    user = person(request)
    has = factors_of(user)
    refusal, wait = _check_proof(request, user, has) if request.method == "POST" else ("", 0.0)
    if request.method == "POST" and not refusal:
        entry.prove(request)
        return HttpResponseRedirect(own_path(request))
    context = {
        "has": has,
        "typed": (has.app or has.recovery) and not policy.passkeys_only(),
        "code_form": CodeForm(),
        "password_form": PasswordForm(),
        "refusal": refusal,
        "next": own_path(request),
    }
    return render(request, "staff/access/prove.html", context, status=429 if wait else 200)


def _check_proof(request: HttpRequest, user: User, has: Factors) -> tuple[str, float]:
    """Why what was shown is no proof ("" where it is one), and how long to wait."""
    if "credential" in request.POST:
        try:
            shown_passkey(request, user=user)
        except PasskeyError as error:
            return str(error), 0.0
        return "", 0.0
    kind = "code" if has.asked else "password"
    attempts = ((kind, str(user.pk) if has.asked else user.username.casefold()),)
    wait = throttle.spend(*attempts, ("client", client(request)))
    if wait:
        return words.too_many(wait), wait
    if has.asked:
        right = not policy.passkeys_only() and take_code(user, request.POST.get("code", "")[:40])
    else:
        right = user.check_password(request.POST.get("password", ""))
    if not right:
        return words.wrong_code() if has.asked else words.wrong_password(), 0.0
    throttle.forgive(*attempts)
    throttle.take_back(("client", client(request)))
    return "", 0.0


def _provable(user: User, has: Factors) -> bool:
    """Whether there is anything to prove oneself with: not yet, after a one-time link."""
    return has.asked or user.has_usable_password()


def _onward(request: HttpRequest, had: Factors) -> HttpResponse:
    """After a factor was added: to recovery codes where there are none yet."""
    request.session.pop(entry.CLEARED, None)
    if had.recovery is None and not policy.passkeys_only():
        return redirect(f"{reverse('staff_access_codes')}?{own_path(request, query=True)}")
    return HttpResponseRedirect(own_path(request) if not had.asked else reverse("staff_access"))


def _name(request: HttpRequest, had: Factors) -> str:
    given = request.POST.get("name", "").strip()
    return given or _("Passkey %(number)d") % {"number": len(had.passkeys) + 1}


def _called(row: Authenticator) -> str:
    return row.wrap().name if row.type == Kind.WEBAUTHN else _("App with codes")
