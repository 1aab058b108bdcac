# SPDX-License-Identifier: AGPL-3.0-or-later
"""``tamizdat archive seal``: the holders sign everything published so far."""

from __future__ import annotations

from pathlib import Path

import click

from tamizdat.cli import signing
from tamizdat.cli.common import dir_option, json_option, open_newsroom, say
from tamizdat.edition.signed import seal as sealing
from tamizdat.edition.signed.folder import recompute
from tamizdat.edition.signed.request import Request
from tamizdat.edition.signed.summary import record_of
from tamizdat.edition.store import Store

_file = click.Path(path_type=Path, dir_okay=False, exists=True)
_new_file = click.Path(path_type=Path, dir_okay=False)


@click.group()
def archive() -> None:
    """Seal the archive: who seizes the server cannot rewrite it."""


@archive.group()
def seal() -> None:
    """Let the holders sign everything published so far.

    In three steps: prepare here, sign by two holders on machines without network, finish here.
    Corrections and withdrawals go on as before; readers see that they came after the sealing.
    """


@seal.command()
@click.option("--out", type=_new_file, default=Path("seal.json"), show_default=True)
@dir_option
@json_option
def prepare(out: Path, folder: Path, as_json: bool) -> None:
    """Write the request for all that is published now."""
    desk = signing.desk_of(open_newsroom(folder))
    with Store(desk.folder.path).exclusive():
        request = sealing.prepare(desk, signing.now())
    signing.write_request(request, out)
    signing.tell_prepared(request, out, as_json=as_json)


@seal.command()
@click.argument("request", type=_file)
@click.option("--key", type=_file, required=True, help="The holder's key file.")
@click.option("--out", type=_new_file, help="The signed file.  [default: REQUEST.HOLDER.json]")
@click.option("--passphrase-file", type=_file, help="Read the passphrase from a file.")
@click.option(
    "--copy",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="A copy of the edition: compute the archive's root from its shards first.",
)
@json_option
def sign(
    request: Path,
    key: Path,
    out: Path | None,
    passphrase_file: Path | None,
    copy: Path | None,
    as_json: bool,
) -> None:
    """Sign the sealing, on a machine without network."""

    def compare(said: Request) -> None:
        if copy is not None:
            record = record_of(said.record)
            recompute(copy, record)
            say(f"The {record.count:,} entries in {copy} make this archive.")

    signing.sign_request(request, key, passphrase_file, out, as_json=as_json, look=compare)


@seal.command()
@click.argument("requests", type=_file, nargs=-1, required=True)
@dir_option
@json_option
def finish(requests: tuple[Path, ...], folder: Path, as_json: bool) -> None:
    """Put the sealed archive into force."""
    signing.finish_requests(open_newsroom(folder), requests, as_json=as_json)
