# SPDX-License-Identifier: AGPL-3.0-or-later
"""One scene for all tests of a process."""

from __future__ import annotations

import pytest

from tests.lying import scene as scenes
from tests.lying.scene import Scene


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return scenes.make(tmp_path_factory.mktemp("scene"))
