# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the reader's tests start from: its programs built, two servers, a browser."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.reader.servers import Mirror

TOP = Path(__file__).parents[2]
CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


def _has_node() -> bool:
    if shutil.which("node") is None or shutil.which("npm") is None:
        return False
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    return int(said.stdout.strip().removeprefix("v").partition(".")[0]) >= 20


@pytest.fixture(scope="session")
def programs() -> Path:
    """The folder of the built tests and of the conformance client."""
    if not _has_node():
        pytest.skip("no Node 20 here: the reader's own tests run where there is one, as in CI")
    subprocess.run(["scripts/build-reader.sh", "tests"], cwd=TOP, check=True, timeout=300)
    return TOP / "reader" / ".build"


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    """A server with the vectors' folder ``second``, and with the reader's files, on one origin."""
    server = Mirror("second")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def chromium() -> Iterator[Any]:
    """Debian's Chromium, for fixtures of any scope."""
    sync_api = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM.exists():
        pytest.skip("no Chromium here: apt-get install -y chromium")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")  # No longer: its event loop must not run under others' tests.
def browser() -> Iterator[Any]:
    yield from chromium()
