# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a browser gets from the app that serves a paper."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

import brotli
import pytest

from tamizdat.edition.serve import App, make_app
from tests.edition.papers import SITE, Files, built, make_story


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


def ask(app: App, path: str, method: str = "GET", **headers: str) -> Reply:
    """One request as an ASGI server would hand it on."""
    sent: list[Any] = []
    given = [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()]
    scope = {"type": "http", "method": method, "path": unquote(path), "headers": given}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    found = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
    return Reply(sent[0]["status"], found, b"".join(m["body"] for m in sent[1:]))


@pytest.fixture
def app(quick: Path) -> App:
    media = Files(quick / "media")
    photo = media.add(bytes(range(256)) * 4)
    stories = [
        make_story(1, photos=[photo]),
        make_story(2, withdrawn=True),
        make_story(3, slug="слово", former=["/old/"]),
    ]
    built(quick / "paper", stories, media=media)
    return make_app(quick / "paper")


PHOTO = "785b0751fc2c53dc14a4ce3d800e69ef9ce1009eb327ccf458afe09c242c26c9"


def test_a_page_comes_with_its_type_and_a_tag(app: App) -> None:
    reply = ask(app, "/en/")
    assert reply.status == 200
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert int(reply.headers["content-length"]) == len(reply.body)
    again = ask(app, "/en/", if_none_match=reply.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    weak = ask(app, "/en/", if_none_match=f'"x", W/{reply.headers["etag"]}')
    assert weak.status == 304


def test_the_address_of_a_volume_that_is_no_more_leads_to_its_list(app: App) -> None:
    for path in ("/en/2019-03/", "/en/2019-03-2/"):
        reply = ask(app, path)
        assert (reply.status, reply.headers["location"]) == (302, "/en/")
    for path in ("/en/2019-03", "/nowhere/2019-03/", "/en/2019-03-2/x/", "/2019-03/"):
        assert ask(app, path).status == 404, path


def test_a_page_is_compressed_for_those_who_take_it(app: App) -> None:
    plain, packed = ask(app, "/en/"), ask(app, "/en/", accept_encoding="gzip, br;q=0.9")
    assert packed.headers["content-encoding"] == "br"
    assert packed.headers["vary"] == plain.headers["vary"] == "accept-encoding"
    assert brotli.decompress(packed.body) == plain.body
    assert packed.headers["etag"] != plain.headers["etag"]
    refused = ask(app, "/en/", accept_encoding="br;q=0")
    assert "content-encoding" not in refused.headers


def test_head_tells_the_same_without_the_body(app: App) -> None:
    whole, head = ask(app, "/en/"), ask(app, "/en/", "HEAD")
    assert head.body == b""
    assert head.headers == whole.headers


def test_each_status_is_right(app: App) -> None:
    assert ask(app, make_story(2).path).status == 410
    moved = ask(app, "/old/")
    assert (moved.status, moved.headers["location"]) == (
        301,
        "/en/2025/10/18/%D1%81%D0%BB%D0%BE%D0%B2%D0%BE/",
    )
    assert ask(app, moved.headers["location"]).status == 200
    bare = ask(app, "/en/harbour")
    assert (bare.status, bare.headers["location"]) == (301, "/en/harbour/")
    missing = ask(app, "/en/nothing/")
    assert missing.status == 404
    assert b"not found" in missing.body
    assert b'"ru"' in ask(app, "/ru/nothing").body
    assert ask(app, "/en/../../etc/passwd").status == 404
    assert ask(app, "/en/", "POST").status == 405


def test_nothing_of_others_may_load_and_nothing_is_remembered(app: App) -> None:
    for path in ("/en/", "/nothing", "/old/", make_story(2).path, f"/media/78/{PHOTO}.avif"):
        headers = ask(app, path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in headers


def test_a_player_gets_the_part_that_it_asks_for(app: App) -> None:
    path = f"/media/78/{PHOTO}.avif"
    whole = ask(app, path)
    assert (whole.status, len(whole.body)) == (200, 1024)
    assert "immutable" in whole.headers["cache-control"]
    part = ask(app, path, range="bytes=10-19")
    assert (part.status, part.body) == (206, whole.body[10:20])
    assert part.headers["content-range"] == "bytes 10-19/1024"
    assert ask(app, path, range="bytes=-24").body == whole.body[-24:]
    assert ask(app, path, range="bytes=1000-").body == whole.body[1000:]
    assert ask(app, path, range="bytes=5000-").status == 416
    assert ask(app, path, range="bytes=x-").status == 416


def test_what_is_published_later_is_served_at_once(quick: Path) -> None:
    app = make_app(quick)
    assert ask(app, "/en/").status == 404
    paper = built(quick, [make_story(1)])
    assert ask(app, "/en/").status == 200
    paper.publish([make_story(5)], SITE)
    assert ask(app, make_story(5).path).status == 200


def test_the_app_starts_and_stops_with_its_server(app: App) -> None:
    messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    sent: list[Any] = []

    async def receive() -> Any:
        return next(messages)

    async def send(message: Any) -> None:
        sent.append(message["type"])

    asyncio.run(app({"type": "lifespan"}, receive, send))
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
