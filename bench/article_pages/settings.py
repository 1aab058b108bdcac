# SPDX-License-Identifier: AGPL-3.0-or-later
"""The desk's settings, with the page beside the model."""

from __future__ import annotations

from tamizdat.desk.settings.newsroom import *  # noqa: F403
from tamizdat.desk.settings.newsroom import INSTALLED_APPS as _APPS

INSTALLED_APPS = [*_APPS, "bench.article_pages"]
# Written into the measurement's own folder when it starts.
MIGRATION_MODULES = {"article_pages": "article_pages_migrations"}
# Both write their index in the request, so that its cost is in the figures of both.
TASKS = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}}
ALLOWED_HOSTS = ["testserver"]
