# SPDX-License-Identifier: AGPL-3.0-or-later
from django.apps import AppConfig


class OutgoingConfig(AppConfig):
    name = "tamizdat.desk.outgoing"
    label = "outgoing"
    verbose_name = "Outgoing mail"

    def ready(self) -> None:
        from tamizdat.desk.outgoing import (
            following,
            holdings,
            mail_holdings,
            reports,
            return_holdings,
        )
        from tamizdat.desk.readers import sealed_columns

        sealed_columns.register("outgoing.Mail", "sealed", purpose="outgoing.mail")
        sealed_columns.register("outgoing.Return", "sealed", purpose=reports.SEALED)
        following.register()
        holdings.register()
        mail_holdings.register()
        return_holdings.register()
