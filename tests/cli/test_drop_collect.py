# SPDX-License-Identifier: AGPL-3.0-or-later
"""``tamizdat drop collect`` and the worker, on a drop in a folder."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyrage
import pytest

from tamizdat import letterbox
from tamizdat.config import Newsroom
from tamizdat.drop.envelope import Submission, seal, submission
from tamizdat.drop.spool import Spool
from tests.cli.conftest import Tamizdat


def with_drop(folder: Path, drop: Path) -> Newsroom:
    settings = folder / "tamizdat.toml"
    settings.write_text(f'{settings.read_text()}\n[[drops]]\nname = "pier"\nfolder = "{drop}"\n')
    return Newsroom(folder)


def send(newsroom: Newsroom, drop: Path, *sent: Submission) -> None:
    recipient = pyrage.x25519.Recipient.from_str(letterbox.recipient(newsroom))
    spool = Spool(drop)
    spool.append([seal(one, [recipient]) for one in sent])
    spool.close()


def message(text: str) -> Submission:
    return submission("message", "en", {"text": text})


def collected(tamizdat: Tamizdat, folder: Path, *options: str, code: int = 0) -> dict[str, Any]:
    done = tamizdat("drop", "collect", "--dir", folder, "--json", *options, code=code)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_collecting_says_what_came(tamizdat: Tamizdat, folder: Path, tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    newsroom = with_drop(folder, drop)
    webhook = submission("webhook", "en", {"provider": "till", "headers": {}, "body": ""})
    send(newsroom, drop, message("One."), message("Two."), webhook)
    report = collected(tamizdat, folder)
    assert report["ok"] is True
    assert report["drops"][0] | {"batches": 0} == {
        "drop": "pier", "batches": 0, "handled": 3, "known": 0, "waiting": 0, "failed": 0,
        "unreadable": 0, "forgotten": 0, "problem": "",
    }  # fmt: skip


@pytest.mark.slow
def test_collecting_says_what_is_lacking_and_tries_again_when_it_is_told(
    tamizdat: Tamizdat, folder: Path, tmp_path: Path
) -> None:
    assert "names no drop" in tamizdat("drop", "collect", "--dir", folder, code=1).stderr
    drop = tmp_path / "drop"
    newsroom = with_drop(folder, drop)
    key = (newsroom.secrets / "letterbox-key").read_text()
    send(newsroom, drop, message("Sealed to a key that goes."))
    (newsroom.secrets / "letterbox-key").write_text(f"{pyrage.x25519.Identity.generate()}\n")
    assert collected(tamizdat, folder)["drops"][0]["unreadable"] == 1
    (newsroom.secrets / "letterbox-key.1").write_text(key)
    assert collected(tamizdat, folder, "--again")["taken_up"] == {"handled": 1}
    said = tamizdat("drop", "collect", "--dir", folder, "--discard-unreadable").stdout
    assert said == "pier        nothing new\n"

    drop.rename(tmp_path / "gone")
    report = collected(tamizdat, folder, code=1)
    assert report["ok"] is False
    assert "cannot be used" in report["drops"][0]["problem"]


@pytest.mark.slow
def test_the_worker_collects_by_itself_and_from_drops_added_while_it_runs(
    folder: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    command = [sys.executable, "-m", "tamizdat", "worker", "--dir", str(folder)]
    worker = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        time.sleep(5)
        drop = tmp_path / "drop"
        newsroom = with_drop(folder, drop)
        send(newsroom, drop, message("One."))
        deadline = time.monotonic() + 90
        while _messages(folder) < 1:
            assert time.monotonic() < deadline
            assert worker.poll() is None
            time.sleep(0.5)
        assert list(drop.glob("*.batch")) == []
        worker.terminate()
        assert worker.wait(30) == 0
    finally:
        worker.kill()
        worker.wait()


def _messages(folder: Path) -> int:
    with sqlite3.connect(folder / "desk.sqlite3") as database:
        count: int = database.execute("SELECT count(*) FROM letters_message").fetchone()[0]
        return count
