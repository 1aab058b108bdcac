# SPDX-License-Identifier: AGPL-3.0-or-later
from django.apps import AppConfig


class NewsletterConfig(AppConfig):
    name = "tamizdat.desk.newsletter"
    label = "newsletter"
    verbose_name = "Newsletters"

    def ready(self) -> None:
        from tamizdat.desk.newsletter import handlers, holdings, paper, returns
        from tamizdat.desk.newsletter.transfer import carrying, sealed_file
        from tamizdat.desk.publishing.site import offer_newsletters
        from tamizdat.desk.readers import sealed_columns

        offer_newsletters(paper.offered)
        handlers.register()
        holdings.register()
        returns.register()
        carrying.register()
        sealed_columns.register("newsletter.UploadPart", "sealed", purpose=sealed_file.PURPOSE)
