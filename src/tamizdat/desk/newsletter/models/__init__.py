# SPDX-License-Identifier: AGPL-3.0-or-later
from tamizdat.desk.newsletter.models.delivery import Delivery
from tamizdat.desk.newsletter.models.issue import Issue, IssueItem, IssueSection
from tamizdat.desk.newsletter.models.newsletter import Newsletter, NewsletterSection
from tamizdat.desk.newsletter.models.sending import Sender, Tally
from tamizdat.desk.newsletter.models.subscription import Subscription
from tamizdat.desk.newsletter.models.upload import Upload, UploadPart

__all__ = [
    "Delivery",
    "Issue",
    "IssueItem",
    "IssueSection",
    "Newsletter",
    "NewsletterSection",
    "Sender",
    "Subscription",
    "Tally",
    "Upload",
    "UploadPart",
]
