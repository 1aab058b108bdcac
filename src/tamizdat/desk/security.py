# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the desk tells browsers about itself.

What always holds: nothing of a third party is loaded, nobody else's page can frame the desk or
reach into its windows, no search engine keeps it, no script runs that does not lie in a file of
ours or carry this session's nonce. Pages before the desk and those that say what went wrong run no
inline script at all.

The nonce is the session's, not the answer's: Wagtail fetches pieces of pages and puts them, scripts
and all, into a page that came before, which knows its own nonce only. Wagtail's editor and charts
set styles as attributes, so ``style-src`` allows them.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponseBase
from django.utils.crypto import salted_hmac

_POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'self'",
}
HEADERS = {
    "Permissions-Policy": (
        "camera=(), geolocation=(), microphone=(), payment=(), usb=(), serial=(), "
        "hid=(), midi=(), display-capture=(), browsing-topics=(), "
        "publickey-credentials-get=(self), publickey-credentials-create=(self)"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}
_request: ContextVar[HttpRequest | None] = ContextVar("request", default=None)


class HeadersMiddleware:
    """Adds ``HEADERS`` and a policy to every answer that does not set them itself."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        token = _request.set(request)
        try:
            response = self.get_response(request)
        finally:
            _request.reset(token)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        # Where the database does not answer, nobody can be asked who is signed in.
        found = nonce_of(request) if response.status_code < 500 else ""
        response.headers.setdefault("Content-Security-Policy", policy(found))
        return response


def policy(nonce: str = "") -> str:
    """The policy as a header; with a nonce, inline scripts that carry it run."""
    scripts = f"'self' 'nonce-{nonce}'" if nonce else "'self'"
    return "; ".join(f"{k} {v}" for k, v in {**_POLICY, "script-src": scripts}.items())


def nonce() -> str:
    """``nonce_of`` the request that is being answered, where widgets do not know it."""
    request = _request.get()
    return nonce_of(request) if request is not None else ""


def nonce_of(request: HttpRequest) -> str:
    """What inline scripts of Wagtail's carry in this session; "" where nobody is signed in."""
    user = getattr(request, "user", None)
    key = getattr(getattr(request, "session", None), "session_key", None)
    if user is None or not user.is_authenticated or not key:
        return ""
    digest = salted_hmac("tamizdat.desk.nonce", key, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest[:18]).decode()
