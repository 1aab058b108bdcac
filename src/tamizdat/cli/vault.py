# SPDX-License-Identifier: AGPL-3.0-or-later
"""``tamizdat vault``: readers' addresses. docs/operating/vault.md goes through all of it."""

from __future__ import annotations

from pathlib import Path

import click

from tamizdat.cli.common import (
    dir_option,
    json_option,
    open_newsroom,
    print_json,
    say,
    start_django,
)
from tamizdat.cli.progress import Progress
from tamizdat.config import ConfigError, Newsroom

_out = click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write it to this file (mode 600) instead of printing it.",
)


@click.group("vault")
def vault() -> None:
    """Keep, find, hand out and erase readers' addresses.

    Addresses are sealed with a key that lies outside of the database. Destroy it, and nobody can
    read them any more.
    """


@vault.command()
@dir_option
@json_option
@click.pass_context
def status(ctx: click.Context, folder: Path, as_json: bool) -> None:
    """Say whether the vault is open, what it holds and what is under way.

    Exits with 1 where something is to be done.
    """
    newsroom = start_django(folder)
    from tamizdat.cli.vault_status import status_of, tell_status

    found = status_of(newsroom)
    print_json(found) if as_json else tell_status(found)
    ctx.exit(0 if found.ok else 1)


@vault.command()
@click.option("--background", is_flag=True, help="Begin it; the worker does the rest.")
@dir_option
@json_option
def rotate(background: bool, folder: Path, as_json: bool) -> None:
    """Seal every address with a new key and destroy the old one.

    The desk and the worker go on working meanwhile. Stopped or killed, it is taken up again by
    running it again, or by the worker.
    """
    newsroom = start_django(folder)
    from tamizdat.desk.readers import actions, rotation
    from tamizdat.desk.readers.vault import Vault

    opened = Vault.open(newsroom)
    version = rotation.begin(opened)
    actions.note_rotation(version=version)
    report = {"ok": True, "version": version, "done": not background}
    if background:
        say(f"Key {version} is in force. The worker seals the rest anew and destroys the old key.")
    else:
        with Progress("Sealing anew") as progress:
            report["sealed"] = rotation.complete(opened, progress)
        say(f"Everything is sealed with key {version}; the old key is destroyed.")
        say("Copies of the old key file in backups still open old copies of the database.")
    if as_json:
        print_json(report)


@vault.command()
@click.argument("address")
@click.option(
    "--format",
    "form",
    type=click.Choice(["html", "text", "json"]),
    default="text",
    show_default=True,
    help="How it is written.",
)
@_out
@dir_option
@json_option
def export(address: str, form: str, out: Path | None, folder: Path, as_json: bool) -> None:
    """Show everything that is held about who has ADDRESS.

    Make sure that who asks is the person. It is written to the audit trail, without the address.
    """
    newsroom = start_django(folder)
    from tamizdat.desk.readers import answers, requests
    from tamizdat.desk.readers.vault import Vault

    found = requests.export(vault=Vault.open(newsroom), address=address, acting_user=None)
    if as_json:
        print_json({"ok": True, **answers.as_dict(found)})
    elif out is None:
        click.echo(answers.export_as(found, form), nl=False)
    else:
        _write_private(out, answers.export_as(found, form))


@vault.command()
@click.argument("address")
@_out
@dir_option
@json_option
def erase(address: str, out: Path | None, folder: Path, as_json: bool) -> None:
    """Erase everything about who has ADDRESS, and give a receipt.

    The receipt says what was there, what was erased, and what must be kept, why and until when.
    It cannot be undone.
    """
    newsroom = start_django(folder)
    from tamizdat.desk.readers import answers, requests
    from tamizdat.desk.readers.vault import Vault

    receipt = requests.erase(vault=Vault.open(newsroom), address=address, acting_user=None)
    text = answers.receipt_as_text(receipt)
    if out is not None:
        _write_private(out, text)
    if as_json:
        print_json({"ok": True, **answers.as_dict(receipt)})
    elif out is None:
        click.echo(text, nl=False)


def _write_private(out: Path, text: str) -> None:
    from tamizdat.desk.readers.keyring import write_durably

    write_durably(out, text.encode())
    say(f"Written to {out}, for your eyes only.")


@vault.command()
@click.option(
    "--yes-shred",
    "confirmed",
    metavar="NAME",
    help="Confirm with the paper's name instead of typing it, for scripts.",
)
@dir_option
@json_option
def shred(confirmed: str | None, folder: Path, as_json: bool) -> None:
    """Destroy the key: no address can ever be read again from this machine.

    For the moment in which the machine is about to fall into other hands. Takes less than a
    second however many readers there are. The desk goes on working for writing and publishing.
    """
    from tamizdat.desk.readers import keyring

    newsroom = open_newsroom(folder)
    _confirm_shred(newsroom, confirmed)
    done = keyring.shred(newsroom)
    noted = _note_shred(newsroom)
    if as_json:
        print_json(
            {
                "ok": True,
                "destroyed": done.destroyed,
                "seconds": round(done.seconds, 4),
                "noted": noted,
                "copies": [str(copy) for copy in _copies(newsroom)],
            }
        )
    else:
        _tell_shredded(newsroom, done, noted)


def _confirm_shred(newsroom: Newsroom, confirmed: str | None) -> None:
    name = newsroom.settings.name
    if confirmed is None:
        say(f"This destroys the key to every reader's address of “{name}”, for ever.")
        confirmed = click.prompt("Type the paper's name to do it", err=True)
    if confirmed.strip() != name:
        raise ConfigError(f"nothing was destroyed: the paper is called “{name}”")


def _note_shred(newsroom: Newsroom) -> bool:
    """Tell the database; that it cannot be reached changes nothing about what was done."""
    start_django(newsroom.folder)
    from django.db import DatabaseError

    from tamizdat.desk.readers.actions import note_shred

    try:
        note_shred()
    except DatabaseError:
        return False
    return True


def _copies(newsroom: Newsroom) -> list[Path]:
    from tamizdat.cli.backup_log import copies_of_the_key

    return copies_of_the_key(newsroom)


def _tell_shredded(newsroom: Newsroom, done: object, noted: bool) -> None:
    from tamizdat.desk.readers.keyring import Shredded

    assert isinstance(done, Shredded)  # noqa: S101 - for mypy
    click.echo(f"Destroyed in {done.seconds * 1000:.0f} ms:")
    for destroyed in done.destroyed or ["nothing: there was no key here"]:
        click.echo(f"  {destroyed}")
    click.echo(
        "\nLost: readers' addresses and what they wrote to you. Not lost: stories, the paper,"
    )
    click.echo(
        "accounts; writing and publishing go on. Letters that still lie in drops are sealed to"
    )
    click.echo("the key that is gone: a new one was drawn.")
    copies = _copies(newsroom)
    if copies:
        click.echo("\nThese copies of the key were made by backups. Whoever has one and the")
        click.echo("operator's identity can read the addresses of that day:")
        for path in copies:
            click.echo(f"  {path}")
    else:
        click.echo("\nNo backup of the key is known to this machine; others may have been made.")
    if not noted:
        click.echo("\nThe database could not be told. It makes no difference to what is lost.")


@vault.command()
@click.option("--operator-recipient", help="The operator's age recipient (age1…), if new.")
@dir_option
@json_option
def begin(operator_recipient: str | None, folder: Path, as_json: bool) -> None:
    """Begin anew with a new key, after the old one was destroyed or lost.

    What was sealed with the old key stays unreadable, unless its key file comes back before.
    """
    newsroom = start_django(folder)
    from tamizdat.cli.vault_status import found_vault

    identity = found_vault(newsroom, operator_recipient, anew=True)
    if as_json:
        print_json({"ok": True, "operator_identity": identity})
    else:
        from tamizdat.cli.vault_status import tell_operator

        tell_operator(identity)


@vault.command()
@click.option("--run", "run_now", is_flag=True, help="Do what is due, as the worker does daily.")
@click.option(
    "--yes", "allowed", metavar="RULE", multiple=True, help="Let this rule erase past its bound."
)
@dir_option
@json_option
def retention(run_now: bool, allowed: tuple[str, ...], folder: Path, as_json: bool) -> None:
    """Show the rules by which readers' data goes, and what is due.

    A rule that wants to erase suspiciously much refuses and waits for you: look at the clock
    first.
    """
    newsroom = start_django(folder)
    from tamizdat.cli.vault_status import retention_of, tell_retention

    found = retention_of(newsroom, run_now=run_now, allowed=allowed)
    print_json({"ok": True, "rules": found}) if as_json else tell_retention(found)
