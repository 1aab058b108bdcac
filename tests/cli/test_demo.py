# SPDX-License-Identifier: AGPL-3.0-or-later
"""The demo, as somebody who has only the README runs it."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import urllib.request
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Tamizdat
from tests.cli.givers import give_in_a_browser

HEADLINE = "UPDATE newsroom_article SET headline = 'Edited' WHERE import_key = 'demo:tram'"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_demo_is_filled_published_checked_continued_and_stopped(
    tamizdat: Tamizdat, environment: dict[str, str], tmp_path: Path
) -> None:
    """One test, since filling a newsroom is what takes the time."""
    done = tamizdat("demo", "--once", "--json", "--port", "18720", timeout=600)
    report = json.loads(done.stdout)
    assert report["ok"] is True
    assert report["stories"] >= 40
    assert report["pages"] > report["stories"]
    tree = Path(report["edition"])
    assert tree == tmp_path / "demo" / "edition" / "tree"
    assert (tree / "en" / "index.html").is_file()
    assert (tree / "ru" / "index.html").is_file()
    _nothing_of_the_staff_is_in(tree)
    _the_reader_coped(report)
    _readers_gave(report)
    assert report["newsletters"] == {"issues": 2, "mails": 50}
    assert (tree / "en" / "newsletter" / "friday-post" / "1" / "index.html").exists()
    assert report["drop"] == "http://127.0.0.1:18722/"
    assert f'action="{report["drop"]}' in (tree / "en" / "write" / "index.html").read_text()

    with sqlite3.connect(tmp_path / "demo" / "desk.sqlite3") as database:
        database.execute(HEADLINE)
        letters = database.execute("SELECT sealed FROM letters_message").fetchall()
    assert len(letters) == 1, "the demo wrote to itself"
    assert b"The demo" not in letters[0][0]
    passwords = (tmp_path / "demo" / "secrets" / "demo-accounts").read_text()
    again = _serve_and_stop(environment, tmp_path, tamizdat)
    assert again["stories"] == report["stories"], "nothing is doubled"
    assert again["newsletters"] == report["newsletters"], "nobody gets an issue twice"
    assert (tmp_path / "demo" / "secrets" / "demo-accounts").read_text() == passwords
    with sqlite3.connect(tmp_path / "demo" / "desk.sqlite3") as database:
        rows = database.execute("SELECT 1 FROM newsroom_article WHERE headline = 'Edited'")
        assert len(rows.fetchall()) == 1, "what somebody changed stays"


def _the_reader_coped(report: dict[str, Any]) -> None:
    """Every page was read and proven, though one mirror lies and one is slow."""
    assert report["verified"] is True
    told = {mirror["kind"]: mirror for mirror in report["mirrors"]}
    assert set(told) == {"honest", "lying", "slow"}
    assert sum(mirror["served"] for mirror in report["mirrors"]) > report["stories"]
    assert told["lying"]["served"] == 0, "each of its pages is false"
    assert told["lying"]["lies"] > report["stories"] // 3
    assert told["slow"]["refused"] > 0


def _readers_gave(report: dict[str, Any]) -> None:
    """Each kind was given, one card declined, one gift given back, one ended, one reader reminded
    and one left alone; and the books say so."""
    giving = report["giving"]
    assert giving["given"] == ["once", "monthly", "annual"]
    assert giving["declined"] == "insufficient_funds"
    assert giving["refunded"] is giving["cancelled"] is True
    assert (giving["reminded"], giving["left_alone"]) == (1, 1)
    books = {name: Decimal(amount) for name, amount in giving["books"].items()}
    assert sum(books.values()) == 0
    assert (books["Income:Monthly USD"], books["Income:Annual USD"]) == (-10, -100)


def _serve_and_stop(
    environment: dict[str, str], folder: Path, tamizdat: Tamizdat
) -> dict[str, Any]:
    """Run the demo as a person does, look at it, ask the doctor, press Ctrl-C."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tamizdat", "demo", "--json", "--port", "18720"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout:
        try:
            report: dict[str, Any] = json.loads(process.stdout.readline())
            with urllib.request.urlopen(f"{report['paper']}en/") as page:
                assert b"Port Maren" in page.read()
            give_in_a_browser(report["paper"])
            found = json.loads(tamizdat("doctor", "--dir", "demo", "--json", code=None).stdout)
        finally:
            process.send_signal(signal.SIGINT)
            code = process.wait(60)
    assert code == 0
    assert [mirror["kind"] for mirror in report["mirrors"]] == ["honest", "lying", "slow"]
    assert found["findings"]
    assert {"worker"} <= {f["name"] for f in found["findings"] if f["level"] == "fine"}
    assert found["ok"] is True, found
    return report


def _nothing_of_the_staff_is_in(tree: Path) -> None:
    pages = [page.read_text() for page in tree.rglob("*.html")]
    for private in (
        "Real name only with the editor",
        "pseudonym",
        "travels at six",
        "The second book",
    ):
        assert not any(private in page for page in pages), private


def test_a_demo_never_fills_a_real_newsroom(tamizdat: Tamizdat, folder: Path) -> None:
    done = tamizdat("demo", "--dir", folder, "--once", code=1)
    assert "is a real newsroom" in done.stderr
