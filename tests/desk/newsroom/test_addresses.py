# SPDX-License-Identifier: AGPL-3.0-or-later
"""Addresses of sections, topics and pages: one language has each only once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from wagtail.models import Locale

from tamizdat.desk.newsroom.models import Section, SitePage
from tamizdat.desk.staff.models import User


@pytest.mark.parametrize(
    ("model", "form"),
    [
        (Section, {"title": "News", "slug": "news", "order": "1", "description": ""}),
        (
            SitePage,
            {"title": "News", "slug": "news", "order": "1", "kind": "other", "body": "null"},
        ),
    ],
)
def test_an_address_that_is_taken_is_refused_in_words(
    model: type[Section] | type[SitePage],
    form: dict[str, str],
    english: Locale,
    operator: User,
    signed_in: Callable[[User], Client],
) -> None:
    model.objects.create(locale=english, title="News", slug="news", order=1)
    path = f"/desk/snippets/newsroom/{model._meta.model_name}/add/?locale=en"
    answer = signed_in(operator).post(path, form)
    assert answer.status_code == 200
    assert "is taken" in answer.content.decode()
    assert model.objects.count() == 1
