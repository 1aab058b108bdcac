# SPDX-License-Identifier: AGPL-3.0-or-later
"""Somebody seizes the desk while an issue goes out and mails come back: they learn of no reader.

The relay echoes addresses in its answers, refuses some for good, puts others off, and the worker
is killed in the middle. That the search can fail is shown by planting an address.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from tamizdat.config import Newsroom
from tests.ports import free_port
from tests.prepared import put_database
from tests.seizure.search import Searcher
from tests.seizure.traffic import MARK, Person

SCENE = Path(__file__).with_name("mail_scene.py")
READERS = [Person(number) for number in range(60)]
SEARCHER = Searcher([MARK], [READERS[n].address for n in (0, 3, 17)])
SETTINGS = """
name = "The Meridian"
address = "https://meridian.example"
[mail]
sender = "desk@meridian.example"
bounces = "returns.meridian.example"
reports = "returned"
[[relays]]
name = "one"
host = "127.0.0.1"
port = PORT
security = "none"
connections = 1
per_second = 30
"""


class Echo:
    """Repeats every address that it hears, whatever it answers."""

    def __init__(self) -> None:
        self.taken = 0

    async def handle_RCPT(  # noqa: N802 - aiosmtpd calls it so.
        self, server: Any, session: Any, envelope: Any, to: str, options: Any
    ) -> str:
        number = int(to.split("-")[2].split("@")[0])
        name = to.partition("@")[0]
        if number % 3 == 0:
            return f"550 5.1.1 <{to}>: Recipient address rejected: {name} is no user, {to}"
        if number % 3 == 1:
            return f"451 4.7.1 {to} is greylisted; see https://help.example/?who={name}"
        envelope.rcpt_tos.append(to)
        return f"250 {to} ok"

    async def handle_DATA(  # noqa: N802 - aiosmtpd calls it so.
        self, server: Any, session: Any, envelope: Any
    ) -> str:
        self.taken += 1
        return f"250 taken for {envelope.rcpt_tos[0]}"


def run(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
    with (folder.parent / "errors").open("a") as errors:
        return subprocess.Popen(
            [sys.executable, str(SCENE), *arguments],
            env={**environment, "TAMIZDAT_DIR": str(folder), "PYTHONPATH": str(SCENE.parents[2])},
            cwd=SCENE.parents[2],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )


def scene(folder: Path, *arguments: str) -> dict[str, Any]:
    with run(folder, *arguments) as process:
        said = process.communicate()[0]
    assert process.returncode == 0, (folder.parent / "errors").read_text()
    found: dict[str, Any] = json.loads(said.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def relay() -> Iterator[tuple[Echo, int]]:
    echo = Echo()
    port = free_port()
    controller = Controller(echo, hostname="127.0.0.1", port=port)
    controller.start()
    yield echo, port
    controller.stop()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, relay: tuple[Echo, int]) -> Path:
    base = tmp_path_factory.mktemp("seized")
    folder, file = base / "desk", base / "addresses.json"
    put_database(folder)
    for name in ("new", "cur", "tmp"):
        (folder / "returned" / name).mkdir(parents=True)
    (folder / "tamizdat.toml").write_text(SETTINGS.replace("PORT", str(relay[1])))
    Newsroom(folder).secret("desk-key", create=True)
    file.write_text(json.dumps([who.address for who in READERS]))
    scene(folder, "make", str(file))
    with run(folder, "work") as worker:
        until = time.monotonic() + 60
        while relay[0].taken < 8 and time.monotonic() < until and worker.poll() is None:
            time.sleep(0.05)
        worker.send_signal(signal.SIGKILL)
        worker.communicate()
    scene(folder, "returns", str(file))
    return folder


@pytest.mark.slow
def test_a_desk_that_is_sending_names_no_reader(desk: Path, relay: tuple[Echo, int]) -> None:
    had = scene(desk, "counts")
    assert relay[0].taken >= 8
    assert had["mails"] == 30
    assert had["suppressed"] > 3
    assert had["kept"] > 3
    assert had["returns"] > 40
    assert list((desk / "returned" / "new").iterdir()) == []
    assert SEARCHER.in_folder(desk, but=["secrets"]) == []
    said = (desk.parent / "errors").read_bytes()
    assert SEARCHER.in_bytes(said, "what was logged") == []


@pytest.mark.slow
@pytest.mark.parametrize("where", ["run/journal-planted", "returned/cur/1.mail", "desk.sqlite3"])
def test_an_address_that_is_planted_is_found(desk: Path, where: str, tmp_path: Path) -> None:
    copy = tmp_path / "desk"
    shutil.copytree(desk, copy)
    (copy / where).parent.mkdir(parents=True, exist_ok=True)
    with (copy / where).open("ab") as file:
        file.write(f"to=<{READERS[0].address}> status=sent".encode())
    assert {hit.where for hit in SEARCHER.in_folder(copy, but=["secrets"])} == {where}
