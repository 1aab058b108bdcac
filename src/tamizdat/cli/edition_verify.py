# SPDX-License-Identifier: AGPL-3.0-or-later
"""``tamizdat edition verify``: whether a copy of the paper is whole, and whose it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from tamizdat.cli.common import json_option, print_json, say
from tamizdat.edition.signed.plain import plain

if TYPE_CHECKING:
    from tamizdat.edition.signed.check import Report

_SHOWN = 50  # findings


@click.command()
@click.argument("copy")
@click.option(
    "--root",
    "root_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The newsroom's root, which is trusted.  [default: the copy's own]",
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    help="A folder to remember in what was seen, so that a copy that goes back is noticed.",
)
@click.option(
    "--parallel",
    type=click.IntRange(1, 16),
    help="Files to fetch at a time.  [default: 6 from a URL, 1 from a folder]",
)
@json_option
@click.pass_context
def verify(
    context: click.Context,
    copy: str,
    root_file: Path | None,
    state: Path | None,
    parallel: int | None,
    as_json: bool,
) -> None:
    """Say exactly what is wrong with a copy of the signed paper.

    COPY is a folder or a URL under which metadata/ lies. Exit code 1 where anything is missing,
    altered, stale, rolled back or not signed by the newsroom.
    """
    from tamizdat.cli.progress import Progress
    from tamizdat.edition.signed.check import check
    from tamizdat.edition.signed.fetch import open_copy

    root = read_root(root_file) if root_file else None
    from_web = copy.startswith(("http://", "https://"))
    parallel = parallel or (6 if from_web else 1)
    fetch = open_copy(copy, connections=parallel)
    with Progress("Entries") as progress:
        report = check(fetch, root=root, state=state, parallel=parallel, progress=progress)
    if as_json:
        print_json({"ok": report.ok, "copy": copy, **msgspec.to_builtins(report)})
    else:
        _print(report, copy)
    if not report.ok:
        context.exit(1)


def read_root(path: Path) -> bytes:
    """The root metadata in a file: ``N.root.json``, or what ``tamizdat keys export`` wrote."""
    data = path.read_bytes()
    try:
        found = json.loads(data)
    except ValueError:
        return data  # Verifying it says what is wrong with it.
    if isinstance(found, dict) and "root" in found and "signed" not in found:
        return json.dumps(found["root"], separators=(",", ":"), sort_keys=True).encode()
    return data


def _print(report: Report, copy: str) -> None:
    if report.edition:
        click.echo(f"Edition {report.edition} in {copy}, as of {report.as_of}")
    click.echo(f"Root's fingerprint: {_grouped(report.fingerprint)}")
    if not report.trusted:
        click.echo(
            "  This root was taken from the copy itself: what follows says that the copy is\n"
            "  whole, not whose it is. Compare the fingerprint with one that you have from\n"
            "  the newsroom, or name its root with --root."
        )
    for role, signers in report.signers.items():
        signed = ", ".join(
            f"{plain(signer.keyid)} ({signer.who}{'' if signer.valid else ', does not hold'})"
            for signer in signers
        )
        click.echo(f"  {role} is signed by {signed or 'nobody'}")
    click.echo(
        f"Checked: {report.shards:,} shards, {report.entries:,} entries, "
        f"{report.objects:,} files of the paper, {report.bytes / 1e6:,.1f} MB."
    )
    for finding in report.findings[:_SHOWN]:
        click.echo(f"{finding.kind.upper()}: {plain(finding.file)}: {plain(finding.message)}")
    if (more := len(report.findings) - _SHOWN) > 0:
        click.echo(f"and {more:,} more (all of them with --json)")
    if report.ok:
        click.echo("All of it is as it was signed.")
    else:
        count = len(report.findings)
        say(f"{count:,} finding{'s' * (count > 1)}: do not use this copy as it is.")


def _grouped(digits: str) -> str:
    return " ".join(digits[at : at + 8] for at in range(0, len(digits), 8))
