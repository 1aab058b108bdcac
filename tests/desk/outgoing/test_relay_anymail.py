# SPDX-License-Identifier: AGPL-3.0-or-later
"""Providers' APIs, spoken to on this machine: what each answer means for a mail."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tamizdat.config import Newsroom, RelaySettings
from tamizdat.desk.outgoing import relays
from tamizdat.desk.outgoing.relay_anymail import Provider, connect
from tamizdat.mail.errors import RelayError
from tamizdat.mail.smtp import Outcome, Outgoing

BACKENDS = {
    "mailgun": ({"api_key": "k", "sender_domain": "m.example"}, {"id": "<1>", "message": "Queued"}),
    "postmark": (
        {"server_token": "k"},
        {"ErrorCode": 0, "Message": "OK", "To": "ada@post.example", "MessageID": "1"},
    ),
}


class Api(ThreadingHTTPServer):
    """Answers ``status`` and ``said`` to all; keeps what came. Status 0: hangs up."""

    daemon_threads = True

    def __init__(self) -> None:
        self.status, self.said, self.got = 200, {}, []  # type: ignore[var-annotated]  # filled below
        super().__init__(("127.0.0.1", 0), Answer)


class Answer(BaseHTTPRequestHandler):
    server: Api

    def do_POST(self) -> None:
        self.server.got.append(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.server.status:
            self.close_connection = True
            return
        body = json.dumps(self.server.said).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def api() -> Iterator[Api]:
    made = Api()
    thread = threading.Thread(target=made.serve_forever, args=(0.02,))
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


def newsroom(folder: Path, options: dict[str, Any]) -> Newsroom:
    (folder / "secrets").mkdir(exist_ok=True)
    (folder / "secrets" / "options").write_text(json.dumps(options))
    (folder / "tamizdat.toml").write_text('name = "M"\naddress = "https://m.example"\n')
    return Newsroom(folder)


def relay(name: str) -> RelaySettings:
    return RelaySettings(
        name=name,
        kind="anymail",
        backend=f"anymail.backends.{name}.EmailBackend",
        credentials="options",
    )


@pytest.fixture(params=BACKENDS)
def provider(request: Any, api: Api, tmp_path: Path) -> Iterator[Provider]:
    options, api.said = BACKENDS[request.param]
    options = {**options, "api_url": f"http://127.0.0.1:{api.server_port}/"}
    made = connect(newsroom(tmp_path, options), relay(request.param))
    yield made
    made.close()


def mail() -> Outgoing:
    message = EmailMessage()
    message["To"], message["From"], message["Subject"] = (
        "ada@post.example",
        "x@m.example",
        "Ferries",
    )
    message["List-Unsubscribe"] = "<https://drop.example/u/1>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["Message-ID"] = "<abc@m.example>"
    message.set_content("Good evening")
    message.add_alternative("<p>Good evening <img src='cid:p'></p>", subtype="html")
    html = message.get_body(("html",))
    assert html is not None
    html.add_related(b"\x89PNG", "image", "png", cid="<p>")
    return Outgoing(
        key=1, sender="b@m.example", recipient="ada@post.example", data=message.as_bytes()
    )


def send(provider: Provider) -> Outcome:
    (outcome,) = provider.send([mail()])
    assert "@" not in outcome.said
    return outcome


def test_a_mail_reaches_the_provider_whole(provider: Provider, api: Api) -> None:
    assert send(provider).state == "sent"
    (got,) = api.got
    for part in (b"Ferries", b"Good evening", b"List-Unsubscribe=One-Click", b"abc@m.example"):
        assert part in got


@pytest.mark.parametrize(
    ("status", "state", "usable"),
    [
        (400, "refused", True),
        (401, "deferred", False),
        (403, "deferred", False),
        (429, "deferred", False),
        (500, "unknown", True),
        (503, "deferred", False),
        (0, "unknown", False),
    ],
)
def test_each_answer_means_what_it_says(
    provider: Provider, api: Api, status: int, state: str, usable: bool
) -> None:
    api.status, api.said = status, {"ErrorCode": 10, "Message": "for ada@post.example"}
    assert send(provider).state == state
    assert provider.usable is usable


@pytest.mark.parametrize("provider", ["postmark"], indirect=True)
def test_an_answer_that_the_library_does_not_understand_is_no_yes(
    provider: Provider, api: Api
) -> None:
    api.status, api.said = 422, {"ErrorCode": 406, "Message": "Said in other words than before."}
    assert send(provider).state == "unknown"


def test_a_provider_that_is_not_there_took_nothing(provider: Provider, api: Api) -> None:
    api.shutdown()
    api.server_close()
    assert send(provider).state == "deferred"
    assert not provider.usable


def test_after_trouble_the_rest_did_certainly_not_go(provider: Provider, api: Api) -> None:
    api.status = 401
    assert [o.state for o in provider.send([mail(), mail()])] == ["deferred", "deferred"]
    assert len(api.got) == 1


@pytest.mark.parametrize("backend", ["", "os.path", "anymail.backends.none.EmailBackend"])
def test_a_backend_that_is_none_is_said(tmp_path: Path, backend: str) -> None:
    wrong = RelaySettings(name="x", kind="anymail", backend=backend)
    with pytest.raises(RelayError) as raised:
        connect(newsroom(tmp_path, {}), wrong)
    assert raised.value.permanent


def test_options_that_are_missing_are_said(tmp_path: Path) -> None:
    with pytest.raises(RelayError, match="options"):
        connect(newsroom(tmp_path, {}), relay("mailgun"))
    (tmp_path / "secrets" / "options").write_text("{")
    with pytest.raises(RelayError, match="JSON"):
        connect(Newsroom(tmp_path), relay("mailgun"))


def test_the_engine_finds_it() -> None:
    assert relays.KINDS["anymail"] == f"{connect.__module__}:connect"
