# SPDX-License-Identifier: AGPL-3.0-or-later
"""The addresses of the log-in. Those before it stand in front of Wagtail's own of the same path
and name; django-allauth's are not mounted."""

from __future__ import annotations

from django.urls import URLPattern, path
from django.views.generic import RedirectView

from tamizdat.desk.staff.access import views_in, views_operator, views_own

before = [
    path("login/", views_in.LoginView.as_view(), name="wagtailadmin_login"),
    path("logout/", views_in.LogoutView.as_view(), name="wagtailadmin_logout"),
    path("login/second/", views_in.second, name="wagtailadmin_login_second"),
    path("login/passkey/", views_in.login_passkey, name="wagtailadmin_login_passkey"),
    path("login/passkey/options/", views_in.passkey_options, name="wagtailadmin_login_options"),
    path("password_reset/", views_in.forgotten, name="wagtailadmin_password_reset"),
    *(
        path(
            f"password_reset/{name}/",
            RedirectView.as_view(pattern_name="wagtailadmin_password_reset"),
            name=f"wagtailadmin_password_reset_{name}",
        )
        for name in ("done", "complete")
    ),
    path(
        "password_reset/confirm/<uidb64>/<token>/",
        views_in.InvitationView.as_view(),
        name="wagtailadmin_password_reset_confirm",
    ),
]

# Wagtail lets only staff who are signed in come to these (``register_admin_urls``).
inside: list[URLPattern] = [
    path("account/access/", views_own.overview, name="staff_access"),
    path("account/access/setup/", views_own.setup, name="staff_access_setup"),
    path("account/access/passkey/", views_own.passkey, name="staff_access_passkey"),
    path("account/access/app/", views_own.app, name="staff_access_app"),
    path("account/access/codes/", views_own.codes, name="staff_access_codes"),
    path("account/access/remove/<int:pk>/", views_own.remove, name="staff_access_remove"),
    path("account/access/end/", views_own.end, name="staff_access_end"),
    path("account/access/prove/", views_own.prove, name="staff_access_prove"),
    path("staff/<int:pk>/sessions/", views_operator.sessions, name="staff_sessions"),
]
