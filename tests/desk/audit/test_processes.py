# SPDX-License-Identifier: AGPL-3.0-or-later
"""Several processes write to the trail at once, and none waits for another's long work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tamizdat.config import Newsroom

pytestmark = [pytest.mark.slow, pytest.mark.allow_hosts(["127.0.0.1"])]
SERVER = os.environ.get("TAMIZDAT_TEST_DATABASE", "sqlite")
ROWS = 150

BEGIN = "import django; django.setup()\nfrom django.db import connection, transaction\n"
MIGRATE = (
    BEGIN + "from django.core.management import call_command; call_command('migrate', verbosity=0)"
)
WRITE = BEGIN + (
    "import sys, time\n"
    "from tamizdat.desk.audit import actions\n"
    "for number in range(int(sys.argv[2])):\n"
    "    with transaction.atomic():\n"
    "        actions.record(action='x', name=sys.argv[1], label=f'before {number}')\n"
    "        actions.record(action='x', name=sys.argv[1], label=f'after {number}')\n"
)
LINGER = BEGIN + (
    "import sys\n"
    "from tamizdat.desk.audit import actions\n"
    "with transaction.atomic():\n"
    "    actions.record(action='x', name='import')\n"
    "    print('in', flush=True); sys.stdin.readline()\n"
)


class House:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = SERVER
        if SERVER != "sqlite":
            name = f"trail_{os.getpid()}"
            self._sql(f"DROP DATABASE IF EXISTS {name}")
            self._sql(f"CREATE DATABASE {name}")
            self.database = urlsplit(SERVER)._replace(path=f"/{name}").geturl()
        folder.mkdir()
        (folder / "tamizdat.toml").write_text(
            'name = "The Meridian"\naddress = "https://meridian.example"\n'
            f'database = "{self.database}"\n'
        )
        Newsroom(folder).secret("desk-key", create=True)
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tamizdat.desk.settings.newsroom",
            "TAMIZDAT_DIR": str(folder),
        }
        self.run(MIGRATE)

    def _sql(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(SERVER, autocommit=True) as connection:
            connection.execute(statement)

    def start(self, code: str, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, code: str, *arguments: str) -> None:
        command = [sys.executable, "-c", code, *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def verify(self, *options: str) -> tuple[int, dict[str, object]]:
        done = subprocess.run(
            [sys.executable, "-m", "tamizdat", "desk", "--dir", str(self.folder), "audit",
             "verify", "--json", *options],
            env=self.environment, capture_output=True, text=True,
        )  # fmt: skip
        return done.returncode, json.loads(done.stdout)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "house")


def test_three_at_once_make_one_whole_trail(house: House) -> None:
    before = house.verify()[1]["rows"]
    assert isinstance(before, int)
    writers = [house.start(WRITE, name, str(ROWS)) for name in ("anna", "ben", "cleo")]
    for writer in writers:
        writer.communicate(timeout=120)
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    code, said = house.verify()
    assert (code, said["rows"], said["faults"]) == (0, before + 6 * ROWS, [])


@pytest.mark.skipif(SERVER == "sqlite", reason="SQLite lets one transaction write at a time")
def test_a_long_import_keeps_nobody_waiting(house: House) -> None:
    importing = house.start(LINGER)
    assert importing.stdout
    assert importing.stdout.readline() == "in\n"
    house.run(WRITE, "anna", "3")
    importing.communicate("go on\n", timeout=60)
    assert importing.returncode == 0
    assert house.verify()[0] == 0


def test_the_command_finds_a_trail_made_anew(house: House) -> None:
    house.run(WRITE, "anna", "3")
    worker = BEGIN + (
        "from pathlib import Path; import sys; from django.utils import timezone\n"
        "from tamizdat.desk.audit import anchors; anchors.note(Path(sys.argv[1]), timezone.now())"
    )
    house.run(worker, str(house.folder / "run"))
    assert house.verify()[0] == 0
    anew = BEGIN + (
        "from tamizdat.desk.audit import chain, triggers\n"
        "from tamizdat.desk.audit.models import Record\n"
        "with connection.cursor() as c: [c.execute(s) for s in triggers.DROP[connection.vendor]]\n"
        "previous = chain.NOTHING_BEFORE\n"
        "for row in Record.objects.order_by('number'):\n"
        "    row.entry = row.entry.replace('anna', 'ben'); row.previous = previous\n"
        "    row.hash = previous = chain.hash_of(row.entry, row.number, previous); row.save()\n"
    )
    house.run(anew)
    code, said = house.verify()
    assert code == 1
    assert "is not the one that was noted" in str(said["faults"])
