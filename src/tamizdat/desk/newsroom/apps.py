# SPDX-License-Identifier: AGPL-3.0-or-later
from django.apps import AppConfig


class NewsroomConfig(AppConfig):
    name = "tamizdat.desk.newsroom"
    label = "newsroom"
    verbose_name = "Newsroom"
