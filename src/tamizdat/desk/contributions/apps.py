# SPDX-License-Identifier: AGPL-3.0-or-later
from django.apps import AppConfig


class ContributionsConfig(AppConfig):
    name = "tamizdat.desk.contributions"
    label = "contributions"
    verbose_name = "Contributions"

    def ready(self) -> None:
        from tamizdat.desk.contributions import handlers, paper, reminder_letters
        from tamizdat.desk.contributions.givers import holdings
        from tamizdat.desk.publishing.site import offer_giving

        offer_giving(paper.giving, paper.asks_of)
        handlers.register()
        holdings.register()
        reminder_letters.register()
