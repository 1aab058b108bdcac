# SPDX-License-Identifier: AGPL-3.0-or-later
from __future__ import annotations

from django.urls import path

from tamizdat.desk.outgoing import lifting, views

app_name = "outgoing"
urlpatterns = [
    path("", views.OutboxView.as_view(), name="outbox"),
    path("<slug:name>/", views.ReadView.as_view(), name="mail"),
    path("<slug:name>/html/", views.FrameView.as_view(), name="frame"),
]
suppressions = [path("lift/", lifting.LiftView.as_view(), name="lift")]
