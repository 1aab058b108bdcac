# SPDX-License-Identifier: AGPL-3.0-or-later
"""``tamizdat doctor``: looks at a set-up and says what to do for each finding."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from tamizdat.cli import checkup
from tamizdat.cli.checkup import Finding
from tamizdat.cli.common import dir_option, json_option, open_newsroom, print_json, start_django
from tamizdat.config import ConfigError, Newsroom

MARKS = {"fine": "✓", "warning": "!", "problem": "✗"}


@click.command()
@dir_option
@json_option
@click.pass_context
def doctor(ctx: click.Context, folder: Path, as_json: bool) -> None:
    """Check a set-up and say what to do.

    Exits with 1 where something is a problem, with 0 where all is fine or only worth a thought.
    """
    newsroom = open_newsroom(folder)
    found = list(examine(newsroom))
    ok = all(finding.level != "problem" for finding in found)
    if as_json:
        print_json({"ok": ok, "folder": str(newsroom.folder), "findings": found})
    else:
        _tell(found)
    ctx.exit(0 if ok else 1)


def examine(newsroom: Newsroom) -> Iterator[Finding]:
    """All findings, those of the folder first."""
    for check in checkup.CHECKS:
        yield from check(newsroom)
    try:
        start_django(newsroom.folder)
    except ConfigError as error:
        yield checkup.problem("desk", f"it cannot start: {error}", "Mend that first.")
        return
    from tamizdat.cli import checkup_desk

    yield from checkup_desk.findings(newsroom)


def _tell(found: list[Finding]) -> None:
    for finding in found:
        click.echo(f"{MARKS[finding.level]} {finding.name:<9} {finding.what}")
        if finding.advice:
            click.echo(f"            → {finding.advice}")
    count = sum(finding.level == "problem" for finding in found)
    click.echo()
    click.echo(f"{count} to mend." if count else "Nothing to mend.")
