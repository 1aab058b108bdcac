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
@click.option(
    "--entry",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Instead: write the worker into the folder of an entry that serves plain files.",
)
@click.option("--cohort", default="", help="Whose mirrors it is told of, besides those for all.")
@dir_option
def reader(edition: Path | None, out: Path, entry: Path | None, cohort: str, folder: Path) -> None:
    """Write the reader as one HTML file.

    It opens from a disk, a stick or an attachment, fetches the paper from any mirror or from a
    bundle that is dropped on it, and shows what it could verify. EDITION is a signed edition's
    folder, else the newsroom's. Write it anew when the keys or the mirrors change.
    """
    from tamizdat.cli.signing import cohort_of
    from tamizdat.edition.signed import programs
    from tamizdat.edition.signed.errors import KeyFileError

    newsroom = open_newsroom(folder) if cohort or edition is None else None
    paper = edition or open_newsroom(folder).edition
    told = cohort_of(newsroom, cohort) if newsroom else None
    made = programs.worker(paper, told) if entry else programs.single_file(paper, told)
    if made is None:
        raise KeyFileError("this paper is not signed yet: make its keys first (tamizdat keys init)")
    if entry:
        _put(entry / programs.FALLBACK, programs.program(programs.FALLBACK))
        _put(entry / programs.WORKER, made)
        say(f"{entry} has the reader's worker now: serve it at the top of the entry's address.")
    elif str(out) == "-":
        sys.stdout.buffer.write(made)
    else:
        out.write_bytes(made)
        say(f"{out} is written: {len(made) / 1000:.0f} kB.")


def _put(file: Path, data: bytes) -> None:
    """Replace a file: what shares its bytes with another name must not change under that."""
    aside = file.with_name(f"{file.name}.new")
    aside.write_bytes(data)
    aside.replace(file)
