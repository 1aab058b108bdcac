# SPDX-License-Identifier: AGPL-3.0-or-later
from __future__ import annotations

from django.urls import path

from tamizdat.desk.readers import views

app_name = "readers"
urlpatterns = [
    path("", views.FindView.as_view(), name="find"),
    path("export/", views.ExportView.as_view(), name="export"),
    path("erase/", views.EraseView.as_view(), name="erase"),
]
