# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where Wagtail learns of the newsroom."""

from __future__ import annotations

from wagtail.snippets.models import register_snippet

from tamizdat.desk.newsroom.viewsets import ArticleViewSet, PeopleAndTermsGroup

register_snippet(ArticleViewSet)
register_snippet(PeopleAndTermsGroup)
