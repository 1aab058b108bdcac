# SPDX-License-Identifier: AGPL-3.0-or-later
"""The desk's half of the sandbox. It speaks in facts, so there is nothing to translate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from tamizdat.giving.errors import EventError, ForgedEventError, ProviderError
from tamizdat.giving.money import Money
from tamizdat.giving.port import Event, Fact
from tamizdat.giving.registry import DeskSettings
from tamizdat.giving.sandbox.client import Calls, HttpCalls
from tamizdat.giving.sandbox.signing import HEADER, check


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """An event as the sandbox sends and lists it."""

    id: str
    type: str
    at: int
    account: str
    facts: tuple[Fact, ...] = ()

    @property
    def event(self) -> Event:
        return Event(id=self.id, type=self.type, at=self.at, facts=self.facts)


class SandboxProvider:
    """``port.Provider``. ``account`` is what the sandbox calls ours; empty: any."""

    name = "sandbox"

    def __init__(self, calls: Calls, *, webhook: Sequence[str] = (), account: str = "") -> None:
        self._calls = calls
        self._secrets = tuple(webhook)
        self._account = account

    def read(self, body: bytes, headers: Mapping[str, str], *, received: datetime) -> Event:
        check(body, headers.get(HEADER, ""), self._secrets, received=received)
        try:
            told = msgspec.json.decode(body, type=Told)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise EventError(f"an event of the sandbox cannot be read: {error}") from None
        if self._account and told.account != self._account:
            raise ForgedEventError("this event is for another account")
        return told.event

    def events(self, since: datetime) -> Iterator[Event]:
        for one in self._pages("events", since):
            yield msgspec.convert(one, Told).event

    def listing(self, since: datetime) -> Iterator[Fact]:
        for one in self._pages("facts", since):
            yield msgspec.convert(one["fact"], Fact)

    def _pages(self, what: str, since: datetime) -> Iterator[dict[str, Any]]:
        after, more = 0, True
        while more:
            path = f"/api/{what}?since={int(since.timestamp())}&after={after}"
            found = self._calls("GET", path)
            yield from found["items"]
            after, more = found["after"], found["more"]

    def refund(self, payment: str, money: Money, *, key: str) -> Iterable[Fact]:
        said = {"amount": money.amount, "currency": money.currency, "key": key}
        return self._changed(f"/api/payments/{payment}/refund", said)

    def cancel(self, gift: str, *, key: str) -> Iterable[Fact]:
        return self._changed(f"/api/gifts/{gift}/cancel", {"key": key})

    def pause(self, gift: str, until: datetime, *, key: str) -> Iterable[Fact]:
        said = {"until": int(until.timestamp()), "key": key}
        return self._changed(f"/api/gifts/{gift}/pause", said)

    def resume(self, gift: str, *, key: str) -> Iterable[Fact]:
        return self._changed(f"/api/gifts/{gift}/resume", {"key": key})

    def change(self, gift: str, money: Money, *, key: str) -> Iterable[Fact]:
        said = {"amount": money.amount, "currency": money.currency, "key": key}
        return self._changed(f"/api/gifts/{gift}/change", said)

    def new_card(self, gift: str, *, back: str, language: str) -> str:
        said = {"back": back, "language": language}
        found: str = self._calls("POST", f"/api/gifts/{gift}/card", said)["url"]
        return found

    def check(self) -> list[str]:
        try:
            found = self._calls("GET", "/api/account")
        except ProviderError as error:
            return [f"the sandbox: {error}"]
        wrong = []
        if self._account and found["account"] != self._account:
            wrong.append(f"the sandbox's account is “{found['account']}”, not “{self._account}”")
        if found["failing"]:
            wrong.append(f"{found['failing']} calls of the sandbox were not taken yet")
        return wrong

    def _changed(self, path: str, said: Mapping[str, Any]) -> list[Fact]:
        facts = self._calls("POST", path, said)["facts"]
        return [msgspec.convert(one, Fact) for one in facts]


def make_provider(settings: DeskSettings) -> SandboxProvider:
    """Raises ``AccountError`` where its address is not on this machine."""
    calls = HttpCalls(settings.url, settings.key)
    return SandboxProvider(calls, webhook=settings.webhook, account=settings.account)
