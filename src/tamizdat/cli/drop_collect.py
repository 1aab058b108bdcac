# SPDX-License-Identifier: AGPL-3.0-or-later
"""``tamizdat drop collect``: empties the drops now, as the worker does every minute."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tamizdat.cli.common import dir_option, json_option, print_json, start_django
from tamizdat.config import ConfigError, DropSettings, Newsroom

if TYPE_CHECKING:
    from tamizdat.desk.letters.collecting import Report


@click.command()
@dir_option
@click.option("--again", is_flag=True, help="Try anew what failed or could not be read.")
@click.option(
    "--discard-unreadable", "discard", is_flag=True, help="Delete what could not be read."
)
@json_option
@click.pass_context
def collect(ctx: click.Context, folder: Path, again: bool, discard: bool, as_json: bool) -> None:
    """Fetch what waits in the newsroom's drops, now.

    The worker does it every minute; two at once do no harm. Exits with 1 where a drop did not
    answer; what the others had is taken.
    """
    newsroom = start_django(folder)
    if not newsroom.settings.drops:
        raise ConfigError(f"{newsroom.settings_file} names no drop: add a table [[drops]]")
    discarded = _discard() if discard else 0
    reports = [_collect(newsroom, drop) for drop in newsroom.settings.drops]
    taken_up = _take_up(newsroom, everything=again)
    ok = not any(report.problem for report in reports)
    if as_json:
        print_json({"ok": ok, "drops": reports, "taken_up": taken_up, "discarded": discarded})
    else:
        _tell(reports, taken_up, discarded)
    ctx.exit(0 if ok else 1)


def _collect(newsroom: Newsroom, drop: DropSettings) -> Report:
    from tamizdat.desk.letters.collecting import collect as from_drop

    return from_drop(newsroom, drop)


def _take_up(newsroom: Newsroom, *, everything: bool) -> dict[str, int]:
    """What became of what was kept aside, in numbers."""
    from django.utils import timezone

    from tamizdat.desk.letters.taking import retry
    from tamizdat.letterbox import identities

    found: dict[str, int] = {}
    for outcome in retry(identities(newsroom), timezone.now(), everything=everything):
        found[outcome.value] = found.get(outcome.value, 0) + 1
    return found


def _discard() -> int:
    from tamizdat.desk.letters.actions import discard_unreadable

    return discard_unreadable(acting_user=None)


def _tell(reports: list[Report], taken_up: dict[str, int], discarded: int) -> None:
    for report in reports:
        numbers = {
            "handled": report.handled,
            "here before": report.known,
            "waiting for a handler": report.waiting,
            "failed": report.failed,
            "unreadable": report.unreadable,
            "unreadable and not kept": report.forgotten,
        }
        said = ", ".join(f"{number} {word}" for word, number in numbers.items() if number)
        click.echo(f"{report.drop:<12}{said or 'nothing new'}")
        if report.problem:
            click.echo(f"            → {report.problem}")
    if taken_up:
        said = ", ".join(f"{number} {word}" for word, number in sorted(taken_up.items()))
        click.echo(f"Kept aside before: {said}")
    if discarded:
        click.echo(f"Discarded: {discarded}")
