# SPDX-License-Identifier: AGPL-3.0-or-later
"""Mails to those who give, in their language.

What always holds: a subject says nothing of whom money went to, nor that it was money where that
can be avoided; a mail names amounts and days, never a card, a bank or another person. Each has one
link to the reader's own page at the letterbox, where there is a letterbox.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

import msgspec
from babel.dates import format_date
from django.conf import settings
from django.utils import timezone

from tamizdat.desk.contributions.models import Gift, Payment
from tamizdat.desk.outgoing import lanes, links, notices
from tamizdat.desk.outgoing.lanes import Enclosed, Limit
from tamizdat.desk.outgoing.links import Links, Purpose, day_stamp
from tamizdat.desk.outgoing.models import Mail
from tamizdat.desk.readers.models import Reader
from tamizdat.giving.money import Money, shown
from tamizdat.mail.content import Notice
from tamizdat.theme.words import Words

APP = "tamizdat.desk.contributions.givers"
RECEIPT, GIVER = "receipt", "giver"  # purposes of single mails


def send(
    kind: str,
    reader: Reader,
    language: str,
    *,
    purpose: str = GIVER,
    url: str = "",
    files: Iterable[Enclosed] = (),
    limit: Limit | None = None,
    now: datetime | None = None,
    extra: Iterable[str] = (),
    **facts: str,
) -> Mail | None:
    """The mail of a kind (``words/``), in the transaction that runs. ``extra`` are further lines
    before the button. ``url`` is where the button leads; the reader's own page where it is left
    out. Raises ``VaultError`` and ``ConfigError``."""
    now = now or timezone.now()
    url = url or own_page(reader, language, now)
    written = notices.notice(APP, kind, language, url=url, privacy=0, **facts)
    return lanes.send(
        purpose=purpose,
        reader=reader,
        notice=written_with(written, extra),
        files=files,
        limit=limit,
        now=now,
    )


def written_with(notice: Notice, extra: Iterable[str]) -> Notice:
    """The same notice with further lines before the button."""
    return msgspec.structs.replace(notice, lines=(*notice.lines, *extra))


def own_page(reader: Reader, language: str, now: datetime) -> str:
    """The link by which a reader sees and changes what they give; empty without a letterbox."""
    newsroom = settings.NEWSROOM
    if not newsroom.settings.letterboxes:
        return ""
    stamp = day_stamp(timezone.localdate(now))
    token = Links(newsroom).make(Purpose.GIFTS, reader.pk, stamp)
    return links.address(newsroom, "gift", token, language)


def said(language: str, name: str, **facts: str) -> str:
    """One text of ``words/``, filled."""
    found: str = notices.words(APP, language)[name]
    return found.format(**facts)


def money(amount: int, currency: str, language: str) -> str:
    return shown(Money(amount, currency), language)


def day(value: date | None, language: str) -> str:
    """``3 March 2027`` as the language writes it; empty for none."""
    return format_date(value, "long", locale=Words(language).locale) if value else ""


def how_much(kind: str, amount: int, currency: str, language: str) -> str:
    """“$5 a month”."""
    return said(language, f"how.{kind or 'once'}", amount=money(amount, currency, language))


def language_of(gift: Gift) -> str:
    """What the giver chose, else what we write to them in."""
    own = gift.language or (gift.reader.language if gift.reader else "")
    return own or settings.NEWSROOM.settings.languages[0]


def number_of(payment: Payment) -> str:
    """As it stands on the receipt: ``2026-17``."""
    return f"{payment.day.year}-{payment.receipt}" if payment.receipt else ""
