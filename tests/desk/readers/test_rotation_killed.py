# SPDX-License-Identifier: AGPL-3.0-or-later
"""Keys are changed, killed at any moment, by several at once, while others find and add."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import prepared

COUNT = 600
KILLS = 8
START = """
import os, random, sys, time, django
django.setup()
from django.conf import settings
from tamizdat.desk.readers import rotation
from tamizdat.desk.readers.models import Reader
from tamizdat.desk.readers.vault import Vault
vault = Vault(settings.NEWSROOM)
address = "Reader{}@post.example".format
"""
FOUND = f"""
import pyrage
from tamizdat.desk.readers import actions, keyring
keyring.found(settings.NEWSROOM, pyrage.x25519.Identity.generate().to_public())
actions.begin_vault(newsroom=settings.NEWSROOM)
from django.db import transaction
with transaction.atomic():
    for number in range({COUNT}):
        vault.add(address(number), "en")
"""
ROTATE = """
rotation.BATCH = 10
print("ready", flush=True)
rotation.run(vault)
print("done", flush=True)
"""
LIVE = f"""
chosen, made, looks = random.Random(int(sys.argv[1])), 0, 0
print("ready", flush=True)
while not os.path.exists(sys.argv[2]):
    number = chosen.randrange({COUNT})
    found = vault.find(address(number).upper())
    assert found is not None, f"{{number}} was not found"
    assert vault.address_of(found) == address(number)
    assert vault.add(address(number).lower(), "ru").pk == found.pk
    new = f"new{{looks % 400}}@post.example"  # Both processes add the same ones.
    vault.add(new, "en")
    looks += 1
print(looks, flush=True)
"""
CHECK = f"""
ring = vault.file.read()
assert ring.opening == [ring.current], ring.opening
every = list(vault.addresses(Reader.objects.all()))
assert len(set(a.lower() for a in every)) == len(every), "somebody has two rows"
assert {{address(n) for n in range({COUNT})}} <= set(every)
assert all(vault.find(a) is not None for a in every)
assert not rotation.under_way(vault)
print(ring.current, len(every))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "paper"
    prepared.put_database(made)
    (made / "tamizdat.toml").write_text('name = "The Meridian"\naddress = "https://m.example"\n')
    (made / "secrets").mkdir()
    for name in ("desk-key", "factor-key"):
        (made / "secrets" / name).write_text("x" * 64)
    return made


class Processes:
    """Starts Python inside the newsroom; whatever still runs at the end is ended."""

    def __init__(self, folder: Path) -> None:
        self.environment = {
            **os.environ,
            "TAMIZDAT_DIR": str(folder),
            "DJANGO_SETTINGS_MODULE": "tamizdat.desk.settings.newsroom",
        }
        self.started: list[subprocess.Popen[str]] = []

    def start(self, code: str, *arguments: str | Path) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", START + code, *map(str, arguments)],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def run(self, code: str) -> str:
        out, err = self.start(code).communicate(timeout=600)
        assert not err, err
        return out


@pytest.fixture
def processes(folder: Path) -> Iterator[Processes]:
    made = Processes(folder)
    yield made
    for process in made.started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def ready(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line == "ready\n", process.communicate()[1]


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_killed_anywhere_nobody_is_lost_and_nobody_is_there_twice(
    processes: Processes, tmp_path: Path, record_property: pytest.RecordProperty
) -> None:
    processes.run(FOUND)
    stop, chosen = tmp_path / "stop", random.Random(4)
    living = [processes.start(LIVE, seed, stop) for seed in ("1", "2")]
    for process in living:
        ready(process)
    finished = 0
    for _ in range(KILLS):
        several = [processes.start(ROTATE) for _ in range(chosen.choice((1, 1, 2)))]
        for process in several:
            ready(process)
        time.sleep(chosen.random() * 1.5)
        for process in several:
            process.send_signal(signal.SIGKILL)
            finished += "done" in process.communicate()[0]
    processes.run(ROTATE)
    stop.touch()
    looks = 0
    for process in living:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        looks += int(out)
    version, rows = processes.run(CHECK).split()
    record_property(
        "figure",
        f"vault: {KILLS} rotations killed ({finished} had finished), key version {version}, "
        f"{looks} look-ups and adds beside them, {rows} rows, all found",
    )
