# SPDX-License-Identifier: AGPL-3.0-or-later
"""Publishing's pages inside the desk (``publishing:…``)."""

from __future__ import annotations

from django.urls import path

from tamizdat.desk.publishing import views

app_name = "publishing"
urlpatterns = [
    path("article/<int:pk>/", views.PanelView.as_view(), name="panel"),
    path("article/<int:pk>/confirm/", views.ConfirmView.as_view(), name="confirm"),
    path("article/<int:pk>/state/", views.StateView.as_view(), name="state"),
    path("article/<int:pk>/correct/", views.CorrectView.as_view(), name="correct"),
    path("article/<int:pk>/withdraw/", views.WithdrawView.as_view(), name="withdraw"),
    path("article/<int:pk>/restore/", views.RestoreView.as_view(), name="restore"),
    path("article/<int:pk>/address/", views.AddressView.as_view(), name="address"),
    path("article/<int:pk>/unschedule/", views.UnscheduleView.as_view(), name="unschedule"),
    path("retry/<int:pk>/", views.RetryView.as_view(), name="retry"),
    path("rebuild/", views.RebuildView.as_view(), name="rebuild"),
]
