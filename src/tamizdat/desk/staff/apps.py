# SPDX-License-Identifier: AGPL-3.0-or-later
from django.apps import AppConfig


class StaffConfig(AppConfig):
    name = "tamizdat.desk.staff"
    label = "staff"
    verbose_name = "Staff"
