# SPDX-License-Identifier: AGPL-3.0-or-later
"""``tamizdat edition verify``: whether a copy of the paper is whole, and whose it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from tamizdat.cli.common import json_option, print_json, say
from tamizdat.cli.edition_verify_bundle import tell_findings, tell_root, verify_bundle
from tamizdat.edition.signed.plain import plain

if TYPE_CHECKING:
    from tamizdat.edition.signed.check import Report


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

    COPY is a folder or a URL under which metadata/ lies, or a bundle: a ZIP, EPUB or HTML that
    "edition bundle" wrote. Exit code 1 where anything is missing, altered, stale, rolled back or
    not signed by the newsroom.
    """
    if Path(copy).is_file():
        verify_bundle(context, Path(copy), read_root(root_file) if root_file else None, as_json)
        return
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
    tell_root(report.fingerprint, trusted=report.trusted)
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
    tell_findings(report.findings)
    if report.ok:
        click.echo("All of it is as it was signed.")
    else:
        count = len(report.findings)
        say(f"{count:,} finding{'s' * (count > 1)}: do not use this copy as it is.")
