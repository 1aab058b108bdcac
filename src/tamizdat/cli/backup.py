# SPDX-License-Identifier: AGPL-3.0-or-later
"""``tamizdat backup`` and ``tamizdat restore``. docs/operating/backup.md goes through both."""

from __future__ import annotations

from pathlib import Path

import click

from tamizdat.cli import backup_log
from tamizdat.cli.common import dir_option, json_option, open_newsroom, print_json, say
from tamizdat.cli.desk_audit import note
from tamizdat.cli.progress import Progress

_identity = click.option(
    "--identity",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    required=True,
    help="A file with the operator's age identity (AGE-SECRET-KEY-1…).",
)
_file = click.Path(path_type=Path, dir_okay=False, exists=True)


class _Backup(click.Group):
    """``backup FILE`` is short for ``backup make FILE``."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and self.get_command(ctx, args[0]) is None:
            args = ["make", *args]
        return super().resolve_command(ctx, args)


@click.group(cls=_Backup, subcommand_metavar="FILE|DIR | COMMAND [ARGS]...")
def backup() -> None:
    """Write everything that cannot be made again into one sealed file.

    "tamizdat backup FILE" writes it, to a file or into a folder under a name of its own; the
    desk goes on working. Only the operator's key opens it. The key to readers' addresses is
    written apart, to FILE.vault-key: keep the two in different places.
    """


@backup.command()
@click.argument("target", type=click.Path(path_type=Path), metavar="FILE|DIR")
@dir_option
@json_option
def make(target: Path, folder: Path, as_json: bool) -> None:
    """Write a backup; the word "make" may be left out."""
    from tamizdat.desk.safekeeping import contents

    newsroom = open_newsroom(folder)
    with Progress("Files") as progress:
        done = contents.back_up(newsroom, target, progress)
    key = str(done.key.resolve()) if done.key else ""
    backup_log.note(newsroom, backup_log.Made(done.made, str(done.backup.resolve()), key))
    note(newsroom, "tamizdat.backup", name=done.backup.name, files=done.files)
    if as_json:
        print_json({"ok": True, **_told(done)})
        return
    click.echo(f"{done.files:,} files, {done.bytes / 1e6:,.1f} MB: {done.backup}")
    if done.key:
        click.echo(f"The key to readers' addresses: {done.key}")
        click.echo("Keep it in another place than the backup.")


def _told(done: object) -> dict[str, object]:
    import msgspec

    told: dict[str, object] = msgspec.to_builtins(done, enc_hook=str)
    return told


@backup.command()
@click.argument("source", type=_file, metavar="FILE")
@_identity
@json_option
def verify(source: Path, identity: Path, as_json: bool) -> None:
    """Open a backup, read all of it, and say whether it is whole."""
    from tamizdat.desk.safekeeping import contents

    with Progress("Files") as progress:
        header, members = contents.verify(source, contents.identities_in(identity), progress)
    if as_json:
        print_json(
            {"ok": True, "newsroom": header.newsroom, "made": header.made, "files": len(members)}
        )
    else:
        click.echo(f"Whole: “{header.newsroom}”, made {header.made}, {len(members):,} files.")


@click.command()
@click.argument("source", type=_file, metavar="FILE")
@click.argument("target", type=click.Path(path_type=Path, file_okay=False), metavar="DIR")
@_identity
@click.option(
    "--vault-key", type=_file, help="The key to readers' addresses (FILE.vault-key), if at hand."
)
@click.option(
    "--skip-database",
    is_flag=True,
    help="With PostgreSQL: leave database.dump in the folder and fill no database.",
)
@json_option
def restore(
    source: Path,
    target: Path,
    identity: Path,
    vault_key: Path | None,
    skip_database: bool,
    as_json: bool,
) -> None:
    """Put a backup into an empty folder.

    Nothing stands there unless all of it is whole. With PostgreSQL the database named in the
    settings is filled; it must be empty.
    """
    from tamizdat.desk.safekeeping import contents

    with Progress("Files") as progress:
        header, members = contents.restore(
            source,
            target,
            contents.identities_in(identity),
            key=vault_key,
            fill_database=not skip_database,
            progress=progress,
        )
    if as_json:
        print_json(
            {
                "ok": True,
                "folder": str(target.resolve()),
                "newsroom": header.newsroom,
                "made": header.made,
                "files": len(members),
                "vault": vault_key is not None,
            }
        )
        return
    click.echo(f"“{header.newsroom}” as of {header.made} lies in {target.resolve()}. Next:")
    if vault_key is None:
        say("Readers' addresses stay shut until secrets/vault-key.age is put there.")
    click.echo(f"  tamizdat init {target}")
    click.echo(f"  tamizdat publish --all --dir {target}")
    click.echo(f"  tamizdat doctor --dir {target}")
