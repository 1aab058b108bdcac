# SPDX-License-Identifier: AGPL-3.0-or-later
"""“Not ready today? Remind me”: asked for with a form, confirmed by mail, one mail, and gone.

What always holds:

- Two mails at most: one that asks, one that reminds. Nothing is sent but the first before the
  mailbox's owner said yes with its link.
- Nobody who gave since is reminded, nor who gives every month or year.
- One link ends it all, before and after: what we have of who follows it is erased at once. What was
  sent or is not needed any more is erased the day after.
- A reader has one reminder. Who asks once more while one waits changes nothing by it: whoever knows
  an address could.

What is not done here: when (``calendar``), taking up what wants to be sent (``outgoing``).
"""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from tamizdat.desk.contributions.calendar import latest_due, months_later
from tamizdat.desk.contributions.models import Gift, Payment, Reminder
from tamizdat.desk.outgoing import lanes, links, notices, suppression
from tamizdat.desk.outgoing.lanes import Limit
from tamizdat.desk.outgoing.links import DAYS, Link, Links, Purpose, day_stamp
from tamizdat.desk.outgoing.models import Mail
from tamizdat.desk.outgoing.models import State as MailState
from tamizdat.desk.readers import consents, retention
from tamizdat.desk.readers.errors import AddressError
from tamizdat.desk.readers.models import Consent, Reader
from tamizdat.desk.readers.vault import Vault
from tamizdat.theme.words import Calendar, Words

log = logging.getLogger("tamizdat.contributions")
APP = "tamizdat.desk.contributions"
PURPOSE = "reminder"
ASKING_MAIL, REMINDING_MAIL = "confirm-reminder", "remind"
ASKING = Limit(a_day=3, a_week=6, by_mailbox=True)
AT_ONCE = 200
State = Reminder.State
OPEN = (State.ASKED, State.WAITS)
WAITING = (MailState.QUEUED, MailState.SENDING, MailState.DEFERRED, MailState.UNKNOWN)
GIVING = (Gift.State.ACTIVE, Gift.State.LATE)


@transaction.atomic
def remind(
    *,
    address: str,
    months: int,
    privacy: int,
    language: str,
    message: str = "",
    variant: str = "",
    asked_at: datetime | None = None,
    now: datetime | None = None,
) -> None:
    """Somebody filled in the form, at ``asked_at``, else now. Raises ``VaultError`` and
    ``ConfigError`` where it has to wait.

    A version of the privacy policy that was never published cannot have been agreed to: nothing is
    taken in then.
    """
    now = now or timezone.now()
    if privacy not in notices.policy_versions():
        log.warning(
            "a reminder names version %d of the privacy policy, which was never published: it is "
            "not taken in. Does privacy in drop.toml fit?",
            privacy,
        )
        return
    try:
        reader = Vault(settings.NEWSROOM).add(address, language)
    except AddressError:
        log.info("a reminder names no mail address")
        return
    Reader.objects.select_for_update().filter(pk=reader.pk).first()
    if _waits(reader) or _asked_enough(reader, now):
        retention.erase_rows_of_nothing({reader.pk})
        return
    asked = timezone.localdate(asked_at or now)
    row, _ = Reminder.objects.update_or_create(
        reader=reader,
        state=State.ASKED,
        defaults={
            "asked": asked,
            "due": months_later(asked, months),
            "months": months,
            "language": language,
            "message": message[:60],
            "variant": variant[:60],
        },
    )
    consents.ask(reader=reader, purpose=PURPOSE, form="remind", privacy=privacy, language=language)
    _send_asking(row, privacy, now)


def _waits(reader: Reader) -> bool:
    return Reminder.objects.filter(reader=reader, state=State.WAITS).exists()


def _asked_enough(reader: Reader, now: datetime) -> bool:
    """Whether this mailbox was asked to confirm as often as it may be, whatever it was."""
    return any(lanes.reached(ASKING, mail, reader, now) for mail in (ASKING_MAIL, "confirm"))


def _send_asking(row: Reminder, privacy: int, now: datetime) -> None:
    days = DAYS[Purpose.CONFIRM_REMINDER] or 0
    lanes.send(
        purpose=ASKING_MAIL,
        reader=row.reader,
        notice=notices.notice(
            APP,
            ASKING_MAIL,
            row.language,
            url=_link(row, Purpose.CONFIRM_REMINDER, "confirm", now),
            privacy=privacy,
            days=str(days),
            day=_written(row.due, row.language),
            stop=_link(row, Purpose.STOP_REMINDING, "stop-reminding", now),
        ),
        now=now,
    )


def _link(row: Reminder, purpose: Purpose, kind: str, now: datetime) -> str:
    stamp = day_stamp(timezone.localdate(now))
    token = Links(settings.NEWSROOM).make(purpose, row.pk, stamp)
    return links.address(settings.NEWSROOM, kind, token, row.language)


def _written(day: date, language: str) -> str:
    calendar = Calendar(Words(language).locale, settings.NEWSROOM.settings.timezone)
    return calendar.day(day)


@transaction.atomic
def confirm(*, link: Link, token: str, language: str, now: datetime | None = None) -> int:
    """The mailbox's owner said yes. Again it does nothing, nor after it was stopped or erased."""
    row = _locked(link.subject)
    if row is None or row.state != State.ASKED:
        return 0
    asked = _last_asked(row.reader)
    if asked is None:
        return 0
    consents.confirm(asked=asked, token=token, form="confirm", language=language)
    suppression.lift(reader=row.reader, why="confirmed")
    row.state, row.sent = State.WAITS, 1
    row.save(update_fields=["state", "sent"])
    return 1


def _locked(pk: int) -> Reminder | None:
    rows = Reminder.objects.select_for_update().select_related("reader")
    return rows.filter(pk=pk, reader__erased=None).first()


def _last_asked(reader: Reader) -> Consent | None:
    said = consents.last_word(reader, PURPOSE)
    return said if said is not None and said.event == Consent.Event.ASKED else None


@transaction.atomic
def stop(*, link: Link) -> int:
    """Nothing will remind them: what we have of it is erased now. Whether there was anything."""
    row = _locked(link.subject)
    if row is None:
        return 0
    Reminder.objects.filter(reader=row.reader).delete()
    _forget(row.reader)
    return 1


def send_due(now: datetime | None = None, *, ahead: timedelta = timedelta()) -> int:
    """Send what is due; how many mails. Each in a transaction of its own, so that a crash neither
    loses one nor sends it twice. ``ahead``: also what is due so much later, for a demo; the mails
    go out now all the same. Raises ``VaultError`` and ``ConfigError``."""
    now = now or timezone.now()
    last = latest_due(now + ahead, settings.NEWSROOM.settings.timezone)
    due = Reminder.objects.filter(state=State.WAITS, due__lte=last).order_by("due", "pk")
    return sum(_send_one(pk, now) for pk in due.values_list("pk", flat=True)[:AT_ONCE])


@transaction.atomic
def _send_one(pk: int, now: datetime) -> int:
    row = _locked(pk)
    if row is None or row.state != State.WAITS:
        return 0
    wanted = consents.in_force(row.reader, PURPOSE) and suppression.in_force(row.reader) is None
    sends = wanted and not has_given(row.reader, row.asked)
    if sends:
        _send_reminder(row, now)
        row.sent = 2
    row.state, row.done = State.DONE, timezone.localdate(now)
    row.save(update_fields=["state", "done", "sent"])
    consents.fulfil(reader=row.reader, purpose=PURPOSE, form="reminded" if sends else "not-needed")
    return int(sends)


def has_given(reader: Reader, since: date) -> bool:
    """Whether this reader gave on that day or since, or gives again and again."""
    mine = Gift.objects.filter(reader=reader)
    if mine.filter(state__in=GIVING, kind__in=("monthly", "annual")).exists():
        return True
    paid = Payment.objects.filter(state=Payment.State.PAID, day__gte=since)
    return paid.filter(gift__in=mine).exists()


def _send_reminder(row: Reminder, now: datetime) -> None:
    lanes.send(
        purpose=REMINDING_MAIL,
        reader=row.reader,
        notice=notices.notice(
            APP,
            REMINDING_MAIL,
            row.language,
            url=_page(row),
            give=_give(row),
            stop=_link(row, Purpose.STOP_REMINDING, "stop-reminding", now),
        ),
        now=now,
    )


def _asked_by(row: Reminder) -> str:
    """Which message asked, as it stands in addresses; empty where none did."""
    said = (("message", row.message), ("variant", row.variant))
    return "&".join(f"{name}={slug}" for name, slug in said if slug)


def _page(row: Reminder) -> str:
    """The paper's support page. What stands after “#” is sent to nobody."""
    own, asked = settings.NEWSROOM.settings.address.rstrip("/"), _asked_by(row)
    return f"{own}/{row.language}/support/" + (f"#{asked}" if asked else "")


def _give(row: Reminder) -> str:
    """The letterbox's own page, where the paper cannot be reached."""
    drops, asked = settings.NEWSROOM.settings.letterboxes, _asked_by(row)
    return f"{drops[0]}/v1/give?language={row.language}" + (f"&{asked}" if asked else "")


# What goes


def over(today: date) -> QuerySet[Reminder]:
    """Sent, or not needed, before today; or asked for and not confirmed in time. One whose mail
    still waits for a relay stays."""
    limit = today - timedelta(days=retention.UNCONFIRMED)
    waits = Mail.objects.filter(
        reader=OuterRef("reader"), purpose=REMINDING_MAIL, state__in=WAITING
    )
    return Reminder.objects.filter(
        Q(state__in=(State.DONE, State.STOPPED), done__lt=today) & ~Exists(waits)
        | Q(state=State.ASKED, asked__lte=limit)
    )


def erase_over(today: date) -> int:
    """Erase what is over, and whoever nothing else is held about. How many reminders."""
    return sum(_erase_one(pk, today) for pk in list(over(today).values_list("pk", flat=True)))


@transaction.atomic
def _erase_one(pk: int, today: date) -> int:
    row = over(today).select_for_update(of=("self",)).select_related("reader").filter(pk=pk).first()
    if row is None:
        return 0
    reader = row.reader
    row.delete()
    if not Reminder.objects.filter(reader=reader).exists():
        _forget(reader)
    return 1


def _forget(reader: Reader) -> None:
    """Erase the mails of reminders and what was agreed to for them."""
    Mail.objects.filter(reader=reader, purpose__in=(ASKING_MAIL, REMINDING_MAIL)).delete()
    consents.fulfil(reader=reader, purpose=PURPOSE, form="done")
    retention.erase_done(reader, PURPOSE)
    retention.erase_rows_of_nothing({reader.pk})
