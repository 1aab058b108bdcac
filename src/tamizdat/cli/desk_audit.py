# SPDX-License-Identifier: AGPL-3.0-or-later
"""``tamizdat desk audit``: prove, show and export the trail of what staff did."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from tamizdat.cli.common import dir_option, json_option, print_json, say, start_django
from tamizdat.config import Newsroom


@click.group()
@dir_option
@click.pass_context
def audit(ctx: click.Context, folder: Path) -> None:
    """Prove, show and export the trail of what was done at the desk.

    Nobody can edit it, and each row carries the hash of the one before.
    """
    named = ctx.get_parameter_source("folder") is click.core.ParameterSource.COMMANDLINE
    ctx.obj = folder if named or ctx.obj is None else ctx.obj


@audit.command()
@click.option(
    "--anchors",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    multiple=True,
    help="A copy of the anchors that was kept elsewhere.  [default: run/audit-anchors.log]",
)
@json_option
@click.pass_context
def verify(ctx: click.Context, anchors: tuple[Path, ...], as_json: bool) -> None:
    """Prove the trail whole.

    Finds rows that were changed, removed, put in or moved, and with the anchors a trail that was
    cut at its end or made anew. Exits with 1 where it is not whole.
    """
    newsroom = start_django(ctx.obj)
    from tamizdat.desk.audit import anchors as noted
    from tamizdat.desk.audit import trail

    own = newsroom.run / noted.NAME
    files = anchors or ((own,) if own.exists() else ())
    known = [anchor for file in files for anchor in noted.read(file)]
    count, faults = trail.verify(known)
    if as_json:
        print_json({"ok": not faults, "rows": count, "anchors": len(known), "faults": faults})
    else:
        _tell(count, len(known), faults)
    ctx.exit(1 if faults else 0)


def _tell(count: int, anchors: int, faults: list[str]) -> None:
    for fault in faults:
        click.echo(f"NOT WHOLE: {fault}")
    if not faults:
        click.echo(f"The trail is whole: {count:,} rows, {anchors:,} anchors fit.")
    if not anchors:
        say("There are no anchors: a trail made anew could not be told. The worker notes them.")


@audit.command()
@click.option("--person", help="The name of an account.")
@click.option("--action", default="", help='For example "wagtail.publish".')
@click.option("--object", "of", default="", help='For example "newsroom.article:12".')
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="In the newsroom's time.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True)
@json_option
@click.pass_obj
def show(
    folder: Path,
    person: str | None,
    action: str,
    of: str,
    day: datetime | None,
    limit: int,
    as_json: bool,
) -> None:
    """Show what was done, the newest first."""
    start_django(folder)
    from tamizdat.desk.audit import trail, words

    account = _account(person)
    wanted = trail.Wanted(account, of, action, day.date() if day else None)
    rows = [words.of(row) for row in trail.look_for(wanted, limit=limit)]
    if as_json:
        print_json({"ok": True, "rows": rows})
        return
    for row in rows:
        when = f"{row['time']:%Y-%m-%d %H:%M:%S}"
        click.echo(
            f"{row['number']:>8}  {when}  {row['who']}  {row['what']}  {row['object']}  "
            f"{row['label']}  {row['data']}".rstrip()
        )


def _account(person: str | None) -> int | None:
    if person is None:
        return None
    from tamizdat.desk.staff.models import User

    found = User.objects.filter(username=person).values_list("pk", flat=True).first()
    if found is None:
        raise click.BadParameter(f"there is no account “{person}”", param_hint="--person")
    return found


@audit.command()
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.pass_obj
def export(folder: Path, out: Path | None) -> None:
    """Write the whole trail as JSON lines, to OUT, else to standard output."""
    start_django(folder)
    from tamizdat.desk.audit import trail

    if out is None:
        for line in trail.export():
            click.echo(line)
        return
    with out.open("w", encoding="utf-8") as file:
        for line in trail.export():
            file.write(f"{line}\n")
    say(f"The trail lies in {out}.")


def note(newsroom: Newsroom, action: str, **data: object) -> None:
    """Record what an operator did on the command line (``action``: one of
    ``desk.audit.words.OF_OPERATORS``). A newsroom without a desk keeps no trail."""
    if newsroom.settings.database == "sqlite" and not newsroom.database.exists():
        return
    start_django(newsroom.folder)
    from django.db import DatabaseError

    from tamizdat.desk.audit import actions

    try:
        actions.record(action=action, name=actions.at_keyboard(), data=data)
    except DatabaseError as error:
        say(f"It is done, but it could not be written into the audit trail: {error}")
