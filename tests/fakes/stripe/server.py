# SPDX-License-Identifier: AGPL-3.0-or-later
"""Our Stripe's API over HTTP, on a free port of this machine."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.fakes.stripe.basics import DAY, RefusalError, encoded
from tests.fakes.stripe.world import World

TILL, DESK = "rk_test_till", "rk_test_desk"
# What each key may do, as a restricted key's rights do.
RIGHTS: dict[str, re.Pattern[str]] = {
    TILL: re.compile(r"/v1/checkout/sessions"),
    DESK: re.compile(
        r"GET /v1/|POST /v1/(refunds|subscriptions|invoices|billing_portal)"
        r"|DELETE /v1/subscriptions"
    ),
}
_LISTS = {
    "/v1/checkout/sessions": "session",
    "/v1/charges": "charge",
    "/v1/refunds": "refund",
    "/v1/disputes": "dispute",
    "/v1/payouts": "payout",
    "/v1/subscriptions": "subscription",
    "/v1/invoices": "invoice",
    "/v1/balance_transactions": "line",
    "/v1/webhook_endpoints": "endpoint",
}


class Server:
    """``before`` is called with each request's method and path; what it raises is answered.
    ``created`` counts what was made. ``strange`` answers are sent as they are."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.before: Callable[[str, str], None] = lambda method, path: None
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.kept: dict[str, tuple[int, str, int, bytes]] = {}
        self.busy: set[str] = set()
        self.guard = threading.Lock()
        self.url = ""

    def answer(
        self, method: str, path: str, asked: dict[str, Any], headers: Mapping[str, str]
    ) -> tuple[int, bytes, dict[str, str]]:
        key = headers.get("Idempotency-Key", "")
        if method != "POST" or not key:
            return (*self._made(method, path, asked, headers), {})
        request = json.dumps([path, asked], sort_keys=True)
        with self.guard:
            kept = self.kept.get(key)
            if kept and kept[0] > self.world.now - DAY - 3_600:
                if kept[1] != request:
                    refusal = RefusalError(400, "idempotency_error", "", "other parameters")
                    return refusal.status, json.dumps(refusal.body).encode(), {}
                return kept[2], kept[3], {"Idempotent-Replayed": "true"}
            if key in self.busy:
                busy = RefusalError(409, "idempotency_error", "idempotency_key_in_use", "in use")
                return busy.status, json.dumps(busy.body).encode(), {}
            self.busy.add(key)
        try:
            status, body = self._made(method, path, asked, headers)
            if status not in (401, 403, 429):  # Nothing began: nothing is kept.
                self.kept[key] = (self.world.now, request, status, body)
        finally:
            self.busy.discard(key)
        return status, body, {}

    def _made(
        self, method: str, path: str, asked: dict[str, Any], headers: Mapping[str, str]
    ) -> tuple[int, bytes]:
        try:
            self._allowed(method, path, headers)
            self.before(method, path)
            with self.world.lock:
                return 200, encoded(self._do(method, path, asked))
        except RefusalError as refusal:
            return refusal.status, json.dumps(refusal.body).encode()

    def _allowed(self, method: str, path: str, headers: Mapping[str, str]) -> None:
        key = headers.get("Authorization", "").removeprefix("Bearer ")
        if key not in RIGHTS:
            raise RefusalError(401, "invalid_request_error", "", f"Invalid API Key provided: {key}")
        if not RIGHTS[key].search(f"{method} {path}"):
            raise RefusalError(403, "invalid_request_error", "", f"{key} does not have the right")

    def _do(self, method: str, path: str, asked: dict[str, Any]) -> Any:
        world = self.world
        if method == "POST" and path == "/v1/checkout/sessions":
            return world.open(asked, self.url)
        if method == "POST" and path == "/v1/refunds":
            return world.refund(asked)
        if method == "POST" and path == "/v1/billing_portal/sessions":
            world.get("customer", asked["customer"])
            return {"id": world.id("bps"), "object": "billing_portal.session",
                    "url": f"{self.url}/portal/{asked['customer']}"}  # fmt: skip
        if named := re.fullmatch(r"/v1/subscriptions/(\w+)", path):
            return world.end(named[1]) if method == "DELETE" else world.update(named[1], asked)
        if named := re.fullmatch(r"/v1/invoices/(\w+)/void", path):
            return world.void(named[1])
        if named := re.fullmatch(r"/v1/checkout/sessions/(\w+)/expire", path):
            return world.end_checkout(named[1])
        if named := re.fullmatch(r"/v1/checkout/sessions/(\w+)", path):
            return world.get("session", named[1])
        if method == "GET" and path == "/v1/events":
            wanted = set(asked.get("types", {}).values())
            found = [one for one in world.events if one["type"] in wanted]
            return self._page(path, found, asked)
        if method == "GET" and path in _LISTS:
            return self._page(path, self._listed(_LISTS[path], asked), asked)
        raise RefusalError(404, "invalid_request_error", "", f"no {method} {path}")

    def _listed(self, kind: str, asked: dict[str, Any]) -> list[dict[str, Any]]:
        found = self.world.all(kind)
        for field in ("customer", "payment_intent", "subscription"):
            if field in asked:
                found = [one for one in found if one.get(field) == asked[field]]
        if "payout" in asked:
            found = [one for one in found if one["_payout"] == asked["payout"]]
        if kind == "invoice" and "status" in asked:
            found = [one for one in found if one["status"] == asked["status"]]
        if kind == "subscription" and asked.get("status") != "all":
            found = [one for one in found if one["status"] != "canceled"]
        if "data.source" in asked.get("expand", {}).values():
            found = [{**one, "source": self._source(one["source"])} for one in found]
        return found

    def _source(self, name: str | None) -> Any:
        for kind in ("charge", "refund", "dispute", "payout"):
            if name in self.world.objects.get(kind, {}):
                return self.world.get(kind, name or "")
        return name

    def _page(
        self, path: str, found: list[dict[str, Any]], asked: dict[str, Any]
    ) -> dict[str, Any]:
        """Newest first, as Stripe lists."""
        since = int(asked.get("created", {}).get("gte", 0))
        newest = [one for one in reversed(found) if one.get("created", since) >= since]
        if after := asked.get("starting_after"):
            place = next(place for place, one in enumerate(newest) if one["id"] == after)
            newest = newest[place + 1 :]
        limit = int(asked.get("limit", 10))
        more = len(newest) > limit
        return {"object": "list", "data": newest[:limit], "has_more": more, "url": path}


def nested(query: str) -> dict[str, Any]:
    """``a[b][0]=c`` as ``{"a": {"b": {"0": "c"}}}``."""
    found: dict[str, Any] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        first, *rest = re.findall(r"[^\[\]]+", name)
        place, last = found, first
        for part in rest:
            place, last = place.setdefault(last, {}), part
        place[last] = value
    return found


@contextmanager
def serving(world: World) -> Iterator[Server]:
    """Our Stripe, answering under ``url`` until the block ends."""
    stripe = Server(world)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            parts = urlsplit(self.path)
            body = self.rfile.read(length).decode()
            headers = {name.title(): value for name, value in self.headers.items()}
            stripe.requests.append((self.command, parts.path, headers))
            status, data, more = stripe.answer(
                self.command,
                parts.path,
                nested("&".join(filter(None, (parts.query, body)))),
                headers,
            )
            self.send_response_only(status)
            said = {
                "Content-Type": "application/json",
                "Content-Length": str(len(data)),
                "Date": formatdate(world.now, usegmt=True),
                "Request-Id": "req_fake",
                **more,
            }
            for name, value in said.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - as the library calls them

        def log_message(self, *said: Any) -> None:
            """Nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    stripe.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield stripe
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
