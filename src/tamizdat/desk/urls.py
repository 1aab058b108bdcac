# SPDX-License-Identifier: AGPL-3.0-or-later
"""The desk's addresses: Wagtail's admin, its log-in by ours, and nothing public."""

from __future__ import annotations

from django.urls import include, path
from django.views.generic import RedirectView
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.documents import urls as wagtaildocs_urls

from tamizdat.desk.staff.access import urls as access_urls

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="wagtailadmin_home", permanent=False)),
    path("desk/", include(access_urls.before)),
    path("desk/", include(wagtailadmin_urls)),
    path("documents/", include(wagtaildocs_urls)),
]
