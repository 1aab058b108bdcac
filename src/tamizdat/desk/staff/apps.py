# SPDX-License-Identifier: AGPL-3.0-or-later
from django.apps import AppConfig
from django.db.models.signals import post_migrate


class StaffConfig(AppConfig):
    name = "tamizdat.desk.staff"
    label = "staff"
    verbose_name = "Staff"

    def ready(self) -> None:
        # Imported for its registration with Django's checks.
        from tamizdat.desk import system_checks  # noqa: F401
        from tamizdat.desk.staff.roles import ensure_everything

        post_migrate.connect(ensure_everything, dispatch_uid="staff.roles")
