# SPDX-License-Identifier: AGPL-3.0-or-later
from __future__ import annotations

from django.urls import URLPattern, path

from tamizdat.desk.contributions.pages.asks.views import deciding, lists, looking, writing

_ASK = "<int:pk>/"
urlpatterns: list[URLPattern] = [
    path("", lists.IndexView.as_view(), name="asks"),
    path("new/", writing.NewView.as_view(), name="ask_new"),
    path(_ASK, writing.EditView.as_view(), name="ask"),
    path(f"{_ASK}preview/", looking.PreviewView.as_view(), name="ask_preview"),
    path(f"{_ASK}frame/", looking.FrameView.as_view(), name="ask_frame"),
    path(f"{_ASK}approve/", deciding.ApproveView.as_view(), name="ask_approve"),
    path(f"{_ASK}reach/", deciding.ReachView.as_view(), name="ask_reach"),
    path(f"{_ASK}stop/", deciding.StopView.as_view(), name="ask_stop"),
    path(f"{_ASK}history/", lists.HistoryView.as_view(), name="ask_history"),
    path(f"{_ASK}history/<int:number>/", deciding.RestoreView.as_view(), name="ask_restore"),
]
