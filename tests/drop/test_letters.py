# SPDX-License-Identifier: AGPL-3.0-or-later
"""What readers and providers send arrives sealed, and nothing else changes anything."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from tamizdat.drop.pages import TOKENS
from tests.drop.machines import IDENTITY, InProcess, letter, opened

SIGN_UP = {"address": "reader@example.org", "newsletters": "weekly", "privacy": "1", "form": "drop"}

FORMS: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("/v1/subscribe", "subscribe", SIGN_UP, {"newsletters": ["weekly"], "privacy": 1}),
    (
        "/v1/subscribe",
        "subscribe",
        {**SIGN_UP, "newsletters": ["", "weekly", "daily"]},
        {"newsletters": ["weekly", "daily"]},
    ),
    ("/v1/confirm/abc.DEF", "confirm", {}, {"token": "abc.DEF"}),
    ("/v1/confirm", "confirm", {"token": "abc"}, {"token": "abc"}),
    ("/v1/unsubscribe/t0k", "unsubscribe", {}, {"token": "t0k"}),
    ("/v1/stop-reminding/t", "stop-reminding", {}, {"token": "t"}),
    ("/v1/preferences/t", "preferences", {"newsletters": ""}, {"token": "t", "newsletters": []}),
    ("/v1/preferences/t", "preferences", {"ask": "export"}, {"token": "t", "ask": "export"}),
    (
        "/v1/preferences/t",
        "preferences",
        {"mail_language": "ru", "text": ""},
        {"token": "t", "mail_language": "ru"},
    ),
    (
        "/v1/remind",
        "remind",
        {"address": "a@example.org", "months": "3", "privacy": "1"},
        {"address": "a@example.org", "months": 3, "privacy": 1},
    ),
    (
        "/v1/message",
        "message",
        {"text": "Two\r\nlines", "name": "", "contact": "", "story": "/en/a/"},
        {"text": "Two\nlines", "story": "/en/a/"},
    ),
]


@pytest.mark.parametrize(("path", "kind", "filled", "wanted"), FORMS)
def test_a_form_without_script_reaches_the_desk_and_thanks(
    drop: InProcess, path: str, kind: str, filled: dict[str, Any], wanted: dict[str, Any]
) -> None:
    reply = drop.fill_in(path, language="ru", **filled)
    assert (reply.status, reply.headers["location"]) == (303, f"/v1/done/{kind}?language=ru")
    (found,) = opened(drop.folder)
    assert (found.kind, found.language) == (kind, "ru")
    assert wanted.items() <= found.fields.items()
    thanks = drop.ask("GET", reply.headers["location"])
    assert thanks.status == 200
    assert '<html lang="ru" dir="ltr">' in thanks.text


def test_nobody_is_erased_by_one_press_of_a_button(drop: InProcess) -> None:
    asked = drop.fill_in("/v1/preferences/t0k", language="ru", ask="erase")
    assert (asked.status, opened(drop.folder)) == (200, [])
    assert "Удалить всё?" in asked.text
    assert '<a href="?language=ru">' in asked.text
    assert "t0k" not in asked.text
    sent = drop.fill_in("/v1/preferences/t0k", language="ru", ask="erase", sure="yes")
    assert (sent.status, sent.headers["location"]) == (303, "/v1/done/erase?language=ru")
    assert [one.fields for one in opened(drop.folder)] == [{"token": "t0k", "ask": "erase"}]
    thanks = drop.ask("GET", sent.headers["location"]).text
    assert "перестанут работать" in thanks
    assert "продолжит работать" not in thanks


def test_a_program_that_names_the_token_itself_has_asked_by_itself(drop: InProcess) -> None:
    sent = drop.fill_in("/v1/preferences", token="t", ask="erase")
    assert sent.status == 303
    assert [one.fields for one in opened(drop.folder)] == [{"token": "t", "ask": "erase"}]


def test_a_sealed_letter_is_kept_as_it_came(drop: InProcess) -> None:
    sealed = letter("Bonjour")
    reply = drop.ask("POST", "/v1/sealed", sealed, headers={"content-type": "text/plain"})
    assert (reply.status, reply.json) == (200, {"ok": True})
    assert reply.headers["access-control-allow-origin"] == "*"
    assert [one.fields for one in opened(drop.folder)] == [{"text": "Bonjour"}]


@pytest.mark.parametrize("form", ["urlencoded", "multipart"])
def test_a_mail_program_unsubscribes_with_one_click(drop: InProcess, form: str) -> None:
    if form == "urlencoded":
        body, kind = b"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"
    else:
        kind = "multipart/form-data; boundary=x"
        disposition = b'Content-Disposition: form-data; name="List-Unsubscribe"'
        body = b"--x\r\n" + disposition + b"\r\n\r\nOne-Click\r\n--x--\r\n"
    reply = drop.ask("POST", "/v1/unsubscribe/tok", body, headers={"content-type": kind})
    assert (reply.status, reply.body) == (200, b"")
    assert [one.fields for one in opened(drop.folder)] == [{"token": "tok", "one_click": True}]


def test_a_providers_call_is_kept_whole_with_the_headers_that_were_named(drop: InProcess) -> None:
    body = bytes(range(256)) * 4
    headers = {"piggy-signature": "v1=abc", "user-agent": "Piggy/1", "content-type": "x/y"}
    reply = drop.ask("POST", "/v1/webhook/piggybank", body, headers=headers)
    assert (reply.status, reply.json) == (200, {"ok": True})
    (found,) = opened(drop.folder)
    assert base64.b64decode(found.fields["body"]) == body
    assert found.fields["headers"] == {"piggy-signature": "v1=abc"}


def test_who_is_no_provider_finds_nothing(drop: InProcess) -> None:
    assert drop.ask("POST", "/v1/webhook/stranger", b"x").status == 404
    assert opened(drop.folder) == []


@pytest.mark.parametrize("kind", TOKENS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_opening_a_link_changes_nothing_and_shows_a_button(
    drop: InProcess, kind: str, method: str
) -> None:
    reply = drop.ask(method, f"/v1/{kind}/tok")
    assert opened(drop.folder) == []
    if method == "GET":
        assert reply.text.count("<button") == {"preferences": 6, "gift": 8}.get(kind, 1)
        assert "tok" not in reply.text.replace("token", "")
    if method == "HEAD":
        assert (reply.status, reply.body) == (200, b"")
        assert int(reply.headers["content-length"]) > 1000
    if method == "OPTIONS":
        assert (reply.status, reply.headers["allow"]) == (204, "GET, HEAD, POST, OPTIONS")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/v1/sealed"), ("PUT", "/v1/message"), ("DELETE", "/v1/confirm/a"),
     ("POST", "/v1/done/message"), ("POST", "/v1/health"), ("GET", "/v1/collect/session")],
)  # fmt: skip
def test_another_method_is_told_which_there_are(drop: InProcess, method: str, path: str) -> None:
    reply = drop.ask(method, path)
    assert reply.status == 405
    assert method not in reply.headers["allow"].split(", ")


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/", "/v2/message", "/v1/nothing", "/v1/message/x/y", "/favicon.ico",
             "/v1/done/webhook", "/v1/confirm", "/v1/collect", "/v1/collect/keys", "/v1/%2e%2e/x"],
)  # fmt: skip
def test_where_nothing_is_a_page_says_so(drop: InProcess, path: str) -> None:
    reply = drop.ask("GET", path)
    assert reply.status in (404, 405)
    assert "<h1>" in reply.text


def test_a_link_that_is_not_whole_is_not_shown_a_button(drop: InProcess) -> None:
    reply = drop.ask("GET", "/v1/confirm/a b<script>")
    assert reply.status == 400
    assert "<button" not in reply.text
    assert "script" not in reply.text
    assert drop.fill_in("/v1/confirm/" + "a" * 513).status == 400
    assert opened(drop.folder) == []


def test_a_form_with_a_mistake_comes_back_with_the_readers_words(drop: InProcess) -> None:
    words = 'I said "<b>No</b>" & left'
    reply = drop.fill_in(
        "/v1/message", text=words, contact="c" * 300, name="'\"><i>", language="ru"
    )
    assert reply.status == 400
    assert "I said &#34;&lt;b&gt;No&lt;/b&gt;&#34; &amp; left" in reply.text
    assert "&#39;&#34;&gt;&lt;i&gt;" in reply.text
    assert "254 знаков" in reply.text
    assert "<b>" not in reply.text
    assert opened(drop.folder) == []


@pytest.mark.parametrize("missing", ["address", "newsletters", "privacy"])
def test_nobody_is_signed_up_who_left_out_what_is_needed(drop: InProcess, missing: str) -> None:
    filled: dict[str, Any] = {k: v for k, v in SIGN_UP.items() if k != missing}
    reply = drop.fill_in("/v1/subscribe", language="en", **filled)
    assert reply.status == 400
    assert f'id="wrong-{missing}"' in reply.text
    assert opened(drop.folder) == []


def test_what_other_programs_seal_is_taken(drop: InProcess) -> None:
    vectors = Path(__file__).parent.parent / "vectors" / "submissions" / "submissions.json"
    letters = json.loads(vectors.read_text())["letters"]
    sealed = [base64.b64decode(one["sealed"]) for one in letters if one.get("sealed")]
    assert len(sealed) > 5
    # A stanza that means nothing is allowed too ("grease").
    sealed.append(sealed[0].replace(b"\n--- ", b"\n-> x-grease y z\nAAAA\n--- ", 1))
    for one in sealed:
        assert drop.ask("POST", "/v1/sealed", one).status == 200


def test_a_robot_that_fills_in_the_trap_is_thanked_and_forgotten(drop: InProcess) -> None:
    reply = drop.fill_in("/v1/message", text="Buy lamps", website="https://spam.example")
    assert reply.status == 303
    assert opened(drop.folder) == []


def test_an_unknown_field_is_refused(drop: InProcess) -> None:
    assert drop.fill_in("/v1/message", text="x", admin="1").status == 400
    assert opened(drop.folder) == []


@pytest.mark.parametrize(
    "body",
    [b"", b"x", b"age-encryption.org/v1\n", letter()[:-1], letter() + b"x", letter()[1:],
     letter().replace(b"X25519", b"X25519\n"), b"age-encryption.org/v1\n" + bytes(2_200)],
)  # fmt: skip
def test_what_is_not_sealed_is_not_kept(drop: InProcess, body: bytes) -> None:
    reply = drop.ask("POST", "/v1/sealed", body)
    assert (reply.status, reply.json["error"]) == (400, "malformed")
    assert opened(drop.folder) == []


@pytest.mark.parametrize(
    ("path", "length"),
    [("/v1/sealed", 263_553), ("/v1/message", 262_145), ("/v1/webhook/piggybank", 180_001)],
)
@pytest.mark.parametrize("announced", [True, False])
def test_what_is_too_large_is_refused_before_it_fills_the_memory(
    drop: InProcess, path: str, length: int, announced: bool
) -> None:
    body = b"x" * length
    if announced:
        reply = drop.ask("POST", path, body)
    else:
        parts = [body[i : i + 60_000] for i in range(0, length, 60_000)]
        reply = drop.ask("POST", path, chunks=parts)
    assert reply.status == 413
    assert opened(drop.folder) == []


def test_the_largest_message_fits(drop: InProcess) -> None:
    text = "𝄞" * 10_000
    assert drop.fill_in("/v1/message", text=text).status == 303
    assert [one.fields["text"] for one in opened(drop.folder)] == [text]
    assert IDENTITY is not None


def test_every_answer_forbids_keeping_referring_and_loading(drop: InProcess) -> None:
    replies = [
        drop.ask("GET", "/v1/message"),
        drop.ask("GET", "/nowhere"),
        drop.ask("POST", "/v1/sealed", b"x"),
        drop.ask("OPTIONS", "/v1/sealed"),
        drop.ask("GET", "/v1/collect/batches"),
        drop.fill_in("/v1/message", text="x"),
        drop.ask("GET", "/v1/health"),
    ]
    for reply in replies:
        assert reply.headers["cache-control"] == "no-store"
        assert reply.headers["referrer-policy"] == "no-referrer"
        assert reply.headers["cross-origin-opener-policy"] == "same-origin"
        assert "unsafe" not in reply.headers["content-security-policy"]
        assert reply.headers["content-security-policy"].startswith("default-src 'none'")
        assert "max-age" in reply.headers["strict-transport-security"]
        assert "camera=()" in reply.headers["permissions-policy"]
        assert "set-cookie" not in reply.headers
