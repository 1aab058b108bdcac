# SPDX-License-Identifier: AGPL-3.0-or-later
"""``tamizdat desk``: serve the desk, or pass a command on to Django."""

from __future__ import annotations

from pathlib import Path

import click

from tamizdat.cli.common import dir_option, open_newsroom, say, start_django
from tamizdat.cli.desk_audit import audit
from tamizdat.cli.desk_user import user


class _DeskGroup(click.Group):
    """Names that are not our own are Django's management commands."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return super().get_command(ctx, cmd_name) or _django_command(cmd_name)


def _django_command(name: str) -> click.Command:
    @click.command(
        name=name,
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
        add_help_option=False,
    )
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    @click.pass_obj
    def django_command(folder: Path, arguments: tuple[str, ...]) -> None:
        start_django(folder)
        from django.core.management import execute_from_command_line

        execute_from_command_line(["tamizdat desk", name, *arguments])

    return django_command


@click.group(cls=_DeskGroup, subcommand_metavar="COMMAND [ARGS]...")
@dir_option
@click.pass_context
def desk(ctx: click.Context, folder: Path) -> None:
    """Serve the desk, or run one of Django's commands.

    "tamizdat desk serve" serves it, "tamizdat desk audit" reads the audit trail; any other name is
    Django's: "tamizdat desk help" lists them, for example "tamizdat desk changepassword anna".
    """
    ctx.obj = folder


@desk.command()
@click.option(
    "--dir",
    "own_folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="The newsroom's folder.",
)
@click.option("--host", help="Where to listen.  [default: the settings']")
@click.option("--port", type=click.IntRange(1, 65535), help="The port.  [default: the settings']")
@click.pass_obj
def serve(folder: Path, own_folder: Path | None, host: str | None, port: int | None) -> None:
    """Serve the desk to staff."""
    from tamizdat.cli.servers import serve_desk

    newsroom = open_newsroom(own_folder or folder)
    settings = newsroom.settings.desk
    say(f"The desk answers on http://{host or settings.host}:{port or settings.port}/desk/")
    serve_desk(newsroom, host=host or settings.host, port=port or settings.port)


desk.add_command(audit)
desk.add_command(user)
