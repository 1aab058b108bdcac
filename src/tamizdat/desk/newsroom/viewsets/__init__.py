# SPDX-License-Identifier: AGPL-3.0-or-later
"""The desk's lists and editors, one subject a file."""

from tamizdat.desk.newsroom.viewsets.articles import ArticleViewSet
from tamizdat.desk.newsroom.viewsets.terms import FilingGroup, PersonViewSet

__all__ = ["ArticleViewSet", "FilingGroup", "PersonViewSet"]
