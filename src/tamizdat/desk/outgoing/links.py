# SPDX-License-Identifier: AGPL-3.0-or-later
"""The tokens in the links of our mails: who may do what, without an account or a password.

::

    links = Links(newsroom)
    token = links.make(Purpose.UNSUBSCRIBE, subscription.pk, day_stamp(today))
    link = links.read(token)      # Link(purpose, subject, stamp, extra), or a LinkError

What always holds:

- A token has exactly ``TOKEN_LENGTH`` characters of ``A-Z a-z 0-9 - _``: 30 bytes, of which one
  names version and purpose, 13 say whose and when, 16 prove that we made it (HMAC-SHA-256).
- What it says cannot be read without the key, and two tokens of one reader have nothing in common:
  neither a drop nor who looks over its shoulder can tell that they are one person's.
- How long each purpose lives stands in ``DAYS`` and nowhere else.
- The key is ``secrets/link-key``; older ones (``link-key.1`` …) are still believed.

What is not done here: using a token up. Whoever acts upon one looks at what was done already.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import hmac
import os
import struct
from enum import IntEnum
from typing import NamedTuple

from tamizdat.config import ConfigError, Newsroom
from tamizdat.desk.outgoing.errors import ForgedLinkError, MalformedLinkError, OldLinkError
from tamizdat.mail.content import TOKEN_LENGTH

KEY = "link-key"
VERSION = 1
_SAID = struct.Struct(">QIB")  # subject, stamp, extra
_PROOF = 16


class Purpose(IntEnum):
    """What a token is for. At most 15; a number is never used again for something else.

    Subjects: CONFIRM the first of ``extra`` consents that were asked for; UNSUBSCRIBE and
    RETURN_ISSUE a subscription; PREFERENCES and RETURN_MAIL a reader; MOVE the reader that an
    address moves to; GIFTS a reader; the two of reminders a reminder. The two RETURN stand in
    envelopes (``mail.verp``), not in links."""

    CONFIRM = 1
    UNSUBSCRIBE = 2
    PREFERENCES = 3
    MOVE = 4
    RETURN_ISSUE = 5
    RETURN_MAIL = 6
    GIFTS = 7
    CONFIRM_REMINDER = 8
    STOP_REMINDING = 9


# For how many days after its stamp (``day_stamp``) a link works; None: for ever, and the stamp may
# be any number, as an issue's.
DAYS: dict[Purpose, int | None] = {
    Purpose.CONFIRM: 7,
    Purpose.UNSUBSCRIBE: None,
    Purpose.PREFERENCES: 60,
    Purpose.MOVE: 7,
    Purpose.RETURN_ISSUE: None,
    Purpose.RETURN_MAIL: None,
    Purpose.GIFTS: 60,
    Purpose.CONFIRM_REMINDER: 7,
    Purpose.STOP_REMINDING: None,
}
TO_DO: dict[Purpose, str] = {
    Purpose.CONFIRM: "sign up again: a new mail comes",
    Purpose.PREFERENCES: "use the link in a newer mail",
    Purpose.GIFTS: "use the link in a newer receipt",
    Purpose.CONFIRM_REMINDER: "ask to be reminded again: a new mail comes",
    Purpose.MOVE: "ask again from the preferences in a newer mail",
}


class Link(NamedTuple):
    """What a token says. ``subject`` is a row's id, ``stamp`` mostly a day (``day_stamp``)."""

    purpose: Purpose
    subject: int
    stamp: int
    extra: int


class _Key(NamedTuple):
    proof: bytes
    mask: bytes


def day_stamp(day: datetime.date) -> int:
    return day.toordinal()


def address(newsroom: Newsroom, kind: str, token: str, language: str = "") -> str:
    """Where a link leads: a page of the first drop. ``kind`` is one of ``drop.kinds``, ``token``
    may be a placeholder of ``mail.content``. Raises ``ConfigError`` where readers reach no drop."""
    drops = newsroom.settings.letterboxes
    if not drops:
        raise ConfigError(
            "links in mails lead to a letterbox, and there is none: give a drop its url "
            f"(a table [[drops]] in {newsroom.settings_file})"
        )
    said = f"?language={language}" if language else ""
    return f"{drops[0]}/v1/{kind}/{token}{said}"


def ensure_key(newsroom: Newsroom) -> None:
    """Draw the key where there is none."""
    newsroom.secret(KEY, create=True)


def rotate_key(newsroom: Newsroom) -> None:
    """Make new links with a new key; those that are under way go on working.

    The old one stays as ``link-key.N``. Raises ``ConfigError`` where there is none.
    """
    newsroom.secret(KEY)
    present = newsroom.secrets / KEY
    number = 1 + max((_number(name) for name in _older(newsroom)), default=0)
    aside = f".{KEY}.{os.getpid()}"
    newsroom.secret(aside, create=True)
    os.link(present, newsroom.secrets / f"{KEY}.{number}")
    (newsroom.secrets / aside).replace(present)  # At no moment there is none.


def _older(newsroom: Newsroom) -> list[str]:
    """Names of older keys, the youngest first."""
    names = [path.name for path in newsroom.secrets.glob(f"{KEY}.*")]
    return sorted((n for n in names if n.rpartition(".")[2].isdecimal()), key=_number, reverse=True)


def _number(name: str) -> int:
    return int(name.rpartition(".")[2])


class Links:
    """Makes and reads tokens of one newsroom. Raises ``ConfigError`` where the key is missing.

    The keys are read once: make a new one for each job, not one for ever.
    """

    def __init__(self, newsroom: Newsroom) -> None:
        names = (KEY, *_older(newsroom))
        self._keys = [_derived(newsroom.secret(name).encode()) for name in names]

    def make(self, purpose: Purpose, subject: int, stamp: int, extra: int = 0) -> str:
        """A token. ``subject`` < 2^64, ``stamp`` < 2^32, ``extra`` < 2^8, none negative."""
        key = self._keys[0]
        head = bytes((VERSION << 4 | purpose,))
        said = _SAID.pack(subject, stamp, extra)
        proof = hmac.digest(key.proof, head + said, "sha256")[:_PROOF]
        whole = head + proof + _masked(key, said, head + proof)
        return base64.b64encode(whole, b"-_").decode("ascii")

    def read(self, token: str, *, today: datetime.date) -> Link:
        """What a token says. Raises one of the kinds of ``LinkError``."""
        raw = _decoded(token)
        purpose = _purpose(raw[0])
        visible, hidden = raw[: 1 + _PROOF], raw[1 + _PROOF :]
        for key in self._keys:
            said = _masked(key, hidden, visible)
            proof = hmac.digest(key.proof, raw[:1] + said, "sha256")[:_PROOF]
            if hmac.compare_digest(proof, visible[1:]):
                return _in_time(Link(purpose, *_SAID.unpack(said)), today)
        raise ForgedLinkError("this link is not one of ours; open the one from the newest mail")


def _derived(secret: bytes) -> _Key:
    return _Key(
        hmac.digest(secret, b"tamizdat link 1: proof", "sha256"),
        hmac.digest(secret, b"tamizdat link 1: mask", "sha256"),
    )


def _masked(key: _Key, said: bytes, visible: bytes) -> bytes:
    """What is said, hidden; or what is hidden, said."""
    mask = hmac.digest(key.mask, visible, "sha256")[: _SAID.size]
    number = int.from_bytes(said, "big") ^ int.from_bytes(mask, "big")
    return number.to_bytes(_SAID.size, "big")


def _decoded(token: str) -> bytes:
    if len(token) == TOKEN_LENGTH:
        try:
            return base64.b64decode(token, b"-_", validate=True)
        except (binascii.Error, ValueError):
            pass
    raise MalformedLinkError("this link is not whole: open it in the mail again")


def _purpose(first: int) -> Purpose:
    try:
        if first >> 4 == VERSION:
            return Purpose(first & 15)
    except ValueError:
        pass
    raise MalformedLinkError("this link is not whole: open it in the mail again")


def _in_time(link: Link, today: datetime.date) -> Link:
    days = DAYS[link.purpose]
    if days is not None and day_stamp(today) - link.stamp > days:
        raise OldLinkError(
            f"this link was good for {days} days and they are over: {TO_DO[link.purpose]}"
        )
    return link


def require(link: Link, purpose: Purpose) -> int:
    """The subject of a link for this purpose. Raises ``ForgedLinkError`` for any other."""
    if link.purpose != purpose:
        raise ForgedLinkError("this link is for something else")
    return link.subject
