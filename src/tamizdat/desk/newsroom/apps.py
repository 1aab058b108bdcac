# SPDX-License-Identifier: AGPL-3.0-or-later
from django.apps import AppConfig
from django.db.models.signals import post_migrate


class NewsroomConfig(AppConfig):
    name = "tamizdat.desk.newsroom"
    label = "newsroom"
    verbose_name = "Newsroom"

    def ready(self) -> None:
        from tamizdat.desk.newsroom.languages import ensure_languages

        post_migrate.connect(ensure_languages, dispatch_uid="newsroom.languages")
