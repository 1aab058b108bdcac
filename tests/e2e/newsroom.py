# SPDX-License-Identifier: AGPL-3.0-or-later
"""A real newsroom for the browser: a folder made by ``tamizdat init`` and its three processes.

What always holds: servers listen on this machine only, on free ports; every process is ended by
its own id, at the latest when the test run ends (also when that is killed).
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import Any

from tamizdat.cli.folder import start_folder
from tests import prepared
from tests.ports import free_port

TAMIZDAT = [sys.executable, "-m", "tamizdat"]
PASSWORD = "a lantern in the harbour"
PATIENCE = 180.0


class NewsroomError(Exception):
    """The newsroom did not do what it was told; the message carries what it said."""


@dataclass
class Answer:
    """What a server said, redirects not followed."""

    status: int
    headers: Message
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


_opener = urllib.request.build_opener(_Stay, urllib.request.ProxyHandler({}))


def fetch(url: str, timeout: float = 20.0) -> Answer:
    """Read one address over HTTP, as it answers: no redirect is followed."""
    try:
        with _opener.open(urllib.request.Request(url), timeout=timeout) as response:
            return Answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.headers, error.read())


@dataclass
class Newsroom:
    """The folder, where desk and paper answer, and how to make it do things."""

    folder: Path
    desk_port: int
    paper_port: int
    languages: tuple[str, ...]
    first_link: str = ""
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    backstage: Backstage | None = None

    @property
    def desk(self) -> str:
        return f"http://127.0.0.1:{self.desk_port}"

    @property
    def paper(self) -> str:
        return f"http://127.0.0.1:{self.paper_port}"

    def read(self, path: str) -> Answer:
        """What the paper answers at an address of its own."""
        return fetch(self.paper + path)

    def do(self, action: str, **arguments: Any) -> Any:
        """Have something done behind the scenes (``backstage``), where no test looks at how."""
        if self.backstage is None:
            self.backstage = Backstage(self.folder)
        return self.backstage.do(action, **arguments)

    def start(self, *names: str) -> None:
        """Start some of desk, worker and paper, and wait until they answer."""
        commands = {
            "desk": ["desk", "--dir", str(self.folder), "serve", "--port", str(self.desk_port)],
            "worker": ["worker", "--dir", str(self.folder)],
            "paper": _serve(self.folder, self.paper_port),
        }
        for name in names:
            log = self.folder / "run" / f"test-{name}.log"
            with log.open("ab") as out:
                self.processes[name] = subprocess.Popen(
                    [*TAMIZDAT, *commands[name]],
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    env=environment(),
                )
        if "desk" in names:
            self._wait("desk", self.desk_port)
        if "paper" in names:
            self._wait("paper", self.paper_port)

    def stop(self, *names: str) -> None:
        """End some of them, or all, politely."""
        chosen = [self.processes.pop(name) for name in names or tuple(self.processes)]
        for process in chosen:
            process.terminate()
        for process in chosen:
            end(process)

    def close(self) -> None:
        if self.backstage is not None:
            self.backstage.close()
        self.stop()

    def said(self, name: str) -> str:
        log = self.folder / "run" / f"test-{name}.log"
        return log.read_text(errors="replace")[-4000:]

    def _wait(self, name: str, port: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while not _answers(port):
            if self.processes[name].poll() is not None or time.monotonic() > deadline:
                raise NewsroomError(f"the {name} does not answer:\n{self.said(name)}")
            time.sleep(0.05)


class Backstage:
    """A process inside the newsroom that prepares what a story needs (``backstage.py``)."""

    def __init__(self, folder: Path) -> None:
        self._log = (folder / "run" / "test-backstage.log").open("wb")
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.e2e.backstage"],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**environment(), "TAMIZDAT_DIR": str(folder)},
            text=True,
        )

    def do(self, action: str, **arguments: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([action, arguments]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise NewsroomError(f"backstage ended during {action}; see {self._log.name}")
        ok, result = json.loads(line)
        if not ok:
            raise NewsroomError(f"{action}: {result}")
        return result

    def close(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()


def environment() -> dict[str, str]:
    """Ours, without what a test run put in; the kernel ends the process with us."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DJANGO_", "PYTEST_"))}
    return {**kept, "TAMIZDAT_SUPERVISOR": str(os.getpid()), "NO_PROXY": "127.0.0.1,localhost"}


def make(
    folder: Path,
    languages: tuple[str, ...],
    *,
    name: str = "The Meridian",
    second_factor: str = "optional",
) -> Newsroom:
    """Start a newsroom in a new folder as an operator does, with ports of its own."""
    room = Newsroom(folder, free_port(), free_port(), languages)
    spoken = [word for code in languages for word in ("--language", code)]
    # “init” takes no folder that holds a database alone: it is a newsroom's before it gets one.
    start_folder(
        folder, name=name, address=room.paper, languages=languages, timezone="Europe/Berlin"
    )
    prepared.put_database(folder)
    report = tamizdat(
        "init",
        str(folder),
        *("--name", name, "--address", room.paper, "--timezone", "Europe/Berlin"),
        *spoken,
        "--json",
    )
    settings = folder / "tamizdat.toml"
    text = re.sub(r"(?m)^port = 8000$", f"port = {room.desk_port}", settings.read_text())
    # Most stories are not about the log-in: a password is enough there (test_passkeys: it is not).
    text = text.replace('second_factor = "required"', f'second_factor = "{second_factor}"')
    settings.write_text(re.sub(r"(?m)^port = 8001$", f"port = {room.paper_port}", text))
    room.first_link = re.sub(r"^https?://[^/]+", room.desk, report["link"])
    return room


def tamizdat(*arguments: str, timeout: float = 300.0) -> dict[str, Any]:
    """Run the program with ``--json`` among its arguments; its report. Raises when it fails."""
    done = subprocess.run(
        [*TAMIZDAT, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        env=environment(),
        check=False,
    )
    if done.returncode:
        raise NewsroomError(f"tamizdat {' '.join(arguments)}: {done.stdout}\n{done.stderr}")
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def end(process: subprocess.Popen[bytes]) -> None:
    """Politely; after a while not."""
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _serve(folder: Path, port: int) -> list[str]:
    return ["edition", "serve", "--dir", str(folder), "--port", str(port)]


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            return True
    except OSError:
        return False
