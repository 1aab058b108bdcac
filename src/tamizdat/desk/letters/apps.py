# SPDX-License-Identifier: AGPL-3.0-or-later
from django.apps import AppConfig


class LettersConfig(AppConfig):
    name = "tamizdat.desk.letters"
    label = "letters"
    verbose_name = "Letters"

    def ready(self) -> None:
        from tamizdat.desk.letters import holding, safe, writing

        safe.register_columns()
        writing.register()
        holding.register()
