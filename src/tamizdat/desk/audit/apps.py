# SPDX-License-Identifier: AGPL-3.0-or-later
from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "tamizdat.desk.audit"
    label = "audit"
    verbose_name = "Audit trail"

    def ready(self) -> None:
        from tamizdat.desk.audit import sign_ins

        sign_ins.connect()
