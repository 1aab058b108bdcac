# SPDX-License-Identifier: AGPL-3.0-or-later
"""``tamizdat drop``: the letterbox. All but making one imports no Django."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tamizdat.cli.common import dir_option, json_option, print_json, start_django
from tamizdat.cli.desk_audit import note
from tamizdat.cli.drop_collect import collect

if TYPE_CHECKING:
    from tamizdat.drop.settings import DropFolder

_FOLDER = click.argument(
    "drop", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", default=Path()
)


@click.group()
def drop() -> None:
    """Serve a letterbox that only the desk can open, and empty it."""


drop.add_command(collect)


@drop.command()
@click.argument("drop", type=click.Path(path_type=Path, file_okay=False), metavar="DIR")
@click.option(
    "--url",
    default="",
    help="Where it will answer, such as https://drop.example.  [default: this machine alone]",
)
@click.option("--port", type=click.IntRange(1, 65535), default=8002, show_default=True)
@dir_option
@json_option
def init(drop: Path, url: str, port: int, folder: Path, as_json: bool) -> None:
    """Make a letterbox's folder from a newsroom's.

    It holds no key that opens or signs anything: carry it to another machine, or give it to a
    volunteer. Where the newsroom takes money, the till's key lies in it, which can open checkouts
    and do nothing else. Run again, it takes over the newsroom's keys, languages, colours and what
    can be given; what you changed otherwise stays.
    """
    newsroom = start_django(folder)
    from tamizdat.cli.drop_folder import make_drop

    made = make_drop(drop, newsroom, url=url, port=port)
    note(newsroom, "tamizdat.drop", made=made.folder.name)
    if as_json:
        print_json({"ok": True, "folder": str(made.folder), "hosts": made.settings.hosts})
        return
    click.echo(f"The letterbox of “{made.settings.name}” lies in {made.folder}")
    click.echo("Next:")
    click.echo(f"  tamizdat drop serve {made.folder}")
    click.echo(f"  and name it in {newsroom.settings_file}, so that the desk empties it:\n")
    click.echo("    [[drops]]")
    click.echo(f'    name = "{made.folder.name}"')
    click.echo(f'    url = "{url}"' if url else f'    folder = "{made.folder}"')


@drop.command()
@_FOLDER
@click.option("--host", help="Where to listen.  [default: the settings']")
@click.option("--port", type=click.IntRange(1, 65535), help="The port.  [default: the settings']")
def serve(drop: Path, host: str | None, port: int | None) -> None:
    """Serve the letterbox in DIR until a signal ends it.

    Put a web server before it that speaks HTTPS and keeps no access log
    (docs/operating/drop.md). Nothing is logged about who sends what.
    """
    from tamizdat.cli.drop_server import serve_drop

    found = _opened(drop)
    serve_drop(found, host=host or found.settings.host, port=port or found.settings.port)


@drop.command()
@_FOLDER
@json_option
def status(drop: Path, as_json: bool) -> None:
    """Say how full the letterbox in DIR is. It knows nothing else."""
    from tamizdat.drop.spool import Status, measured

    found = _opened(drop)
    here = measured(found.spool) if found.spool.is_dir() else Status(0, 0, 0)
    share = here.length / found.settings.cap
    if as_json:
        print_json(
            {
                "ok": True,
                "batches": here.batches,
                "open": here.open,
                "bytes": here.length,
                "cap": found.settings.cap,
                "share": round(share, 4),
            }
        )
        return
    click.echo(f"{here.batches} batches wait for the desk, {here.open} are being written.")
    click.echo(f"{here.length:,} of {found.settings.cap:,} bytes, {share:.1%}.")


def _opened(folder: Path) -> DropFolder:
    from tamizdat.drop.settings import DropFolder

    return DropFolder(folder)
