# SPDX-License-Identifier: AGPL-3.0-or-later
"""A newsroom as it runs (desk, worker and paper, by ``tamizdat run``), and a browser's requests.

What always holds: servers listen on this machine only, on free ports; they are ended, by their
process id, when the measurement ends.
"""

from __future__ import annotations

import http.client
import re
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import lxml.html

from bench.newsroom import TAMIZDAT

PATIENCE = 60.0


class BrowserError(Exception):
    """The desk answered something that a person would not call an answer."""


@dataclass(frozen=True)
class Answer:
    """What came back, after redirects, and in how many seconds all of it had."""

    status: int
    path: str
    text: str
    seconds: float


class Browser:
    """Keeps cookies and one connection, follows redirects. Raises ``BrowserError``."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self._cookies: SimpleCookie = SimpleCookie()

    def get(self, path: str) -> Answer:
        return self._ask("GET", path, None, {})

    def post(self, path: str, data: Mapping[str, str], **headers: str) -> Answer:
        """Send a form. The token against forged requests is put in."""
        token = self._cookies["csrftoken"].value if "csrftoken" in self._cookies else ""
        body = urlencode({"csrfmiddlewaretoken": token, **data}).encode()
        named = {"Content-Type": "application/x-www-form-urlencoded"}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self._ask("POST", path, body, named)

    def log_in(self, username: str, password: str) -> None:
        """As a person does, by the form."""
        self.get("/desk/login/")
        answer = self.post("/desk/login/", {"username": username, "password": password})
        if "/login" in answer.path:
            raise BrowserError("the desk did not let us in")

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        start = time.perf_counter()
        for _ in range(10):
            cookie = "; ".join(f"{m.key}={m.value}" for m in self._cookies.values())
            self._connection.request(method, path, body, {**headers, "Cookie": cookie})
            answer = self._connection.getresponse()
            for line in answer.headers.get_all("Set-Cookie", []):
                self._cookies.load(line)
            text = answer.read().decode("utf-8", "replace")
            if answer.status not in (301, 302, 303):
                break
            where = urlsplit(answer.headers["Location"])
            path = where.path + (f"?{where.query}" if where.query else "")
            method, body, headers = "GET", None, {}
        seconds = time.perf_counter() - start
        if answer.status >= 400:
            raise BrowserError(f"{method} {path}: {answer.status}\n{_words(text)[:1500]}")
        return Answer(answer.status, path, text, seconds)


def form_of(text: str, field: str) -> dict[str, str]:
    """What the form of a page that has this field would send. Raises ``BrowserError``."""
    for form in lxml.html.fromstring(text).forms:
        if field in form.fields:
            return {name: str(value) for name, value in form.form_values()}
    raise BrowserError(f"no form with the field {field} on: {_words(text)[:1500]}")


def _words(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<(style|script).*?</\1>|<[^>]+>", " ", text, flags=re.S))


@dataclass(frozen=True)
class Running:
    """A newsroom that runs: where desk and paper answer, the supervisor's process id."""

    desk: int
    paper: int
    pid: int


@contextmanager
def running(newsroom: Path) -> Iterator[Running]:
    """Run a newsroom until the block ends."""
    desk, paper = _free_port(), _free_port()
    settings = newsroom / "tamizdat.toml"
    ports = iter((desk, paper))  # In the order of the file that init writes.
    text = re.sub(r"(?m)^port = \d+", lambda _: f"port = {next(ports)}", settings.read_text())
    settings.write_text(text)
    log = newsroom / "run" / "bench.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*TAMIZDAT, "run", "--dir", str(newsroom)], stdout=out, stderr=subprocess.STDOUT
        )
        try:
            _wait_for(desk, process, log)
            _wait_for(paper, process, log)
            yield Running(desk, paper, process.pid)
        finally:
            process.terminate()
            process.wait(30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                said = log.read_text(errors="replace")[-2000:]
                raise BrowserError(f"the newsroom does not answer:\n{said}") from None
            time.sleep(0.1)
