# SPDX-License-Identifier: AGPL-3.0-or-later
"""``tamizdat newsletter import`` and ``export``: subscribers from and to CSV files."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click
import msgspec

from tamizdat.cli.common import dir_option, json_option, print_json, say, start_django
from tamizdat.cli.progress import Progress
from tamizdat.config import ConfigError

if TYPE_CHECKING:
    from tamizdat.desk.newsletter.models import Newsletter
    from tamizdat.desk.newsletter.transfer.importing import Report

slug_option = click.option(
    "--newsletter", "slug", required=True, metavar="SLUG", help="Which newsletter."
)


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@slug_option
@click.option(
    "--format",
    "wanted",
    type=click.Choice(["auto", "mailchimp", "ghost", "listmonk", "plain"]),
    default="auto",
    show_default=True,
    help="Whose export it is; auto tells by its columns.",
)
@click.option(
    "--evidence",
    default="",
    help="How and when these readers agreed, and where the proof lies. A plain table needs it.",
)
@click.option("--cohort", default="", help="Put those who are subscribed into this cohort.")
@click.option("--dry-run", "dry", is_flag=True, help="Say what would happen, and keep nothing.")
@click.option(
    "--refused",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the rows that are not taken in, with their addresses, to this file (mode 600).",
)
@dir_option
@json_option
@click.pass_context
def import_(
    ctx: click.Context,
    file: Path,
    slug: str,
    wanted: str,
    evidence: str,
    cohort: str,
    dry: bool,
    refused: Path | None,
    folder: Path,
    as_json: bool,
) -> None:
    """Bring subscribers along, from a CSV file.

    Exports of Mailchimp, Ghost and listmonk are read as they are; any other table needs a column
    called email, and may have status, language and cohort. Names and all other columns are left
    out. Who left or bounced there is not written to; who left here stays away. Run again, nothing
    happens twice. Exits with 3 where some rows were not taken in.
    """
    newsroom = start_django(folder)
    from tamizdat.desk.newsletter.transfer.importing import Import

    if cohort and all(one.name != cohort for one in newsroom.settings.cohorts):
        raise ConfigError(f"{newsroom.settings_file} has no table [[cohorts]] named “{cohort}”")
    with Refusals(refused) as kept, Progress("Rows") as progress:
        work = Import(
            find(slug),
            evidence=evidence,
            cohort=cohort,
            dry=dry,
            on_refused=kept,
            progress=progress,
        )
        report = work.run(file, wanted=wanted)
    ok = not (report.reasons or report.stopped)
    if as_json:
        print_json({"ok": not report.stopped, **msgspec.to_builtins(report)})
    else:
        for line in told(report):
            click.echo(line)
    ctx.exit(0 if ok else 3)


@click.command()
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@slug_option
@dir_option
@json_option
def export(out: Path, slug: str, folder: Path, as_json: bool) -> None:
    """Write a newsletter's subscribers to a new CSV file.

    With their addresses in clear: the file is for its owner alone (mode 600). Needs the vault's
    key, and is in the audit trail.
    """
    start_django(folder)
    from tamizdat.desk.newsletter.transfer.exporting import export as write

    found = find(slug)
    with _private(out) as file:
        try:
            counts = write(newsletter=found, out=file)
        except BaseException:
            out.unlink()
            raise
    if as_json:
        print_json({"ok": True, "file": str(out), "rows": counts})
    else:
        said = ", ".join(f"{number:,} {status}" for status, number in sorted(counts.items()))
        click.echo(f"{out}: {said or 'nobody'}")
        say("It holds addresses in clear: keep it sealed, and shred it when it is done.")


def find(slug: str) -> Newsletter:
    """The newsletter of this name. Raises ``ConfigError``."""
    from tamizdat.desk.newsletter.models import Newsletter

    found: Newsletter | None = Newsletter.objects.filter(slug=slug).first()
    if found is None:
        known = ", ".join(Newsletter.objects.order_by("slug").values_list("slug", flat=True))
        raise ConfigError(f"there is no newsletter “{slug}”; there are: {known or 'none'}")
    return found


class Refusals:
    """``with Refusals(path) as write:``: a file for what is refused, made when there is any."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: TextIO | None = None
        self._table: Any = None

    def __enter__(self) -> Refusals:
        if self._path is not None:
            self._file = _private(self._path)
            self._table = csv.writer(self._file)
            self._table.writerow(["row", "why", "email"])
        return self

    def __call__(self, row: int, why: str, address: str) -> None:
        if self._table is not None:
            self._table.writerow([row, why, address])

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()


def _private(path: Path) -> TextIO:
    """A new file for its owner alone. Raises ``OSError`` where there is one."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    return os.fdopen(descriptor, "w", encoding="utf-8", newline="")


def told(report: Report) -> list[str]:
    """A report in sentences."""
    would = "Would be" if report.dry else "Now"
    lines = [
        f"{report.rows:,} rows, read as {report.format} ({report.encoding}).",
        f"{would} subscribed: {report.subscribed:,}",
        f"{would} remembered as gone: {report.left:,}",
        f"{would} not written to: {report.suppressed:,}",
        f"Here before, and unchanged: {report.here_before:,}",
    ]
    if report.reasons:
        lines.append(f"Not taken in: {sum(report.reasons.values()):,}")
        lines += [f"  {number:,}: {why}" for why, number in report.reasons.items()]
        rows = ", ".join(str(one.row) for one in report.refused[:20])
        lines.append(f"  rows {rows}{' …' if sum(report.reasons.values()) > 20 else ''}")
    if report.left_out:
        lines.append(f"Columns left out: {', '.join(report.left_out)}")
    if report.stopped:
        lines.append(f"The rest was not read: {report.stopped}")
    return lines
