# SPDX-License-Identifier: AGPL-3.0-or-later
"""``tamizdat edition verify`` for a bundle, and what it shares with that for whole copies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from tamizdat.cli.common import print_json, say
from tamizdat.edition.signed.plain import plain

if TYPE_CHECKING:
    from tamizdat.edition.bundle import Report
    from tamizdat.edition.signed.check import Finding

_SHOWN = 50  # findings
_LARGEST = 1_000_000_000  # bytes


def verify_bundle(context: click.Context, path: Path, root: bytes | None, as_json: bool) -> None:
    """Check a bundle and say what was found. Exits with 1 where anything is wrong."""
    from tamizdat.edition.bundle import BundleError, check

    if path.stat().st_size > _LARGEST:
        raise BundleError(f"{path} is larger than any bundle, which has 1 GB at most")
    report = check(path.read_bytes(), root=root)
    if as_json:
        print_json({"ok": report.ok, "bundle": str(path), **msgspec.to_builtins(report)})
    else:
        _print(report, path)
    if not report.ok:
        context.exit(1)


def _print(report: Report, path: Path) -> None:
    if report.edition:
        click.echo(f"A {report.form} of edition {report.edition} in {path}, as of {report.as_of}")
    tell_root(report.fingerprint, trusted=report.trusted)
    if report.expired:
        click.echo(
            f"  Its signatures are past their time ({', '.join(report.expired)}): it is old."
        )
    for headline, place in report.stories:
        click.echo(f"  {plain(headline)}  {plain(place)}")
    click.echo(f"Proven: {len(report.stories):,} stories, {report.pictures:,} pictures.")
    tell_findings(report.findings)
    if report.ok:
        click.echo("What the file shows is what the newsroom published, to the byte.")
        click.echo("It does not prove that nothing was left out.")
    else:
        say("Do not pass this file on, and do not believe what it shows.")


def tell_root(fingerprint: str, *, trusted: bool) -> None:
    """Whose signature was asked for."""
    digits = " ".join(fingerprint[at : at + 8] for at in range(0, len(fingerprint), 8))
    click.echo(f"Root's fingerprint: {digits}")
    if not trusted:
        click.echo(
            "  This root was taken from the copy itself: what follows says that the copy is\n"
            "  whole, not whose it is. Compare the fingerprint with one that you have from\n"
            "  the newsroom, or name its root with --root."
        )


def tell_findings(findings: Sequence[Finding]) -> None:
    """What is wrong, one a line."""
    for finding in findings[:_SHOWN]:
        click.echo(f"{finding.kind.upper()}: {plain(finding.file)}: {plain(finding.message)}")
    if (more := len(findings) - _SHOWN) > 0:
        click.echo(f"and {more:,} more (all of them with --json)")
