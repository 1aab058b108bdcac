# SPDX-License-Identifier: AGPL-3.0-or-later
from django.apps import AppConfig


class ContributionsConfig(AppConfig):
    name = "tamizdat.desk.contributions"
    label = "contributions"
    verbose_name = "Contributions"
