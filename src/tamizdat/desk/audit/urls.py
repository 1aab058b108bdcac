# SPDX-License-Identifier: AGPL-3.0-or-later
"""The audit trail's page inside the desk (``audit:trail``)."""

from __future__ import annotations

from django.urls import path

from tamizdat.desk.audit import views

app_name = "audit"
urlpatterns = [path("", views.TrailView.as_view(), name="trail")]
