# SPDX-License-Identifier: AGPL-3.0-or-later
"""What letterboxes and desks ask of the sandbox, as JSON.

What always holds: the till's key opens checkouts and nothing else; the desk's key does all.

What is not done here: HTTP (``app``).
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec

from tamizdat.giving.choice import Choice
from tamizdat.giving.errors import NotFoundError, RefusedError
from tamizdat.giving.money import Money
from tamizdat.giving.sandbox import schedule
from tamizdat.giving.sandbox.bank import Bank
from tamizdat.giving.sandbox.objects import Checkout
from tamizdat.giving.sandbox.store import PAGE, new_ref

MOST_MOVED: Final = 400 * 86_400


class Keys(NamedTuple):
    till: str
    desk: str


class _Open(msgspec.Struct, kw_only=True):
    choice: Choice
    done: str
    gave_up: str
    paper: str
    refused: tuple[str, ...] = ()


class _Asked(msgspec.Struct, kw_only=True):
    """All that a change may say."""

    key: str = ""
    amount: int = 0
    currency: str = ""
    until: int = 0
    back: str = ""
    language: str = "en"
    seconds: int = 0
    won: bool = False


class Api:
    """``url`` is where givers find the sandbox, without a final slash."""

    def __init__(self, bank: Bank, keys: Keys, url: str) -> None:
        self.bank = bank
        self._keys = keys
        self._url = url

    def answer(
        self, method: str, path: tuple[str, ...], query: Mapping[str, str], body: bytes, key: str
    ) -> tuple[int, dict[str, Any]]:
        """Status and what is said; ``path`` without ``api``, ``key`` as it was shown."""
        desk = hmac.compare_digest(key.encode(), self._keys.desk.encode())
        till = hmac.compare_digest(key.encode(), self._keys.till.encode())
        if not (desk or (till and (method, path) == ("POST", ("checkouts",)))):
            return 403, {"say": "this key may not do that"}
        try:
            found = self._found(method, path, query, body)
        except NotFoundError as error:
            return 404, {"say": str(error)}
        except RefusedError as error:
            return 409, {"say": str(error)}
        except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
            return 400, {"say": "this request cannot be read"}
        return (200, found) if found is not None else (404, {"say": "there is nothing here"})

    def _found(
        self, method: str, path: tuple[str, ...], query: Mapping[str, str], body: bytes
    ) -> dict[str, Any] | None:
        match (method, *path):
            case ("POST", "checkouts"):
                return self._open(msgspec.json.decode(body, type=_Open))
            case ("GET", "account"):
                store = self.bank.store
                return {"account": store.account, "failing": store.failing(), "now": store.now}
            case ("GET", ("events" | "facts") as what):
                return self._page(what, int(query.get("since", 0)), int(query.get("after", 0)))
            case ("POST", *_):
                return self._changed(path, msgspec.json.decode(body or b"{}", type=_Asked))
        return None

    def _open(self, said: _Open) -> dict[str, Any]:
        made = self.bank.open(
            Checkout(
                ref=new_ref("chk"),
                choice=said.choice,
                done=said.done,
                gave_up=said.gave_up,
                paper=said.paper,
                payment=new_ref("pay"),
                refused=said.refused,
            )
        )
        return {"ref": made.ref, "url": f"{self._url}/checkout/{made.ref}"}

    def _page(self, what: str, since: int, after: int) -> dict[str, Any]:
        rows = self.bank.store.page(what, since, after)
        items = [msgspec.Raw(data) for _, data in rows]
        return {
            "items": items if what == "events" else [{"fact": one} for one in items],
            "after": rows[-1][0] if rows else after,
            "more": len(rows) == PAGE,
        }

    def _changed(self, path: tuple[str, ...], said: _Asked) -> dict[str, Any] | None:
        bank, money = self.bank, Money(said.amount, said.currency)
        match path:
            case ("payments", ref, "refund"):
                return {"facts": bank.refund(ref, money, key=said.key)}
            case ("payments", ref, "dispute"):
                with bank.store.change():
                    return {"facts": schedule.dispute(bank.store, bank.balance, ref)}
            case ("disputes", ref, "decide"):
                with bank.store.change():
                    won = said.won
                    return {"facts": schedule.decide(bank.store, bank.balance, ref, won=won)}
            case ("gifts", ref, "cancel"):
                return {"facts": bank.cancel(ref, key=said.key)}
            case ("gifts", ref, "pause"):
                return {"facts": bank.pause(ref, said.until, key=said.key)}
            case ("gifts", ref, "resume"):
                return {"facts": bank.resume(ref, key=said.key)}
            case ("gifts", ref, "change"):
                return {"facts": bank.change(ref, money, key=said.key)}
            case ("gifts", ref, "card"):
                return {"url": f"{self._url}/card/{bank.door(ref, said.back, said.language)}"}
            case ("clock",):
                return self.move(said.seconds)
        return None

    def move(self, seconds: int) -> dict[str, Any]:
        """Put the clock forward and let happen what is due by then."""
        if not 0 <= seconds <= MOST_MOVED:
            raise RefusedError("the clock goes forward, by 400 days at a time at most")
        store = self.bank.store
        store.move(seconds)
        schedule.run(store, self.bank.balance, store.now)
        return {"now": store.now}
