# SPDX-License-Identifier: AGPL-3.0-or-later
"""What every test may count on."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import settings

# Without Django installed (the core's own environment) this names nothing and harms nothing.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tamizdat.desk.settings.checks")

# Without a clock: the machine may be busy with other tests. What must pass before anything lands
# draws the same examples each time; everybody else, and make test-slow, draws new ones.
settings.register_profile("gate", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None)
settings.load_profile("gate" if os.environ.get("TAMIZDAT_GATE") else "explore")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Figures that tests measured (``record_property("figure", …)``) are said at the end."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    said = [said for report in reports for name, said in report.user_properties if name == "figure"]
    if said:
        terminalreporter.section("measured")
        for line in dict.fromkeys(said):
            terminalreporter.line(line)


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """Runs before pytest-django makes the test database, where there is Django."""
    from tests import prepared

    prepared.migrate_from_it()
