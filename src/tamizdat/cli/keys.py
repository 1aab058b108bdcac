# SPDX-License-Identifier: AGPL-3.0-or-later
"""``tamizdat keys``: who signs the paper. docs/operating/keys.md goes through all of it."""

from __future__ import annotations

from pathlib import Path

import click

from tamizdat.cli import signing
from tamizdat.cli.common import dir_option, json_option, open_newsroom, print_json
from tamizdat.cli.desk_audit import note
from tamizdat.cli.keys_status import status_of, tell_status
from tamizdat.config import Newsroom
from tamizdat.edition.signed import ceremony, keys, layout, roles
from tamizdat.edition.signed.errors import CeremonyError
from tamizdat.edition.signed.request import Request

_file = click.Path(path_type=Path, dir_okay=False, exists=True)
_new_file = click.Path(path_type=Path, dir_okay=False)
_folder = click.Path(path_type=Path, file_okay=False)
_out = click.option("--out", type=_new_file, help="Where the request is written.")
_passphrase_file = click.option(
    "--passphrase-file", type=_file, help="Read the passphrase from a file, for scripts."
)


@click.group("keys")
def keys_() -> None:
    """Make and change the keys that sign the paper.

    Three holders carry their keys away as encrypted files; two of them decide. The online key
    stays and signs what is published.
    """


@keys_.command()
@click.option(
    "--holders",
    default="anna,ben,cleo",
    show_default=True,
    help="Three names, by commas; pseudonyms will do.",
)
@click.option(
    "--out", type=_folder, default=Path("keys"), show_default=True, help="For the key files."
)
@click.option(
    "--passphrase-file",
    "files",
    type=_file,
    multiple=True,
    help="Read a passphrase from a file, for scripts; once a holder, in their order.",
)
@dir_option
@json_option
def init(holders: str, out: Path, files: tuple[Path, ...], folder: Path, as_json: bool) -> None:
    """Make the keys, with the three holders at the keyboard.

    Writes a key file for each holder, encrypted with a passphrase that each chooses; they are to
    be carried away. The online key stays in secrets/. What is published is signed from then on.
    """
    newsroom = open_newsroom(folder)
    root = make_keys(newsroom, names_of(holders), out, files)
    note(newsroom, "tamizdat.keys", kind="made", holders=names_of(holders))
    if as_json:
        print_json({"ok": True, "keys": str(out), "fingerprint": roles.fingerprint(root)})
    else:
        _tell_made(names_of(holders), out, root)


def names_of(holders: str) -> list[str]:
    """Three different names. Raises ``CeremonyError``."""
    names = [name.strip().lower() for name in holders.split(",")]
    if len(set(names)) != roles.HOLDERS or len(names) != roles.HOLDERS:
        raise CeremonyError(f"name {roles.HOLDERS} holders, by commas, each once")
    for name in names:
        keys.check_holder(name)
    return names


def make_keys(newsroom: Newsroom, names: list[str], out: Path, files: tuple[Path, ...]) -> bytes:
    """Make a newsroom's keys and sign what is out; returns the root."""
    if files and len(files) != len(names):
        raise CeremonyError("give --passphrase-file once for each holder, in their order")
    chosen = {
        name: signing.ask_new(name, files[at] if files else None) for at, name in enumerate(names)
    }
    return make_keys_with(newsroom, chosen, out)


def make_keys_with(newsroom: Newsroom, chosen: dict[str, str], out: Path) -> bytes:
    """The same with passphrases by holder."""
    desk = signing.desk_of(newsroom)
    if desk.folder.has(layout.metadata_name("root", 1)):
        raise CeremonyError("this newsroom has its keys already: see tamizdat keys status")
    made = {name: keys.generate() for name in chosen}
    for name, key in made.items():
        data = keys.seal(key, holder=name, newsroom=newsroom.settings.name, passphrase=chosen[name])
        keys.write_private(out / f"{name}.key", data)
    root = ceremony.found(desk, made, signing.wanted_site(newsroom), signing.now())
    signing.sign_now(newsroom)
    return root


@keys_.command()
@dir_option
@json_option
@click.pass_context
def status(ctx: click.Context, folder: Path, as_json: bool) -> None:
    """Show roles, keys and dates, and what is to be done.

    Exits with 1 where something is to be done.
    """
    newsroom = open_newsroom(folder)
    found = status_of(newsroom)
    print_json(found) if as_json else tell_status(found)
    ctx.exit(0 if found.ok else 1)


@keys_.command()
@click.argument("holder")
@click.option("--out", type=_new_file, help="The key file.  [default: HOLDER.key]")
@click.option("--newsroom", "paper", default="", help="The paper's name, to tell key files apart.")
@_passphrase_file
@json_option
def new(
    holder: str, out: Path | None, paper: str, passphrase_file: Path | None, as_json: bool
) -> None:
    """Make a key file for HOLDER, on the holder's own machine.

    Needs neither network nor newsroom. The desk needs a copy of the file for the request (it
    opens with the passphrase only).
    """
    keys.check_holder(holder)
    passphrase = signing.ask_new(holder, passphrase_file)
    key, target = keys.generate(), out or Path(f"{holder}.key")
    data = keys.seal(key, holder=holder, newsroom=paper, passphrase=passphrase)
    keys.write_private(target, data)
    if as_json:
        print_json({"ok": True, "key": str(target), "keyid": key.public_key.keyid})
    else:
        click.echo(f"The key {key.public_key.keyid} of {holder} lies in {target}.")


@keys_.command()
@click.argument("whose")
@click.option("--new-key", type=_file, help='A holder\'s new key file, made by "keys new".')
@_out
@dir_option
@json_option
def rotate(whose: str, new_key: Path | None, out: Path | None, folder: Path, as_json: bool) -> None:
    """Prepare another key for WHOSE: a holder, or "online".

    Writes a request for two holders to sign; until it is finished nothing changes.
    """
    desk = signing.desk_of(open_newsroom(folder))
    if whose == "online":
        request = ceremony.prepare_online(desk, signing.now())
    else:
        request = ceremony.prepare_holder(desk, whose, _new_key(new_key), signing.now())
    _write(request, out or Path(f"rotate-{whose}.json"), as_json)


@keys_.command()
@click.argument("holder")
@click.option("--new-key", type=_file, help='The new key file, made by "keys new".')
@_out
@dir_option
@json_option
def revoke(
    holder: str, new_key: Path | None, out: Path | None, folder: Path, as_json: bool
) -> None:
    """Prepare to replace HOLDER's key, lost or stolen, with a new one.

    The new key may be somebody else's. The two other holders sign; from then on the old key
    counts no more, wherever it is.
    """
    desk = signing.desk_of(open_newsroom(folder))
    request = ceremony.prepare_holder(desk, holder, _new_key(new_key), signing.now())
    _write(request, out or Path(f"revoke-{holder}.json"), as_json)


def _new_key(path: Path | None) -> keys.KeyFile:
    if path is None:
        raise CeremonyError(
            "name the new key file with --new-key; its holder makes it: tamizdat keys new NAME"
        )
    return keys.read(path)


@keys_.command()
@_out
@dir_option
@json_option
def site(out: Path | None, folder: Path, as_json: bool) -> None:
    """Prepare a new site.json: name, languages, entries, mirrors.

    "keys status" says when it is outdated.
    """
    newsroom = open_newsroom(folder)
    desk = signing.desk_of(newsroom)
    request = ceremony.prepare_site(desk, signing.wanted_site(newsroom), signing.now())
    _write(request, out or Path("site-request.json"), as_json)


@keys_.command()
@_out
@dir_option
@json_option
def renew(out: Path | None, folder: Path, as_json: bool) -> None:
    """Prepare the same signatures for another ten years."""
    desk = signing.desk_of(open_newsroom(folder))
    _write(ceremony.prepare_renewal(desk, signing.now()), out or Path("renew.json"), as_json)


def _write(request: Request, path: Path, as_json: bool) -> None:
    signing.write_request(request, path)
    signing.tell_prepared(request, path, as_json=as_json)


@keys_.command()
@click.argument("request", type=_file)
@click.option("--key", type=_file, required=True, help="The holder's key file.")
@click.option("--out", type=_new_file, help="The signed file.  [default: REQUEST.HOLDER.json]")
@_passphrase_file
@json_option
def sign(
    request: Path, key: Path, out: Path | None, passphrase_file: Path | None, as_json: bool
) -> None:
    """Sign a request, on a machine without network.

    Needs the request and the key file, nothing else. Says in words what is signed, and refuses
    what this program does not prepare.
    """
    signing.sign_request(request, key, passphrase_file, out, as_json=as_json)


@keys_.command()
@click.argument("requests", type=_file, nargs=-1, required=True)
@dir_option
@json_option
def finish(requests: tuple[Path, ...], folder: Path, as_json: bool) -> None:
    """Put into force what two holders signed.

    Give it the files that they brought back. It is in force at once, and readers follow with the
    next edition they fetch.
    """
    signing.finish_requests(open_newsroom(folder), requests, as_json=as_json)


@keys_.command()
@click.argument("out", type=_new_file, required=False)
@dir_option
def export(out: Path | None, folder: Path) -> None:
    """Write the root and all public keys as one JSON file, for readers.

    To OUT, else to standard output. There is no secret in it.
    """
    newsroom = open_newsroom(folder)
    desk = signing.desk_of(newsroom)
    offline = desk.signer.offline()
    name = layout.metadata_name("root", offline.root.signed.version)
    data = roles.export(desk.folder.read(name), newsroom.settings.name, newsroom.settings.address)
    if out is None:
        click.echo(data.decode(), nl=False)
    else:
        out.write_bytes(data)


def _tell_made(names: list[str], out: Path, root: bytes) -> None:
    click.echo(f"The keys are made. In {out.resolve()}:")
    for name in names:
        click.echo(f"  {name}.key   is carried away by {name}, on two sticks kept in two places")
    click.echo("\nThen delete them here, with the folder: nothing here needs them.")
    click.echo("Any two of the three can replace a lost key; one alone can do nothing.")
    click.echo("The online key stays in secrets/ and belongs into the backup.")
    click.echo("\nThe fingerprint of your root; let the holders write it down:")
    click.echo(f"  {roles.fingerprint(root)}")
