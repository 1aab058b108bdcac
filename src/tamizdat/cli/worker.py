# SPDX-License-Identifier: AGPL-3.0-or-later
"""``tamizdat worker``: builds what was published, carries out schedules and embargoes."""

from __future__ import annotations

from pathlib import Path

import click

from tamizdat.cli.common import dir_option, start_django
from tamizdat.cli.processes import follow_supervisor


@click.command()
@dir_option
def worker(folder: Path) -> None:
    """Build and schedule what the desk asks for.

    Runs until it is stopped; what it was doing is finished or taken up again later.
    """
    start_django(folder)
    follow_supervisor()
    from django.core.management import call_command

    call_command("desk_worker")
