# SPDX-License-Identifier: AGPL-3.0-or-later
"""Four eyes on an issue: nothing goes out that a second person has not seen as it is.

What always holds, with ``desk.four_eyes`` on, whatever the role:

- Who last changed an issue does not approve it.
- An approval is of the content that readers get, in every form (``digest_of``): a changed word, a
  story that was corrected, moved or withdrawn since asks again.
- The day that is printed on it, ways into the paper and keys at the foot may change between
  approval and sending: when it goes is decided afterwards, the rest is the operator's.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
from django.conf import settings
from wagtail.admin.templatetags.wagtailadmin_tags import user_display_name

from tamizdat.desk.newsletter.content import content_of
from tamizdat.desk.newsletter.models import Issue
from tamizdat.mail.content import Content, Foot, Text, encode

if TYPE_CHECKING:
    from tamizdat.desk.staff.models import User


@dataclass(frozen=True)
class Verdict:
    """``allowed``: may it go out (or be approved)? ``words`` say why, or what to do."""

    allowed: bool
    words: str


def forms_of(issue: Issue) -> tuple[Text, ...]:
    """The forms in which readers get it."""
    return ("summary", "full") if issue.newsletter.full_text else ("summary",)


def digest_of(issue: Issue) -> str:
    """64 hexadecimal digits that stand for what readers get; the same for the same."""
    digest = hashlib.sha256()
    sender = (issue.newsletter.sender_name, issue.newsletter.sender_address)
    digest.update(msgspec.json.encode([*sender, issue.newsletter.reply_to]))
    for text in forms_of(issue):
        content, _ = content_of(issue, text=text)
        digest.update(encode(_editors(content)))
    return digest.hexdigest()


def _editors(content: Content) -> Content:
    """What of it the editors answer for."""
    foot = Foot(unsubscribe="", preferences="", postal=content.foot.postal)
    shown = tuple(file for file in content.files if file.cid)
    return msgspec.structs.replace(content, foot=foot, day="", files=shown)


def switched_on() -> bool:
    return bool(settings.NEWSROOM.settings.desk.four_eyes)


def may_approve(issue: Issue, acting_user: User) -> Verdict:
    """Whether this person may be the second pair of eyes."""
    if not switched_on():
        return Verdict(True, "Four eyes is switched off in this newsroom: one person is enough.")
    if issue.edited_by_id != acting_user.pk:
        who = user_display_name(issue.edited_by) if issue.edited_by else "somebody else"
        return Verdict(True, f"It was last changed by {who}; you are the second person.")
    return Verdict(
        False,
        "You were the last to change this issue, so another person has to approve it. "
        "Ask a publisher to open this page.",
    )


def approved(issue: Issue, digest: str | None = None) -> Verdict:
    """Whether it may go out as it is now. ``digest`` where it is known already."""
    if not issue.approved_hash:
        return Verdict(False, "Nobody has approved it yet.")
    who = user_display_name(issue.approved_by) if issue.approved_by else "somebody"
    if issue.approved_hash == (digest or digest_of(issue)):
        return Verdict(True, f"{who} approved it as it is now.")
    return Verdict(
        False,
        f"It was changed after {who} approved it, or one of its stories was. "
        "Somebody has to look at it and approve it again.",
    )
