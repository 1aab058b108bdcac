# SPDX-License-Identifier: AGPL-3.0-or-later
"""``tamizdat edition reader``: the paper's reader as one file, to be passed on."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tamizdat.cli.common import dir_option, open_newsroom, say


@click.command()
@click.argument(
    "edition", type=click.Path(path_type=Path, file_okay=False, exists=True), required=False
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    default=Path("-"),
    help="The file to write.  [default: standard output]",
)
@dir_option
def reader(edition: Path | None, out: Path, folder: Path) -> None:
    """Write the reader as one HTML file.

    It opens from a disk, a stick or an attachment, fetches the paper from any mirror or from a
    bundle that is dropped on it, and shows what it could verify. EDITION is a signed edition's
    folder, else the newsroom's. Write it anew when the keys or the mirrors change.
    """
    from tamizdat.edition.signed.errors import KeyFileError
    from tamizdat.edition.signed.programs import single_file

    made = single_file(edition or open_newsroom(folder).edition)
    if made is None:
        raise KeyFileError("this paper is not signed yet: make its keys first (tamizdat keys init)")
    if str(out) == "-":
        sys.stdout.buffer.write(made)
        return
    out.write_bytes(made)
    say(f"{out} is written: {len(made) / 1000:.0f} kB.")
