# SPDX-License-Identifier: AGPL-3.0-or-later
"""Messages to readers: written by one, approved by another, taken down.

What always holds:

- Readers see what was approved (``AskVersion``); writing on changes nothing of that until it is
  approved again. Approving the same wording twice appends nothing.
- With ``desk.four_eyes`` on nobody approves what they were the last to change; saving it unchanged,
  or calling it otherwise at the desk, makes nobody its author. Taking down needs nobody else.
- A slug goes with gifts and reminders, and a place is approved with the words: both stay once a
  message was approved.
- Who says what they looked at (``stamp``) neither writes over nor approves what is newer.

What is not done here: showing (``paper``), what stands against a wording (``content.problems``).
"""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from wagtail.log_actions import log

from tamizdat.config import offers_of
from tamizdat.desk.contributions import content
from tamizdat.desk.contributions.content import AskContent
from tamizdat.desk.contributions.errors import AskError, StaleAskError
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
    seen: str | None = None,
) -> Ask:
    """Save a message, or begin one. ``seen`` is the ``stamp`` of what was changed. Raises
    ``AskError`` in words for who writes, ``StaleAskError`` where it was changed meanwhile."""
    _require(acting_user, WRITE)
    row = ask and Ask.objects.select_for_update().get(pk=ask.pk)
    _check(row, slug=slug, place=place, begins=begins, ends=ends)
    wanted = {"slug": slug, "title": title, "place": place, "begins": begins, "ends": ends}
    row = row or Ask()
    encoded = content.encode(said)
    changed = {name for name, value in wanted.items() if getattr(row, name) != value}
    changed |= {"content"} if row.content != encoded else set()
    if row.pk and not changed:
        return row
    _check_seen(row, seen)
    for name, value in wanted.items():
        setattr(row, name, value)
    row.content = encoded
    if changed != {"title"} or not row.pk:
        row.changed_by = acting_user
    try:
        row.full_clean(exclude=["content"])
        with transaction.atomic():
            row.save()
    except ValidationError as error:
        raise AskError(" ".join(error.messages)) from error
    except IntegrityError as error:  # Somebody was quicker with this short name.
        raise AskError("Another message has this short name.") from error
    log(row, "tamizdat.ask_write", user=acting_user)
    return row


@transaction.atomic
def approve_ask(
    *, ask: Ask, acting_user: User, now: datetime | None = None, seen: str | None = None
) -> AskVersion:
    """Have readers see it as it is written now. ``seen`` is the ``stamp`` of what was looked at.
    Raises ``AskError``."""
    _require(acting_user, APPROVE)
    row = Ask.objects.select_for_update().get(pk=ask.pk)
    _check_seen(row, seen)
    if settings.NEWSROOM.settings.desk.four_eyes and row.changed_by_id == acting_user.pk:
        raise AskError("You were the last to change it: somebody else has to look at it.")
    offered = offers_of(settings.NEWSROOM.settings.giving)
    for wrong in content.problems(content.decode(row.content), offered):
        raise AskError(wrong)
    version = newest(row)
    if version is None or not is_as_approved(row, version):
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


def stamp(ask: Ask) -> str:
    """Stands for how it is written now."""
    return ask.changed.isoformat()


def newest(ask: Ask) -> AskVersion | None:
    """What readers see of it, or saw last."""
    return AskVersion.objects.filter(ask_id=ask.pk).order_by("-number").first()


def waits(ask: Ask) -> bool:
    """Whether something was written that nobody has approved yet."""
    version = newest(ask)
    return version is None or not is_as_approved(ask, version)


def _check(
    row: Ask | None, *, slug: str, place: Place, begins: datetime | None, ends: datetime | None
) -> None:
    if not content.SLUG.match(slug):
        raise AskError("A short name has the letters a to z, digits and hyphens.")
    if begins and ends and begins >= ends:
        raise AskError("It ends before it begins.")
    if row is None or newest(row) is None:
        return
    if row.slug != slug:
        raise AskError("Gifts name this message already: its short name stays.")
    if row.place != place:
        raise AskError("Its place was approved with it and stays: write another message.")


def _check_seen(row: Ask, seen: str | None) -> None:
    if seen is not None and row.pk and seen != stamp(row):
        raise StaleAskError("It was changed meanwhile: look at it once more.")


def is_as_approved(ask: Ask, version: AskVersion) -> bool:
    """Whether what is written says what this version says."""
    said = (version.content, version.begins, version.ends)
    return said == (ask.content, ask.begins, ask.ends)


def _require(user: User, right: str) -> None:
    if not user.has_perm(right):
        raise PermissionDenied
