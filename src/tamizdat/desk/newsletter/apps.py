# SPDX-License-Identifier: AGPL-3.0-or-later
from django.apps import AppConfig


class NewsletterConfig(AppConfig):
    name = "tamizdat.desk.newsletter"
    label = "newsletter"
    verbose_name = "Newsletters"
