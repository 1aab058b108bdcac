# SPDX-License-Identifier: AGPL-3.0-or-later
"""Following a link of our mails: what it says, and who acts upon a confirmation.

::

    confirms(Purpose.CONFIRM)(signup.confirm)     # in an app's ready

What always holds: a link that is not whole, not ours or too old changes nothing and comes back
never; how old it is, is told by the hour in which it reached the letterbox. Each purpose of links
that confirm belongs to one app; all of them arrive as letters of one kind.

What is not done here: using a token up.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Protocol, TypeVar

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from tamizdat.desk.letters.handlers import handler
from tamizdat.desk.outgoing.errors import LinkError
from tamizdat.desk.outgoing.links import Link, Links, Purpose
from tamizdat.drop.envelope import Submission

log = logging.getLogger("tamizdat.outgoing")


class Confirm(Protocol):
    """Does what a link confirms; how many things began by it."""

    def __call__(self, *, link: Link, token: str, language: str) -> int: ...


_Function = TypeVar("_Function", bound=Confirm)
_confirming: dict[Purpose, Confirm] = {}


def confirms(purpose: Purpose) -> Callable[[_Function], _Function]:
    """Registers what a link of this purpose confirms. Raises ``ImproperlyConfigured``."""

    def register(function: _Function) -> _Function:
        if _confirming.setdefault(purpose, function) is not function:
            raise ImproperlyConfigured(f"links for {purpose.name} are confirmed already")
        return function

    return register


def followed(submission: Submission, arrived: datetime, *purposes: Purpose) -> Link | None:
    """What the link of a submission says; None where it cannot be followed."""
    try:
        link = Links(settings.NEWSROOM).read(
            submission.fields["token"], today=timezone.localdate(arrived)
        )
    except LinkError as error:
        log.info("a %s was not done: %s", submission.kind, error)
        return None
    if link.purpose not in purposes:
        log.info("a %s was not done: its link is for something else", submission.kind)
        return None
    return link


def take_confirm(submission: Submission, /, *, arrived_hour: datetime) -> None:
    """Whatever an address was asked to confirm: the link says what."""
    link = followed(submission, arrived_hour, *_confirming)
    if link is None:
        return
    done = _confirming[link.purpose](
        link=link, token=submission.fields["token"], language=submission.language
    )
    if not done:
        log.info("a confirmation came again, or what it confirms is gone")


def register() -> None:
    handler("confirm")(take_confirm)
