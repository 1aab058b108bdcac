# SPDX-License-Identifier: AGPL-3.0-or-later
"""Messages to readers: written by one, approved by another, taken down.

What always holds:

- Readers see what was approved (``AskVersion``); writing on changes nothing of that until it is
  approved again. Approving the same wording twice appends nothing.
- With ``desk.four_eyes`` on nobody approves what they were the last to change; saving it unchanged
  makes nobody its author. Taking down needs nobody else.
- A slug goes with gifts and reminders: it stays once a message was approved.

What is not done here: showing (``paper``), what stands against a wording (``content.problems``).
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from wagtail.log_actions import log

from tamizdat.desk.contributions import content
from tamizdat.desk.contributions.content import AskContent
from tamizdat.desk.contributions.errors import AskError
from tamizdat.desk.contributions.models import Ask, AskVersion, Place
from tamizdat.desk.contributions.paper import refresh_asks
from tamizdat.desk.staff.models import User

WRITE, APPROVE = "contributions.change_ask", "contributions.approve_ask"


@transaction.atomic
def write_ask(
    *,
    ask: Ask | None = None,
    slug: str,
    title: str,
    place: Place,
    said: AskContent,
    begins: datetime | None = None,
    ends: datetime | None = None,
    acting_user: User,
) -> Ask:
    """Save a message, or begin one. Raises ``AskError`` in words for who writes."""
    _require(acting_user, WRITE)
    row = ask and Ask.objects.select_for_update().get(pk=ask.pk)
    if row is not None and row.slug != slug and newest(row) is not None:
        raise AskError("Gifts name this message already: its short name stays.")
    if begins and ends and begins >= ends:
        raise AskError("It ends before it begins.")
    wanted = {"slug": slug, "title": title, "place": place, "begins": begins, "ends": ends}
    row = row or Ask()
    encoded = content.encode(said)
    if row.pk and row.content == encoded and all(getattr(row, k) == v for k, v in wanted.items()):
        return row
    for name, value in wanted.items():
        setattr(row, name, value)
    row.content, row.changed_by = encoded, acting_user
    try:
        row.full_clean(exclude=["content"])
    except ValidationError as error:
        raise AskError(" ".join(error.messages)) from error
    row.save()
    log(row, "tamizdat.ask_write", user=acting_user)
    return row


@transaction.atomic
def approve_ask(*, ask: Ask, acting_user: User, now: datetime | None = None) -> AskVersion:
    """Have readers see it as it is written now. Raises ``AskError``."""
    _require(acting_user, APPROVE)
    row = Ask.objects.select_for_update().get(pk=ask.pk)
    if settings.NEWSROOM.settings.desk.four_eyes and row.changed_by_id == acting_user.pk:
        raise AskError("You were the last to change it: somebody else has to look at it.")
    for wrong in content.problems(content.decode(row.content)):
        raise AskError(wrong)
    version = newest(row)
    if version is None or not _same(version, row):
        version = AskVersion.objects.create(
            ask=row,
            number=version.number + 1 if version else 1,
            content=row.content,
            begins=row.begins,
            ends=row.ends,
            written_by=row.changed_by,
            approved_by=acting_user,
            approved=now or timezone.now(),
        )
    Ask.objects.filter(pk=row.pk).update(state=Ask.State.LIVE)
    log(row, "tamizdat.ask_approve", user=acting_user, data={"number": version.number})
    refresh_asks(acting_user=acting_user)
    return version


@transaction.atomic
def stop_ask(*, ask: Ask, acting_user: User) -> None:
    """Take it down; approving it again brings it back."""
    _require(acting_user, WRITE)
    if Ask.objects.filter(pk=ask.pk, state=Ask.State.LIVE).update(state=Ask.State.STOPPED):
        log(ask, "tamizdat.ask_stop", user=acting_user)
        refresh_asks(acting_user=acting_user)


def newest(ask: Ask) -> AskVersion | None:
    """What readers see of it, or saw last."""
    return AskVersion.objects.filter(ask=ask).order_by("-number").first()


def waits(ask: Ask) -> bool:
    """Whether something was written that nobody has approved yet."""
    version = newest(ask)
    return version is None or not _same(version, ask)


def _same(version: AskVersion, ask: Ask) -> bool:
    said = (version.content, version.begins, version.ends)
    return said == (ask.content, ask.begins, ask.ends)


def _require(user: User, right: str) -> None:
    if not user.has_perm(right):
        raise PermissionDenied
