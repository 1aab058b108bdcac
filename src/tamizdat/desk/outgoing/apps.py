# SPDX-License-Identifier: AGPL-3.0-or-later
from django.apps import AppConfig


class OutgoingConfig(AppConfig):
    name = "tamizdat.desk.outgoing"
    label = "outgoing"
    verbose_name = "Outgoing mail"
