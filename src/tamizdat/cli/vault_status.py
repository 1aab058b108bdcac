# SPDX-License-Identifier: AGPL-3.0-or-later
"""How the vault stands, and making one. Django is ready when this is imported."""

from __future__ import annotations

import datetime
from collections.abc import Collection
from typing import Any

import click
import msgspec
import pyrage
from django.utils import timezone

from tamizdat.cli.common import say
from tamizdat.config import Newsroom
from tamizdat.desk.readers import actions, keyring, retention, rotation
from tamizdat.desk.readers.errors import VaultError, VaultShutError
from tamizdat.desk.readers.models import Consent, Reader, VaultState
from tamizdat.desk.readers.vault import Vault


class Status(msgspec.Struct, kw_only=True):
    """``vault`` is ``open``, ``shut`` (the key file is gone or unreadable), ``shredded`` or
    ``none``; ``problem`` says what to do. Numbers are of rows; ``lost`` can never be opened."""

    ok: bool
    vault: str
    problem: str = ""
    key_version: int | None = None
    key_file: str
    identity: str
    operator: str = ""
    rotating: bool = False
    remaining: int = 0
    addresses: int
    erased: int
    lost: int
    consents: int
    refused: list[str] = []
    shredded: datetime.date | None = None


def status_of(newsroom: Newsroom) -> Status:
    """Look at files and database; nothing is changed."""
    vault, state = Vault(newsroom), VaultState.objects.first()
    found = Status(
        ok=False,
        vault="none" if state is None else "open",
        key_file=str(vault.file.path),
        identity=str(vault.file.identity_path),
        addresses=Reader.objects.filter(erased=None).count(),
        erased=Reader.objects.exclude(erased=None).count(),
        consents=Consent.objects.count(),
        lost=0,
    )
    if state is None:
        found.problem = f"there is no vault yet; make it: tamizdat init {newsroom.folder}"
        return found
    found.shredded = state.shredded
    try:
        _look_inside(vault, state, found)
    except VaultShutError as error:
        found.vault, found.lost = "shut", found.addresses
        found.problem = str(error).partition(" See:")[0]
        if state.shredded:
            found.vault = "shredded"
            found.problem = (
                f"the key was destroyed on {state.shredded}: {found.lost:,} addresses can never be "
                "read again here. To take in new readers: tamizdat vault begin"
            )
    except VaultError as error:
        found.vault, found.problem = "shut", str(error)
    return found


def _look_inside(vault: Vault, state: VaultState, found: Status) -> None:
    keys = vault.file.keys()
    found.key_version = state.version
    found.operator = str(keyring.operator_recipient(vault.newsroom.secrets))
    found.lost = actions.lost(vault)
    found.rotating = rotation.under_way(vault)
    found.remaining = rotation.remaining(vault) if found.rotating else 0
    found.refused = [
        f"{outcome.rule}: {outcome.refused}"
        for outcome in retention.look(timezone.localdate())
        if outcome.refused
    ]
    if state.version not in keys.data:
        found.vault = "shut"
        found.problem = (
            f"the database seals with key {state.version}, which the key file does not have: "
            "restore both from the same day"
        )
    elif found.refused:
        found.problem = found.refused[0]
    found.ok = not found.problem


def tell_status(found: Status) -> None:
    """The same in sentences."""
    click.echo(f"The vault is {found.vault if found.vault != 'none' else 'not made yet'}.")
    click.echo(f"  addresses  {found.addresses:,}, and {found.erased:,} erased")
    if found.lost:
        click.echo(f"  lost       {found.lost:,} sealed with a key that is not here")
    click.echo(f"  consents   {found.consents:,} rows")
    if found.key_version:
        click.echo(f"  key        version {found.key_version}, in {found.key_file}")
        click.echo(f"  identity   {found.identity}")
        click.echo(f"  operator   {found.operator}")
    if found.rotating:
        click.echo(f"  rotation   under way: {found.remaining:,} to go")
    if found.problem:
        click.echo(f"\nTo do: {found.problem}.")


def found_vault(newsroom: Newsroom, recipient: str | None, *, anew: bool = False) -> str | None:
    """Make a newsroom's vault where it has none; the operator's identity, if it was made here.

    A vault whose key file is gone is not replaced but with ``anew``. Raises ``ConfigError`` and
    ``VaultError``.
    """
    identity = None
    known = newsroom.secrets / keyring.OPERATOR
    if recipient is not None:
        operator = keyring.recipient_of(recipient)
        known.unlink(missing_ok=True)
    elif known.exists():
        operator = keyring.operator_recipient(newsroom.secrets)
    else:
        made = pyrage.x25519.Identity.generate()
        operator, identity = made.to_public(), str(made)
    file = keyring.found(newsroom, operator)
    if file.exists() and recipient is not None:
        with file.exclusively():
            file.write(file.read())  # To the new recipient.
    elif not file.exists() and (anew or not actions.was_begun()):
        actions.begin_vault(newsroom=newsroom)
    elif not file.exists():
        say(f"The vault's key file is gone: {file.path}. See: tamizdat vault status")
    elif anew:
        raise VaultError("the vault has its key: there is nothing to begin anew")
    return identity


def tell_operator(identity: str | None) -> None:
    """Hand the operator what is kept nowhere else."""
    if identity is None:
        return
    click.echo("\nThe operator's key opens backups and readers' data. It is shown once and kept")
    click.echo(
        "nowhere here: write it down, keep it away from this machine, on paper or a stick.\n"
    )
    click.echo(f"  {identity}\n")


def retention_of(
    newsroom: Newsroom, *, run_now: bool, allowed: Collection[str]
) -> list[dict[str, Any]]:
    """Each rule: what is due, what was erased now and in all, why it refuses."""
    today = timezone.localdate()
    outcomes = retention.run(today, allowed=allowed) if run_now else retention.look(today)
    runs = retention.last_runs()
    return [
        {
            **outcome._asdict(),
            "last": str(runs[outcome.rule][0]) if outcome.rule in runs else None,
            "erased_in_all": runs.get(outcome.rule, (None, 0))[1],
        }
        for outcome in outcomes
    ]


def tell_retention(rules: list[dict[str, Any]]) -> None:
    for rule in rules:
        last = f"last ran on {rule['last']}" if rule["last"] else "never ran yet"
        click.echo(f"{rule['rule']}: {rule['words']}")
        click.echo(f"  due {rule['due']:,}, erased now {rule['erased']:,}, {last}")
        if rule["refused"]:
            click.echo(f"  refused: {rule['refused']}")
