# SPDX-License-Identifier: AGPL-3.0-or-later
"""The newsroom's own pages, under the desk's address: only staff get there."""

from __future__ import annotations

from django.urls import path

from tamizdat.desk.newsroom import views

app_name = "newsroom"
urlpatterns = [
    path("front/", views.FrontView.as_view(), name="front"),
    path("front/search/", views.front_search, name="front_search"),
    path("articles/<int:pk>/comments/", views.CommentsView.as_view(), name="comments"),
    path("articles/<int:pk>/translate/", views.TranslateView.as_view(), name="translate"),
    path("files/<str:sha256>/", views.reader_file, name="file"),
    path("media/<path:path>", views.desk_media, name="media"),
]
