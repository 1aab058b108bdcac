# SPDX-License-Identifier: AGPL-3.0-or-later
"""The signed files and the worker, as the app that serves a paper answers for them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import brotli
import pytest

from tamizdat.edition.serve import App, make_app
from tests.edition.test_serve import ask
from tests.signed.newsroom import Newsroom


@pytest.fixture
def room(tmp_path: Path) -> Newsroom:
    return Newsroom(tmp_path).found().build(3)


@pytest.fixture
def app(room: Newsroom) -> App:
    return make_app(room.desk.folder.path)


def names(room: Newsroom) -> list[str]:
    top = room.desk.folder.path
    parts = ("metadata", "targets", "shards", "objects")
    return [f"/{f.relative_to(top)}" for p in parts for f in (top / p).rglob("*") if f.is_file()]


def test_every_signed_file_is_served_to_every_origin(room: Newsroom, app: App) -> None:
    for name in names(room):
        reply = ask(app, name)
        assert reply.status == 200, name
        assert reply.body == (room.desk.folder.path / name[1:]).read_bytes()
        assert reply.headers["access-control-allow-origin"] == "*"
        lasts = "max-age=60" if name.endswith(("timestamp.json", "current")) else "immutable"
        assert lasts in reply.headers["cache-control"], name


def test_a_file_of_the_folder_is_never_a_page(room: Newsroom, app: App) -> None:
    name = next(name for name in names(room) if name.startswith("/objects/"))
    reply = ask(app, name)
    assert reply.headers["content-type"] == "application/octet-stream"
    assert "sandbox" in reply.headers["content-security-policy"]
    assert reply.headers["x-content-type-options"] == "nosniff"


def test_compressed_copies_are_made_where_the_builder_made_none(room: Newsroom, app: App) -> None:
    name = next(name for name in names(room) if name.startswith("/objects/"))
    reply = ask(app, f"{name}.br")
    assert reply.headers["content-encoding"] == "br"
    assert hashlib.sha256(brotli.decompress(reply.body)).hexdigest() == name.rpartition("/")[2]


@pytest.mark.parametrize(
    "path",
    [
        "/metadata/9.root.json",
        "/metadata/../signing",
        "/metadata/writing.tmp",
        "/objects/00/../../signing",
        "/objects/" + "0" * 2 + "/" + "1" * 64,
        "/objects/" + "0" * 2 + "/" + "0" * 64,
        "/targets/live/",
        "/shards/x",
    ],
)
def test_what_the_format_does_not_name_is_not_there(app: App, path: str) -> None:
    reply = ask(app, path)
    assert reply.status == 404
    assert reply.headers["access-control-allow-origin"] == "*"
    assert "immutable" not in reply.headers["cache-control"]


def test_the_worker_may_ask_other_hosts_and_pages_may_not(room: Newsroom, app: App) -> None:
    reply = ask(app, "/sw.js")
    assert reply.headers["service-worker-allowed"] == "/"
    assert reply.headers["content-type"].startswith("text/javascript")
    assert "https:" in reply.headers["content-security-policy"]
    assert "https:" not in ask(app, "/en/").headers["content-security-policy"]
    packed = ask(app, "/sw.js", accept_encoding="br")
    assert brotli.decompress(packed.body) == reply.body
    assert room.root.decode()[:40].replace('"', '\\"').encode() in reply.body
    assert ask(app, "/ed25519.js").status == 200


def test_the_worker_of_an_unsigned_paper_does_nothing(tmp_path: Path) -> None:
    room = Newsroom(tmp_path).build(1)
    app = make_app(room.desk.folder.path)
    reply = ask(app, "/sw.js")
    assert reply.status == 200
    assert b"fetch" not in reply.body
    room.found()
    room.paper.resign()
    assert b"TAMIZDAT" in ask(app, "/sw.js").body
