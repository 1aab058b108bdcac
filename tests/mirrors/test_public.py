# SPDX-License-Identifier: AGPL-3.0-or-later
"""What readers get from a mirror's public address, as the newsroom sees it."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tamizdat.config import Newsroom
from tamizdat.mirrors import public, words
from tamizdat.mirrors.rounds import Rounds
from tamizdat.mirrors.state import Look, Standing, State
from tamizdat.mirrors.work import Work
from tests.mirrors import servers
from tests.mirrors.paper import Paper, all_keys, page
from tests.mirrors.test_commands import add, as_json, newsroom, run

__all__ = ["newsroom"]  # a fixture
MINUTE = "public, max-age=60"
YEAR = "public, max-age=31536000, immutable"


class Web(ThreadingHTTPServer):
    """A web server of a folder, which does as it is told."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder
        self.origin, self.kept, self.packed, self.altered = "*", MINUTE, "br", False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"


class _Handler(BaseHTTPRequestHandler):
    server: Web

    def do_GET(self) -> None:
        web, name = self.server, self.path[1:]
        try:
            data = (web.folder / name).read_bytes()
        except OSError:
            self.send_error(404)
            return
        if web.altered and name.startswith("objects/"):
            data = b"x" * len(data)
        self.send_response(200)
        head = name in ("metadata/timestamp.json", "metadata/current")
        for header, value in (
            ("Access-Control-Allow-Origin", web.origin),
            ("Cache-Control", web.kept if head else YEAR),
            ("Content-Encoding", web.packed if name.endswith(".br") else ""),
            ("Content-Length", str(len(data))),
        ):
            if value:
                self.send_header(header, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody's requests are written down."""


@pytest.fixture
def web(paper: Paper) -> Iterator[Web]:
    server = Web(paper.folder)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def look(url: str, paper: Paper, before: Look | None = None, after: float = 0.0) -> Look:
    root = (paper.folder / "metadata/1.root.json").read_bytes()
    return public.look(url, root, 1, time.time() + after, before)


def test_a_mirror_as_documented_has_nothing_wrong(paper: Paper, tmp_path: Path) -> None:
    for start in (servers.nginx, servers.caddy):
        with start(paper.folder, tmp_path / start.__name__) as url:
            found = look(url, paper)
        assert (found.error, found.edition, found.since) == ("", 1, None)


@pytest.mark.parametrize(
    ("change", "word", "said"),
    [
        ({"origin": ""}, "closed to readers", "Access-Control-Allow-Origin"),
        ({"origin": "https://lamplighter.example"}, "closed to readers", "Access-Control"),
        ({"kept": ""}, "kept too long", "does not say for how long"),
        ({"kept": "public, max-age=86400"}, "kept too long", "86,400 seconds"),
        ({"kept": "public, max-age=60, s-maxage=7200"}, "kept too long", "7,200 seconds"),
        ({"altered": True}, "false for readers", "not ours"),
        ({"packed": ""}, "not unpacked", "Content-Encoding: br"),
        ({"kept": "no-store"}, "", ""),
    ],
)
def test_what_readers_lack_is_said(
    change: dict[str, object], word: str, said: str, web: Web, paper: Paper
) -> None:
    for name, value in change.items():
        setattr(web, name, value)
    found = look(web.url, paper)
    assert found.word == word
    assert said in found.error


def test_an_empty_a_foreign_and_a_dead_place_are_told_apart(
    web: Web, paper: Paper, tmp_path: Path
) -> None:
    web.folder = tmp_path / "nothing"
    assert look(web.url, paper).word == "empty for readers"
    all_keys.cache_clear()  # Else theirs were ours.
    other = Paper(tmp_path / "theirs" / "edition")
    other.publish({"/en/1/": page("Theirs")})
    web.folder = other.folder
    assert look(web.url, paper).word == "false for readers"
    web.server_close()
    dead = look("http://127.0.0.1:9/", paper)
    assert dead.word == "no answer to readers"
    assert dead.edition is None


def test_an_older_edition_is_trouble_only_when_it_stays(
    web: Web, paper: Paper, tmp_path: Path
) -> None:
    shutil.copytree(paper.folder, tmp_path / "old")
    web.folder = tmp_path / "old"
    root = (paper.folder / "metadata/1.root.json").read_bytes()
    now = time.time()
    first = public.look(web.url, root, 2, now)
    assert (first.edition, first.word) == (1, "")
    later = public.look(web.url, root, 2, now + public.LAG + 1, first)
    assert later.word == "old for readers"
    assert later.behind == now
    again = public.look(web.url, root, 1, now + 2 * public.LAG, later)
    assert (again.word, again.since, again.behind) == ("", None, None)


def test_trouble_keeps_the_moment_since_when(web: Web, paper: Paper) -> None:
    web.origin = ""
    first = look(web.url, paper)
    second = look(web.url, paper, first, after=600)
    assert second.since == first.checked


def test_status_says_what_readers_get_and_counts_only_what_they_can_read(
    newsroom: Path, web: Web, tmp_path: Path
) -> None:
    add(newsroom, "disk", tmp_path / "disk", "--url", web.url)
    add(newsroom, "stick", tmp_path / "stick")
    run("push", "--dir", newsroom)
    web.folder = tmp_path / "disk"
    said = run("status", "--dir", newsroom).stdout
    assert "Live on all 2 mirrors." in said
    assert "Readers found edition 1 there at" in said
    web.altered = True
    said = run("status", "--dir", newsroom).stdout
    assert "Live on 1 of 2 mirrors; disk since" in said
    assert ": false for readers." in said
    assert "What readers get there is not ours" in said
    told = as_json("status", "--noted", "--dir", newsroom)
    assert told["readers"]["disk"]["word"] == "false for readers"
    web.altered = False
    assert "Live on all 2 mirrors." in run("status", "--dir", newsroom).stdout


def test_a_volunteers_copy_is_looked_at_too(newsroom: Path, web: Web) -> None:
    with (newsroom / "tamizdat.toml").open("a") as file:
        file.write(f'\n[[mirrors]]\nurl = "{web.url}"\n')
    said = run("status", "--dir", newsroom).stdout
    assert f"{web.url} (pulled by its owner): Readers found edition 1" in said
    web.origin = ""
    assert "Access-Control-Allow-Origin" in run("status", "--dir", newsroom).stdout


@pytest.mark.slow
def test_the_worker_looks_by_itself_and_a_silent_address_holds_no_push_up(
    newsroom: Path, web: Web, tmp_path: Path
) -> None:
    silent = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)  # Never accepts.
    add(newsroom, "disk", tmp_path / "disk", "--url", web.url)
    url = f"http://127.0.0.1:{silent.server_address[1]}/"
    add(newsroom, "stick", tmp_path / "stick", "--url", url)
    rounds = Rounds(newsroom)
    rounds.start()
    try:
        state, ends = State(Newsroom(newsroom).run / "mirrors"), time.monotonic() + 60
        while time.monotonic() < ends and len(live(state)) < 2:
            time.sleep(0.05)
        assert live(state) == ["disk", "stick"]
        while time.monotonic() < ends and len(state.looks()) < 2:
            time.sleep(0.1)
        assert state.looks()["stick"].word == "no answer to readers"
        assert state.looks()["disk"].edition == 1
    finally:
        rounds.stop()
        silent.server_close()


def live(state: State) -> list[str]:
    return [one.name for one in state.all(["disk", "stick"]) if one.edition == 1]


def test_a_mirror_that_was_removed_is_looked_at_no_more(newsroom: Path, web: Web) -> None:
    add(newsroom, "disk", "/nowhere", "--url", web.url)
    work = Work(Newsroom(newsroom))
    work.look()
    assert set(work.state.looks()) == {"disk"}
    run("remove", "disk", "--dir", newsroom)
    Work(Newsroom(newsroom)).look()
    assert work.state.looks() == {}


def test_the_desk_says_it_in_a_word_and_a_sentence() -> None:
    bad = Look(url="u", checked=9.0, word="closed to readers", error="no header", since=5.0)
    standing = Standing(name="disk", edition=3, since=1.0, look=bad)
    assert words.word(standing, 3) == "closed to readers"
    assert words.summary([standing], 3, lambda s: f"<{s:.0f}>") == (
        "Live on 0 of 1 mirrors; disk since <5>: closed to readers."
    )
    assert words.detail(standing, 3, lambda s: f"<{s:.0f}>") == (
        "Edition 3 since <1>. Since <5>: No header."
    )
