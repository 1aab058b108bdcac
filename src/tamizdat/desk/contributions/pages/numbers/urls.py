# SPDX-License-Identifier: AGPL-3.0-or-later
from __future__ import annotations

from django.urls import URLPattern, path

from tamizdat.desk.contributions.pages.numbers import views

urlpatterns: list[URLPattern] = [
    path("", views.OverviewView.as_view(), name="overview"),
    path("export/report.csv", views.TableView.as_view(), name="report"),
    path("months/", views.MonthsView.as_view(), name="months"),
    path("months/<str:month>/export/<str:format_>/", views.BooksView.as_view(), name="books"),
]
