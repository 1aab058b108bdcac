# SPDX-License-Identifier: AGPL-3.0-or-later
from __future__ import annotations

from django.urls import URLPattern, path

from tamizdat.desk.contributions.pages.gifts import givers, looking, payments, refunds

urlpatterns: list[URLPattern] = [
    path("", payments.PaymentsView.as_view(), name="gifts"),
    path("find/", givers.FindView.as_view(), name="gift_find"),
    path("<int:pk>/", payments.GiftView.as_view(), name="gift"),
    path("<int:pk>/giver/", givers.GiverView.as_view(), name="gift_giver"),
    path("payments/<int:pk>/", payments.PaymentView.as_view(), name="payment"),
    path("payments/<int:pk>/refund/", refunds.AskView.as_view(), name="refund_ask"),
    path("refunds/", refunds.RefundsView.as_view(), name="refunds"),
    path("refunds/<int:pk>/", refunds.RefundView.as_view(), name="refund"),
    path("refunds/<int:pk>/approve/", refunds.ApproveView.as_view(), name="refund_approve"),
    path("refunds/<int:pk>/decline/", refunds.DeclineView.as_view(), name="refund_decline"),
    path("disputes/", looking.DisputesView.as_view(), name="disputes"),
    path("wishes/", looking.WishesView.as_view(), name="wishes"),
    path("wishes/<int:pk>/seen/", looking.SeenView.as_view(), name="wish_seen"),
    path("providers/", looking.StandingView.as_view(), name="standing"),
    path("providers/<slug:name>/reconcile/", looking.ReconcileView.as_view(), name="reconcile"),
]
