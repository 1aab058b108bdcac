# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who acts upon which kind of submission.

::

    @handler("subscribe")
    def take_subscription(submission: Submission, *, arrived_hour: datetime) -> None: ...

What always holds: a handler runs inside the transaction that records the submission's id, so what
it writes is written once or not at all; one that raises is called again later. So a handler writes
intents and leaves what cannot be taken back (mail, calls to others) to who reads them: what hangs
on ``transaction.on_commit`` is lost when the process dies between the two.

A kind has one handler. Submissions of a kind without one wait, sealed, until there is one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol, TypeVar

from django.core.exceptions import ImproperlyConfigured

from tamizdat.drop.envelope import Submission
from tamizdat.drop.kinds import kind_of


class Handler(Protocol):
    def __call__(self, submission: Submission, /, *, arrived_hour: datetime) -> None: ...


_Function = TypeVar("_Function", bound=Handler)
_handlers: dict[str, Handler] = {}


def handler(kind: str) -> Callable[[_Function], _Function]:
    """Registers what acts upon a kind (``subscribe``, ``subscribe/2``). Put it where an app's
    ``ready`` imports it. Raises ``UnknownKindError`` and ``ImproperlyConfigured``."""
    kind_of(kind)

    def register(function: _Function) -> _Function:
        if _handlers.setdefault(kind, function) is not function:
            raise ImproperlyConfigured(f"submissions of the kind “{kind}” have a handler already")
        return function

    return register


def of(kind: str) -> Handler | None:
    """What acts upon this kind; None where nothing does yet."""
    return _handlers.get(kind)


def known() -> list[str]:
    """The kinds that something acts upon."""
    return sorted(_handlers)
