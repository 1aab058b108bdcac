# SPDX-License-Identifier: AGPL-3.0-or-later
"""``tamizdat import`` and ``tamizdat export``: nobody is locked in, nobody is locked out."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from tamizdat.cli.common import dir_option, json_option, print_json, say, start_django
from tamizdat.importers import FORMATS, open_importer


class Line:
    """One line of progress on standard error, drawn anew; only where somebody watches."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.drawn = 0.0

    def __call__(self, done: int, total: int, count: int) -> None:
        now = time.monotonic()
        if not sys.stderr.isatty() or now - self.drawn < 0.2:
            return
        self.drawn = now
        share = f"{min(100, 100 * done // total)} %" if total else ""
        pace = count / max(0.1, now - self.started)
        click.echo(f"\r{share:>6}  {count} done, {pace:.0f} a second ", nl=False, err=True)

    def end(self) -> None:
        if self.drawn:
            click.echo("", err=True)


@click.command("import")
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "format_",
    type=click.Choice(["auto", *FORMATS]),
    default="auto",
    show_default=True,
    help="What the source is: WordPress export, ninjs, Ghost export, saved page.",
)
@click.option(
    "--media",
    type=click.Path(path_type=Path, file_okay=False),
    help="A copy of the old site's pictures (wp-content/uploads, content/images).",
)
@click.option("--publish", is_flag=True, help="Publish what was published at its source.")
@click.option("--dry-run", is_flag=True, help="Write nothing; tell what would be done.")
@dir_option
@json_option
def import_(
    path: Path,
    format_: str,
    media: Path | None,
    publish: bool,
    dry_run: bool,
    folder: Path,
    as_json: bool,
) -> int:
    """Bring in stories that others wrote.

    PATH is a file or folder: a WordPress export (WXR), ninjs items, a Ghost export or a saved web
    page. What is here already is not doubled, and what an editor changed is kept, so it can be
    run again, also after it was interrupted.

    Exit codes: 0 everything was taken or left out for a reason that was told, 1 nothing could be
    done, 2 asked wrongly, 3 some items could not be read or written.
    """
    importer = open_importer(path, format_, media)
    start_django(folder)
    from tamizdat.desk.publishing import services
    from tamizdat.desk.publishing.intake import Options, take_in

    line = Line()
    say(f"Reading {path} ({importer.format}).")
    report = take_in(importer, Options(publish=publish, dry_run=dry_run), line)
    line.end()
    if publish and not dry_run and report.published:
        say("Building the paper.")
        services.run_pending()
    if as_json:
        print_json(report.as_json())
    else:
        click.echo("\n".join(report.lines()))
    return report.exit_code


@click.command()
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@dir_option
@json_option
def export(out: Path, folder: Path, as_json: bool) -> None:
    """Write every story, version and photo as ninjs.

    OUT is a folder; what is there already and has not changed is left alone. "tamizdat import"
    takes the folder back unchanged.
    """
    start_django(folder)
    from tamizdat.desk.publishing.outlet import write_out

    line = Line()
    report = write_out(out, line)
    line.end()
    if as_json:
        print_json(report.as_json())
    else:
        click.echo(report.sentence())
