# SPDX-License-Identifier: AGPL-3.0-or-later
"""``tamizdat contributions remind``: what is due; in a demo also before its day."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from tamizdat.cli.common import dir_option, json_option, print_json, start_django
from tamizdat.config import ConfigError


@click.command()
@click.option(
    "--ahead",
    type=click.IntRange(0, 400),
    default=0,
    help="As if so many days had passed: in a demo alone.  [default: today]",
)
@dir_option
@json_option
def remind(ahead: int, folder: Path, as_json: bool) -> None:
    """Send the reminders that are due.

    The worker does it by itself, every minute. Nobody who gave since is reminded.
    """
    newsroom = start_django(folder)
    if ahead and not newsroom.settings.demo:
        raise ConfigError("--ahead is for a demo: readers are reminded on their day, not before")
    from tamizdat.desk.contributions.reminders import send_due

    sent = send_due(ahead=timedelta(days=ahead))
    if as_json:
        print_json({"ok": True, "sent": sent})
        return
    said = {0: "Nobody is to be reminded.", 1: "1 reminder was sent."}
    click.echo(said.get(sent, f"{sent} reminders were sent."))
