# SPDX-License-Identifier: AGPL-3.0-or-later
"""A browser for those of the theme's tests that need one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browsers import chromium, for_one_test


@pytest.fixture(scope="module")
def chromium_of_all() -> Iterator[Any]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def browser(chromium_of_all: Any) -> Iterator[Any]:
    """Debian's Chromium; what a test opened in it is let go after the test."""
    with for_one_test(chromium_of_all) as browser:
        yield browser
