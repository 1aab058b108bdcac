# SPDX-License-Identifier: AGPL-3.0-or-later
"""The languages of the paper, as Wagtail's locales.

What always holds: after every ``migrate`` there is a locale for each language in
``tamizdat.toml``. A language that was taken out of the settings keeps its locale and stories.
"""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.conf import settings

from tamizdat.desk.staff.roles import last_app


def ensure_languages(*, sender: AppConfig, **_: Any) -> None:
    """Receiver of ``post_migrate``: runs once, after the last app."""
    if sender is last_app():
        from wagtail.models import Locale

        for code, _name in settings.LANGUAGES:
            Locale.all_objects.get_or_create(language_code=code)
