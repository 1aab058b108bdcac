# SPDX-License-Identifier: AGPL-3.0-or-later
"""Somebody seizes the public server, then the desk's database: they learn of no reader.

A newsroom and a drop, each as its operator runs it. Readers send by plain forms and sealed; their
letters are collected; addresses lie in the vault. Then everything is searched that a public server
holds (files, names, logs, memory right after handling) and everything of the desk but ``secrets/``.
That the search can fail is shown by planting a secret in each of these places.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tamizdat.config import Newsroom
from tamizdat.drop.kinds import KINDS
from tests.drop.machines import Server, memory_of
from tests.prepared import put_database
from tests.seizure.search import Searcher
from tests.seizure.traffic import MARK, TRAFFIC, Person, sealed

SCENE = Path(__file__).with_name("scene.py")
WATCHED = [Person(number) for number in (0, 3, 17)]
SEARCHER = Searcher([MARK], [who.address for who in WATCHED])
pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(sys.platform != "linux", reason="memory is read through /proc"),
]


class Seized(NamedTuple):
    """The desk's folder, the drop as it runs, and what the drop's memory held right after."""

    desk: Path
    drop: Server
    memory: list[bytes]
    sent: int

    def scene(self, *arguments: str) -> dict[str, Any]:
        return scene(self.desk, *arguments)


def scene(folder: Path, *arguments: str) -> dict[str, Any]:
    environment = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(
        [sys.executable, str(SCENE), *arguments],
        env={**environment, "TAMIZDAT_DIR": str(folder)},
        cwd=SCENE.parents[2],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


@pytest.fixture(
    scope="module",
    params=[pytest.param(60, id="few"), pytest.param(1000, id="thousand", marks=pytest.mark.slow)],
)
def seized(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Seized]:
    base, readers = tmp_path_factory.mktemp("seized"), [Person(n) for n in range(request.param)]
    desk = base / "desk"
    put_database(desk)
    (desk / "tamizdat.toml").write_text(
        'name = "The Meridian"\naddress = "https://meridian.example"\n'
        f'[[drops]]\nname = "pier"\nurl = "https://pier.example"\nfolder = "{base / "drop"}"\n'
        '[mail]\nsender = "desk@meridian.example"\n'
    )
    Newsroom(desk).secret("desk-key", create=True)
    recipient = scene(desk, "make")["recipient"]
    drop = Server(
        base / "drop",
        recipients=[recipient],
        trusted_proxies=["127.0.0.0/8"],
        limits={"free": 10**6, "most": 10**6, "all_free": 10**6, "all_most": 10**6},
    )
    try:
        sent = send(drop.start(), readers, recipient)
        memory = [part for pid in drop.workers for part in memory_of(pid)]
        (base / "addresses.json").write_text(json.dumps([who.address for who in readers]))
        scene(desk, "readers", str(base / "addresses.json"))
        yield Seized(desk, drop, memory, sent)
    except PermissionError:
        pytest.skip("this machine lets nobody read another process's memory")
    finally:
        drop.stop()


def send(drop: Server, readers: list[Person], recipient: str) -> int:
    """Half by plain forms of every kind, in turn, half sealed. Returns how many were taken."""
    kinds = list(TRAFFIC.values())
    connection = HTTPConnection("127.0.0.1", drop.port, timeout=60)
    for who in readers:
        plain = kinds[who.number // 2 % len(kinds)]
        path, body, kind = sealed(who, recipient) if who.number % 2 else plain(who)
        headers = dict(line.split(": ", 1) for line in who.told)
        connection.request("POST", path, body, {**headers, "content-type": kind})
        answer = connection.getresponse()
        answer.read()
        assert answer.status in (200, 303), (path, answer.status)
    connection.close()
    return len(readers)


def test_every_kind_of_submission_is_among_the_traffic() -> None:
    assert set(TRAFFIC) >= {kind.partition("/")[0] for kind in KINDS}


def test_the_public_server_holds_no_reader(seized: Seized) -> None:
    held = SEARCHER.in_folder(seized.drop.folder)
    assert held == []
    assert sum(p.stat().st_size for p in (seized.drop.folder / "spool").glob("*-*")) > 100_000
    assert b"198.51." not in b"".join(
        p.read_bytes() for p in seized.drop.folder.rglob("*") if p.is_file()
    )


def test_the_drops_memory_holds_no_reader_right_after(seized: Seized) -> None:
    assert sum(map(len, seized.memory)) > 10_000_000
    joined = b"\0".join(seized.memory)
    found = [name for name, pattern in patterns() if pattern in joined]
    assert found == []


def patterns() -> Iterator[tuple[str, bytes]]:
    """What memory is searched for; it is not unfolded, and case is as it was sent."""
    for pattern, (_, form) in SEARCHER.patterns.items():
        yield form, pattern


def test_the_desks_database_names_no_reader_without_its_keys(seized: Seized) -> None:
    assert seized.scene("collect")["problems"] == []
    had = seized.scene("counts")
    assert had["readers"] == seized.sent
    assert had["messages"] >= seized.sent // 2
    assert had["reminders"] >= seized.sent // 3
    assert had["come"] == seized.sent, "all that was sent has come"
    assert SEARCHER.in_folder(seized.desk, but=["secrets"]) == []


@pytest.mark.parametrize("where", ["a column", "the trail", "the journal", "a log"])
def test_a_secret_planted_in_the_database_is_found(
    seized: Seized, where: str, tmp_path: Path
) -> None:
    copy = tmp_path / "desk"
    shutil.copytree(seized.desk, copy)
    scene(copy, "plant", where, f"{MARK}-planted@port.example")
    assert SEARCHER.in_folder(copy, but=["secrets"])
    if where == "the journal":
        assert {hit.where for hit in SEARCHER.in_folder(copy, but=["secrets"])} == {
            "desk.sqlite3-wal"
        }


@pytest.mark.parametrize("where", ["log", "drop.toml", "spool/2026112214-planted-2048.batch"])
def test_a_secret_planted_in_the_public_server_is_found(
    seized: Seized, where: str, tmp_path: Path
) -> None:
    copy = tmp_path / "drop"
    shutil.copytree(seized.drop.folder, copy)
    with (copy / where).open("ab") as file:
        file.write(f"203.0.113.5 {WATCHED[0].address}".encode())
    assert {hit.where for hit in SEARCHER.in_folder(copy)} == {where}


def test_a_secret_kept_in_memory_is_found() -> None:
    program = (
        "import sys; kept = sys.stdin.readline(); print('ready', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(WATCHED[0].address.encode() + b"\n")
        process.stdin.flush()
        process.stdout.readline()
        joined = b"\0".join(memory_of(process.pid))
        assert any(pattern in joined for _, pattern in patterns())
        process.stdin.close()
