# SPDX-License-Identifier: AGPL-3.0-or-later
"""What ``tamizdat keys status`` and ``doctor`` see of a newsroom's keys. Nothing is changed."""

from __future__ import annotations

from datetime import datetime, timedelta

import click
import msgspec

from tamizdat.cli import signing
from tamizdat.config import ConfigError, Newsroom
from tamizdat.edition.errors import EditionError
from tamizdat.edition.signed import ceremony, keys, layout, roles
from tamizdat.edition.signed.ceremony import Desk
from tamizdat.edition.store import Store

SOON = timedelta(days=365)
LATE = timedelta(days=2)


class Role(msgspec.Struct, kw_only=True):
    """``keys`` are names of holders where they are known, else key identifiers."""

    name: str
    version: int
    keys: list[str]
    threshold: int
    expires: datetime


class Status(msgspec.Struct, kw_only=True):
    """``todo`` says what is missing or ends soon, and what to do, a sentence each."""

    ok: bool = True
    keys: bool = False
    fingerprint: str = ""
    edition: int = 0
    signed: int = 0
    issued: datetime | None = None
    roles: list[Role] = []
    todo: list[str] = []


def status_of(newsroom: Newsroom) -> Status:
    """What is in force and what is to be done."""
    desk, found = signing.desk_of(newsroom), Status()
    if not desk.folder.has(layout.metadata_name("root", 1)):
        found.todo = ["No keys: readers cannot tell your paper from a forged one. Make them with "
                      "the three holders: tamizdat keys init"]  # fmt: skip
    else:
        found.keys = True
        try:
            _look(newsroom, desk, found)
        except (OSError, EditionError) as error:
            found.todo.append(f"The signed files cannot be read: {error}")
        except ConfigError as error:
            found.todo.append(f"{error}"[:1].upper() + f"{error}"[1:])
    found.ok = not found.todo
    return found


def _look(newsroom: Newsroom, desk: Desk, found: Status) -> None:
    offline, now = desk.signer.offline(), signing.now()
    names = desk.holders()
    name = layout.metadata_name("root", offline.root.signed.version)
    found.fingerprint = roles.fingerprint(desk.folder.read(name))
    _offline_roles(offline, names, found)
    if roles.expires_first(offline) < now + SOON:
        found.todo.append(
            f"What the holders signed ends on {roles.expires_first(offline):%Y-%m-%d}: prepare "
            "tamizdat keys renew"
        )
    if desk.signer.pending() is not None:
        found.todo.append("A ceremony is decided, but not in force yet: tamizdat publish")
    if signing.letters_go_elsewhere(newsroom, desk):
        found.todo.append(
            "Readers' browsers seal letters to another key than secrets/letterbox-key: the holders "
            "have not signed the present one. Prepare tamizdat keys site"
        )
    elif signing.site_is_outdated(newsroom, desk):
        found.todo.append("site.json is outdated: prepare tamizdat keys site")
    _online(desk, offline, found)
    _edition(newsroom, desk, found, now)


def _offline_roles(offline: roles.Offline, names: dict[str, str], found: Status) -> None:
    holders = [names.get(keyid, keyid) for keyid in roles.holders(offline.root)]
    parts = ceremony.parts(offline)
    found.roles = [
        Role(
            name=role,
            version=part.signed.version,
            keys=holders,
            threshold=roles.THRESHOLD,
            expires=part.signed.expires,
        )
        for role, part in parts.items()
    ]


def _online(desk: Desk, offline: roles.Offline, found: Status) -> None:
    try:
        keyid = keys.read_online(desk.key_file).public_key.keyid
    except EditionError as error:
        found.todo.append(f"{error}"[:1].upper() + f"{error}"[1:])
        return
    if keyid not in roles.online(offline.root):
        found.todo.append(
            "The online key in secrets/ is not the one in force: restore it, or prepare "
            "tamizdat keys rotate online"
        )


def _edition(newsroom: Newsroom, desk: Desk, found: Status, now: datetime) -> None:
    pointer, signed = Store(newsroom.edition).pointer(), desk.signer.signed()
    found.edition = pointer.edition if pointer else 0
    if signed is None:
        if pointer:
            found.todo.append("The paper is not signed yet: tamizdat publish --all")
        return
    found.signed, found.issued = signed.recent.edition, roles.issued(signed.timestamp)
    online = roles.online(desk.signer.offline().root)
    for name, part in (("live", signed.live), ("snapshot", signed.snapshot)):
        found.roles.append(_online_role(name, part.signed.version, online, part.signed.expires))
    stamp = signed.timestamp.signed
    found.roles.append(_online_role("timestamp", stamp.version, online, stamp.expires))
    if found.signed < found.edition:
        found.todo.append(
            f"Edition {found.edition} is out, and signed is {found.signed}: tamizdat publish "
            "signs it or says why not"
        )
    if found.issued < now - LATE:
        found.todo.append("The timestamp is not renewed each day: see that the worker runs")
    if found.issued > now + timedelta(hours=1):
        found.todo.append("The last signature is from the future: see that the clock is right")


def _online_role(name: str, version: int, online: list[str], expires: datetime) -> Role:
    return Role(name=name, version=version, keys=online, threshold=1, expires=expires)


def tell_status(found: Status) -> None:
    """Print it for people."""
    if found.keys:
        click.echo(f"Root      {found.fingerprint}")
        click.echo(f"Edition   {found.edition}, signed {found.signed}")
        click.echo()
    for role in found.roles:
        who = f"{role.threshold} of {', '.join(role.keys)}"
        until = f"until {role.expires:%Y-%m-%d}"
        click.echo(f"{role.name:<10}version {role.version:<8}{until:<18}{who}")
    if found.roles:
        click.echo()
    for line in found.todo:
        click.echo(f"→ {line}")
    if not found.todo:
        click.echo("Nothing to be done.")
