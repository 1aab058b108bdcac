# SPDX-License-Identifier: AGPL-3.0-or-later
from django.apps import AppConfig


class ReadersConfig(AppConfig):
    name = "tamizdat.desk.readers"
    label = "readers"
    verbose_name = "Readers"
