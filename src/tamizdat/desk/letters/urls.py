# SPDX-License-Identifier: AGPL-3.0-or-later
from __future__ import annotations

from django.urls import path

from tamizdat.desk.letters import views

app_name = "letters"
urlpatterns = [
    path("", views.InboxView.as_view(), name="inbox"),
    path("aside/", views.AsideView.as_view(), name="aside"),
    path("<int:pk>/", views.MessageView.as_view(), name="message"),
    path("<int:pk>/delete/", views.DeleteView.as_view(), name="delete"),
]
