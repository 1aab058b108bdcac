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

from tests.browsers import chromium, for_one_test
from tests.reader.servers import Mirror

TOP = Path(__file__).parents[2]


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


@pytest.fixture(scope="package")
def chromium_of_all() -> Iterator[Any]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def browser(chromium_of_all: Any) -> Iterator[Any]:
    """Debian's Chromium; what a test opened in it is let go after the test."""
    with for_one_test(chromium_of_all) as browser:
        yield browser
