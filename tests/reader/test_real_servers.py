# SPDX-License-Identifier: AGPL-3.0-or-later
"""The paper as ``tamizdat edition serve`` serves it, on three ports; then the entry is ended."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.ports import free_port
from tests.reader.copies import Room

pytestmark = [
    pytest.mark.browser,
    pytest.mark.allow_hosts(["127.0.0.1", "::1"]),
    pytest.mark.xdist_group("reader-browser"),
]
TRUTH = "The bridge at Pier 9 was closed"


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/sw.js", timeout=10) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Room, list[int], list[subprocess.Popen[bytes]]]]:
    ports = [free_port() for _ in range(3)]
    seeds = [f"http://127.0.0.1:{port}/" for port in ports[1:]]
    room = Room(tmp_path, seeds).open_paper()
    command = [sys.executable, "-m", "tamizdat", "edition", "serve", str(room.desk.folder.path)]
    running = [subprocess.Popen([*command, "--port", str(port)]) for port in ports]
    try:
        deadline = time.monotonic() + 60
        while not all(map(answers, ports)):
            assert time.monotonic() < deadline, "the servers did not start"
            time.sleep(0.2)
        yield room, ports, running
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(20)


def test_a_reader_goes_on_where_the_papers_own_server_is_gone(served: Any, browser: Any) -> None:
    room, ports, running = served
    entry = f"http://127.0.0.1:{ports[0]}"
    context = browser.new_context()
    page = context.new_page()
    worker = page.request.get(f"{entry}/sw.js")
    assert worker.headers["service-worker-allowed"] == "/"
    assert "connect-src 'self' https: http:" in worker.headers["content-security-policy"]
    page.goto(entry + room.path(1))
    page.wait_for_selector(".proof")
    page.reload()
    page.wait_for_selector("text=Verified")
    running[0].terminate()
    running[0].wait(20)
    page.goto(entry + room.path(2))
    page.wait_for_selector("text=Проверено")
    expect(page.locator("h1")).to_contain_text("Мост закрыт")
    page.goto(entry + room.path(1))
    page.wait_for_selector(f"text={TRUTH}")
