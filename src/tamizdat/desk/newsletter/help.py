# SPDX-License-Identifier: AGPL-3.0-or-later
"""What each field of a newsletter is for, in the words of its form."""

from __future__ import annotations

from tamizdat.desk.newsletter.models import Newsletter

HELP = {
    "title": "As readers see it, in its own language.",
    "slug": "The part of the web address. It does not change once readers have it.",
    "language": "Stories are picked from this language of the paper.",
    "about": "One or two sentences that say what a reader gets. They stand beside the sign-up.",
    "often": "How often it comes, in words: “Every Friday”. Readers are promised this.",
    "sender_name": "Who the mail is from, as mail programs show it.",
    "sender_address": "Who the mail is from. Its domain must be one that this newsroom signs for.",
    "reply_to": "Where answers go. Empty: to the sender.",
    "postal": "A postal address at the foot of each mail; many countries ask for one.",
    "weekday": "On which day an issue goes out. A new issue proposes the next one.",
    "hour": "At what time, by the clocks of the zone. An hour that a day does not have, because "
    "clocks go forward, is as much later; of an hour that a day has twice it is the first.",
    "zone": "Whose clocks count.",
    "missed": "If nothing ran at its hour and more time has passed than below.",
    "missed_hours": "So many hours after its time it is sent all the same.",
    "pictures": "Small pictures inside the mail tell nobody who opens it. Pictures from the paper "
    "make the mail lighter, but whoever serves them learns when a reader opens it, and from where.",
    "full_text": "Readers may choose to get whole articles: for those whose web is blocked.",
    "attach_reader": "With whole articles, the paper's reader travels along as one file.",
    "active": "Readers can sign up. Switched off, those who are on the list stay on it.",
    "sections": "The headings that a new issue starts with. Stories of a section of the paper with "
    "the same name are suggested under it.",
}


def missing_help() -> set[str]:
    """Fields of a newsletter that say nothing of what they are for."""
    return {f.name for f in Newsletter._meta.get_fields() if f.concrete} - {"id"} - HELP.keys()
