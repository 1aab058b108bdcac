# SPDX-License-Identifier: AGPL-3.0-or-later
"""``tamizdat contributions``: what readers gave, from the terminal."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from tamizdat.cli.common import dir_option, json_option, print_json, say, start_django
from tamizdat.cli.contributions_remind import remind
from tamizdat.cli.contributions_report import months_options, period, report
from tamizdat.config import ConfigError

if TYPE_CHECKING:
    from tamizdat.desk.contributions.exports import Format
    from tamizdat.desk.contributions.reconcile import Report


@click.group("contributions")
def contributions() -> None:
    """See what readers gave, ask the providers, write out the books."""


contributions.add_command(report)
contributions.add_command(remind)


@contributions.command()
@click.option("--provider", default="", help="Ask this one only.")
@dir_option
@json_option
@click.pass_context
def reconcile(ctx: click.Context, provider: str, folder: Path, as_json: bool) -> None:
    """Ask the providers what happened, and close every gap.

    The worker does it daily. Twice does no harm. Exits with 1 where a provider did not answer or
    something could not be taken in.
    """
    newsroom = start_django(folder)
    from tamizdat.desk.contributions.reconcile import reconcile as ask

    known = [one.kind for one in newsroom.settings.giving.providers]
    if not known:
        raise ConfigError(f"{newsroom.settings_file} has no table [[giving.providers]] yet")
    if provider and provider not in known:
        raise ConfigError(f"there is no provider “{provider}”; there are: {', '.join(known)}")
    found = ask(newsroom, name=provider)
    ok = not any(one.problem or one.failed for one in found)
    if as_json:
        print_json({"ok": ok, "providers": msgspec.to_builtins(found)})
    else:
        click.echo("\n".join(_reconciled(one) for one in found))
    ctx.exit(0 if ok else 1)


def _reconciled(one: Report) -> str:
    if one.problem:
        return f"{one.provider}: {one.problem}"
    failed = f", {one.failed} could not be taken in" if one.failed else ""
    return (
        f"{one.provider}: {one.gaps} of {one.events} events were not known, "
        f"{one.changed} of {one.listed} facts{failed}"
    )


@contributions.command()
@click.option(
    "--format",
    "format_",
    type=click.Choice(["hledger", "beancount", "csv"]),
    required=True,
    help="Which program is to read it.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to this new file.  [default: standard output]",
)
@months_options
@dir_option
def export(
    format_: Format, out: Path | None, since: date | None, until: date | None, folder: Path
) -> None:
    """Write out the books: every transaction of whole months.

    All of them where no month is named. Where the first months are left out, the balances are
    brought forward in one transaction. The file names nobody, and holds the providers' numbers
    of payments: keep it to yourselves.
    """
    start_django(folder)
    from tamizdat.desk.contributions import exports, ledger

    first, last = period(since, until, first=date.min)
    pieces = exports.export(format_, since=first if since else None, until=last)
    if out is None:
        for piece in pieces:
            click.echo(piece, nl=False)
        return
    with out.open("x", encoding="utf-8") as file:
        out.chmod(0o600)
        file.writelines(pieces)
    say(f"{out}: {len(ledger.balances(last))} balances.")
