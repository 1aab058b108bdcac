# SPDX-License-Identifier: AGPL-3.0-or-later
"""``tamizdat desk user``: one-time links for staff, and who has which way in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tamizdat.cli.common import dir_option, json_option, print_json, start_django
from tamizdat.config import ConfigError

if TYPE_CHECKING:
    from tamizdat.desk.staff.models import User

_name = click.argument("name")
_VALID = "It works once, within three days, and the desk must run for it. Hand it over in person."


@click.group()
@dir_option
@click.pass_context
def user(ctx: click.Context, folder: Path) -> None:
    """Make accounts and one-time links, and see who has which way in."""
    named = ctx.get_parameter_source("folder") is click.core.ParameterSource.COMMANDLINE
    ctx.obj = folder if named or ctx.obj is None else ctx.obj


@user.command()
@_name
@click.option("--role", "roles", multiple=True, required=True, help="Again for each.")
@json_option
@click.pass_obj
def add(folder: Path, name: str, roles: tuple[str, ...], as_json: bool) -> None:
    """Make an account with a role, and a one-time link for its owner.

    Roles: Reporter, Editor, Publisher, Operator, Readers' desk.
    """
    start_django(folder)
    from django.contrib.auth.models import Group

    from tamizdat.desk.staff.actions import create_account
    from tamizdat.desk.staff.models import User

    if User.objects.filter(username=name).exists():
        raise ConfigError(f"there is an account “{name}” already: choose another name")
    groups = list(Group.objects.filter(name__in=roles))
    unknown = set(roles) - {group.name for group in groups}
    if unknown:
        raise ConfigError(f"there is no role “{unknown.pop()}”")
    made = create_account(acting_user=None, username=name, groups=groups)
    _hand_over(made, as_json=as_json, said=f"The account “{name}” is made.")


@user.command()
@_name
@json_option
@click.pass_obj
def link(folder: Path, name: str, as_json: bool) -> None:
    """Make a one-time link for a new password.

    Passkeys and codes stay as they are and are still asked for.
    """
    start_django(folder)
    _hand_over(_find(name), as_json=as_json, said="Its passkeys and codes stay as they are.")


@user.command()
@_name
@json_option
@click.pass_obj
def recover(folder: Path, name: str, as_json: bool) -> None:
    """Let somebody begin anew who lost everything that opens their account.

    Removes password, passkeys, codes and sessions at once, and makes a one-time link. Be sure to
    whom you give it: it is all that the account then needs.
    """
    start_django(folder)
    from tamizdat.desk.staff.access.actions import close_account

    found = _find(name)
    close_account(acting_user=None, user=found)
    _hand_over(found, as_json=as_json, said="Nothing opens the account now but this link.")


@user.command(name="list")
@json_option
@click.pass_obj
def list_(folder: Path, as_json: bool) -> None:
    """List the accounts and what opens each."""
    start_django(folder)
    from tamizdat.desk.staff.models import User

    people = User.objects.filter(is_active=True).order_by("username")
    rows = [
        {
            "name": person.username,
            "roles": sorted(group.name for group in person.groups.all()),
            "opened_by": list(_ways(person)),
        }
        for person in people.prefetch_related("groups")
    ]
    if as_json:
        print_json({"ok": True, "accounts": rows})
        return
    for row in rows:
        ways = ", ".join(row["opened_by"]) or "nothing yet"
        click.echo(f"{row['name']:<20}  {', '.join(row['roles']) or '–':<24}  {ways}")


def _ways(person: User) -> Iterator[str]:
    from tamizdat.desk.staff.access.factors import factors_of

    has = factors_of(person)
    if person.has_usable_password():
        yield "password"
    if has.passkeys:
        yield "1 passkey" if len(has.passkeys) == 1 else f"{len(has.passkeys)} passkeys"
    if has.app:
        yield "app with codes"
    if has.codes_left:
        yield f"{has.codes_left} recovery codes"


def _find(name: str) -> User:
    from tamizdat.desk.staff.models import User

    found = User.objects.filter(username=name).first()
    if found is None:
        raise ConfigError(f"there is no account “{name}”: tamizdat desk user list")
    if not found.is_active:
        raise ConfigError(f"the account “{name}” is switched off: switch it on in the desk first")
    return found


def _hand_over(person: User, *, as_json: bool, said: str) -> None:
    from django.conf import settings

    from tamizdat.desk.staff.actions import invitation

    address = str(settings.WAGTAILADMIN_BASE_URL).rstrip("/") + invitation(user=person)
    if as_json:
        print_json({"ok": True, "name": person.username, "link": address})
    else:
        click.echo(f"{said}\n\n  {address}\n\n{_VALID}")
