# SPDX-License-Identifier: AGPL-3.0-or-later
"""``tamizdat publish``: builds here and now what the worker would build."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from tamizdat.cli.common import dir_option, json_option, print_json, say, start_django
from tamizdat.cli.progress import Progress


@click.command()
@click.option("--all", "whole", is_flag=True, help="Build the whole paper anew.")
@dir_option
@json_option
def publish(folder: Path, whole: bool, as_json: bool) -> None:
    """Build what waits, or the whole paper anew.

    What editors publish is built by the worker by itself; this does it now and in sight.
    """
    newsroom = start_django(folder)
    started = time.monotonic()
    report = _whole() if whole else _waiting()
    seconds = round(time.monotonic() - started, 3)
    report |= {"seconds": seconds, "edition": str(newsroom.edition)}
    if as_json:
        print_json({"ok": True, **report})
    elif whole:
        click.echo(f"Edition {report['number']}: {report['stories']} stories in {seconds:.1f} s.")
    else:
        click.echo(f"{report['requests']} requests built in {seconds:.1f} s.")


def _waiting() -> dict[str, Any]:
    from tamizdat.desk.publishing.services import run_pending

    return {"requests": run_pending()}


def _whole() -> dict[str, Any]:
    from tamizdat.desk.publishing.services import publish_all

    with Progress("Stories") as progress:
        report = publish_all(progress)
    for problem in report.problems:
        say(f"Left out: {problem}")
    return {
        "number": report.edition,
        "stories": report.stories,
        "pages": report.pages,
        "files": report.files,
        "problems": report.problems,
    }
