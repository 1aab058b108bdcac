# SPDX-License-Identifier: AGPL-3.0-or-later
"""``tamizdat init``: starts a real newsroom. Asks nothing; running it again only adds."""

from __future__ import annotations

from pathlib import Path

import click

from tamizdat.cli.common import json_option, print_json, say, start_django
from tamizdat.cli.folder import start_folder, system_timezone
from tamizdat.cli.keys import make_keys, names_of
from tamizdat.config import Newsroom


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), metavar="DIR")
@click.option("--name", help="The paper's name.  [default: from the folder's name]")
@click.option(
    "--address",
    default="https://paper.example",
    show_default=True,
    help="The paper's canonical address.",
)
@click.option(
    "--language",
    "languages",
    multiple=True,
    default=("en",),
    show_default=True,
    help="A language of the paper; give it again for each. The first is the default one.",
)
@click.option("--timezone", help="The time zone of the paper's dates.  [default: this machine's]")
@click.option("--user", default="operator", show_default=True, help="The first account's name.")
@click.option("--email", default="", help="The first account's mail address, if any.")
@click.option("--holders", help='Make the keys too, as "keys init" does: three names, by commas.')
@click.option(
    "--keys-out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("keys"),
    show_default=True,
    help="Where the holders' key files are written.",
)
@click.option(
    "--passphrase-file",
    "files",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    multiple=True,
    help="A holder's passphrase, once a holder, in their order.",
)
@click.option(
    "--operator-recipient",
    help="The operator's age recipient (age1…), who keeps its identity elsewhere.  [default: a new "
    "one is made and shown once]",
)
@json_option
def init(
    folder: Path,
    name: str | None,
    address: str,
    languages: tuple[str, ...],
    timezone: str | None,
    user: str,
    email: str,
    holders: str | None,
    keys_out: Path,
    files: tuple[Path, ...],
    operator_recipient: str | None,
    as_json: bool,
) -> None:
    """Start a real newsroom in a folder.

    Writes its settings file (tamizdat.toml) and secrets, makes the database, the vault and the
    first account. Prints a link with which its owner chooses a password, and the operator's key,
    which is kept nowhere here. Run again, it continues and changes nothing that is there.
    """
    newsroom = start_folder(
        folder,
        name=name or folder.resolve().name.replace("-", " ").title(),
        address=address,
        languages=languages,
        timezone=timezone or system_timezone(),
    )
    if holders and not (newsroom.edition / "metadata" / "1.root.json").exists():
        make_keys(newsroom, names_of(holders), keys_out, files)
    prepare_database(newsroom)
    identity = make_vault(newsroom, operator_recipient)
    link = first_account(newsroom, username=user, email=email)
    if as_json:
        print_json(
            {
                "ok": True,
                "folder": str(newsroom.folder),
                "user": user,
                "link": link,
                "operator_identity": identity,
            }
        )
    else:
        _tell(newsroom, user, link, identity)


def prepare_database(newsroom: Newsroom) -> None:
    """Bring the newsroom's database up to date: tables, roles, review, languages."""
    start_django(newsroom.folder)
    from django.core.management import call_command

    say("Preparing the database …")
    call_command("migrate", interactive=False, verbosity=0)


def make_vault(newsroom: Newsroom, operator_recipient: str | None = None) -> str | None:
    """Make the vault where there is none; the operator's identity where it was made here."""
    from tamizdat.cli.vault_status import found_vault

    return found_vault(newsroom, operator_recipient)


def first_account(newsroom: Newsroom, *, username: str, email: str) -> str | None:
    """Make the first account; the link to choose its password, None once it has one."""
    from tamizdat.desk.staff.actions import create_account, invitation

    user = create_account(acting_user=None, username=username, email=email, superuser=True)
    if user.has_usable_password():
        return None
    return desk_url(newsroom) + invitation(user=user)


def desk_url(newsroom: Newsroom) -> str:
    """Where staff open the desk, without a final slash."""
    from django.conf import settings

    return str(settings.WAGTAILADMIN_BASE_URL).rstrip("/")


def _tell(newsroom: Newsroom, user: str, link: str | None, identity: str | None) -> None:
    click.echo(f"The newsroom “{newsroom.settings.name}” lies in {newsroom.folder}")
    if link:
        click.echo(f"\nThe first account is “{user}”. Choose its password here, once, within")
        click.echo(f"three days (the desk must run for it):\n\n  {link}\n")
    else:
        click.echo(f"The account “{user}” has its password already.\n")
    _tell_operator(identity)
    click.echo("Next:")
    click.echo(f"  edit {newsroom.settings_file}")
    if not (newsroom.edition / "metadata").exists():
        click.echo(f"  tamizdat keys init --dir {newsroom.folder}    (with the three holders)")
    click.echo(f"  tamizdat doctor --dir {newsroom.folder}")
    click.echo(f"  tamizdat run --dir {newsroom.folder}")


def _tell_operator(identity: str | None) -> None:
    from tamizdat.cli.vault_status import tell_operator

    tell_operator(identity)
