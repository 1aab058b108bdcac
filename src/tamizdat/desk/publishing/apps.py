# SPDX-License-Identifier: AGPL-3.0-or-later
from django.apps import AppConfig


class PublishingConfig(AppConfig):
    name = "tamizdat.desk.publishing"
    label = "publishing"
    verbose_name = "Publishing"
