# SPDX-License-Identifier: AGPL-3.0-or-later
"""The newsletters' own pages, under the desk's address: only staff get there."""

from __future__ import annotations

from django.urls import path

from tamizdat.desk.newsletter.views import compose, lists, preview, sending, uploads

app_name = "newsletter"
_ISSUE, _FILE = "issues/<int:pk>/", "subscribers/files/<int:pk>/"
urlpatterns = [
    path("", lists.IndexView.as_view(), name="index"),
    path("subscribers/", lists.SubscribersView.as_view(), name="subscribers"),
    path("subscribers/files/", uploads.UploadsView.as_view(), name="uploads"),
    path(_FILE, uploads.UploadView.as_view(), name="upload"),
    path(f"{_FILE}state/", uploads.UploadStateView.as_view(), name="upload_state"),
    path(f"{_FILE}take-in/", uploads.TakeInView.as_view(), name="upload_take_in"),
    path(f"{_FILE}throw-away/", uploads.ThrowAwayView.as_view(), name="upload_throw_away"),
    path("<int:pk>/new/", lists.NewView.as_view(), name="new"),
    path(_ISSUE, compose.ComposeView.as_view(), name="compose"),
    path(f"{_ISSUE}parts/", compose.SaveView.as_view(), name="parts"),
    path(f"{_ISSUE}stories/", compose.StoriesView.as_view(), name="stories"),
    path(f"{_ISSUE}suggest/", compose.SuggestView.as_view(), name="suggest"),
    path(f"{_ISSUE}discard/", compose.DiscardView.as_view(), name="discard"),
    path(f"{_ISSUE}preview/", preview.PreviewView.as_view(), name="preview"),
    path(f"{_ISSUE}mail/", preview.MailView.as_view(), name="mail"),
    path(f"{_ISSUE}test/", preview.TestView.as_view(), name="test"),
    path(f"{_ISSUE}sending/", sending.SendingView.as_view(), name="sending"),
    path(f"{_ISSUE}progress/", sending.ProgressView.as_view(), name="progress"),
    path(f"{_ISSUE}approve/", sending.ApproveView.as_view(), name="approve"),
    path(f"{_ISSUE}schedule/", sending.ScheduleView.as_view(), name="schedule"),
    path(f"{_ISSUE}unschedule/", sending.UnscheduleView.as_view(), name="unschedule"),
    path(f"{_ISSUE}confirm/", sending.ConfirmView.as_view(), name="confirm"),
    path(f"{_ISSUE}send/", sending.SendNowView.as_view(), name="send"),
    path(f"{_ISSUE}pause/", sending.PauseView.as_view(), name="pause"),
    path(f"{_ISSUE}resume/", sending.ResumeView.as_view(), name="resume"),
    path(f"{_ISSUE}cancel/", sending.CancelView.as_view(), name="cancel"),
    path(f"{_ISSUE}rest/", sending.RestView.as_view(), name="rest"),
    path(f"{_ISSUE}withdraw/", sending.WithdrawView.as_view(), name="withdraw"),
    path(f"{_ISSUE}restore/", sending.RestoreView.as_view(), name="restore"),
    path(f"{_ISSUE}relay/", sending.RelayView.as_view(), name="relay"),
    path(f"{_ISSUE}unknown/", sending.UnknownView.as_view(), name="unknown"),
]
