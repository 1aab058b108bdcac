# SPDX-License-Identifier: AGPL-3.0-or-later
"""What stands against approving a message: in its words, and in who looks at it."""

from __future__ import annotations

import msgspec
from django.conf import settings
from wagtail.admin.templatetags.wagtailadmin_tags import user_display_name

from tamizdat.config import offers_of
from tamizdat.desk.contributions import content
from tamizdat.desk.contributions.models import Ask
from tamizdat.desk.staff.models import User


def sentence(said: object) -> str:
    """The same, begun as a sentence is."""
    words = str(said)
    return f"{words[:1].upper()}{words[1:]}"


def problems_of(ask: Ask) -> list[str]:
    """What stands against approving it."""
    try:
        said = content.decode(ask.content)
    except msgspec.ValidationError:
        return ["What is written cannot be read: write it anew and save it."]
    offered = offers_of(settings.NEWSROOM.settings.giving)
    return [sentence(one) for one in content.problems(said, offered)]


def second(ask: Ask, user: User) -> tuple[bool, str]:
    """Whether this person may be the second pair of eyes, and why."""
    if not settings.NEWSROOM.settings.desk.four_eyes:
        return True, "Four eyes is switched off in this newsroom: one person is enough."
    if ask.changed_by_id == user.pk:
        return False, (
            "You were the last to change this message, so another person has to approve it. Ask a "
            "publisher to open this page."
        )
    who = user_display_name(ask.changed_by) if ask.changed_by else "somebody else"
    return True, f"It was last changed by {who}; you are the second person."
