# SPDX-License-Identifier: AGPL-3.0-or-later
"""The pages about contributions, under the desk's address: only staff get there."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path

from tamizdat.desk.contributions.pages.asks import urls as asks
from tamizdat.desk.contributions.pages.gifts import urls as gifts
from tamizdat.desk.contributions.pages.numbers import urls as numbers

app_name = "contributions"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", include(numbers.urlpatterns)),
    path("messages/", include(asks.urlpatterns)),
    path("gifts/", include(gifts.urlpatterns)),
]
