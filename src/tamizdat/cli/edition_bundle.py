# SPDX-License-Identifier: AGPL-3.0-or-later
"""``tamizdat edition bundle``: the latest stories as files to be passed on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tamizdat.cli.common import dir_option, json_option, open_newsroom, print_json

if TYPE_CHECKING:
    from tamizdat.edition.bundle import Printed

_UNITS = {"": 1, "kB": 1_000, "MB": 1_000_000}


class _Size(click.ParamType[int]):
    name = "size"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"([0-9]{1,6})(kB|MB|)", str(value), re.IGNORECASE)
        if found is None or not int(found[1]):
            self.fail("a size is like 500kB or 5MB", param, ctx)
        unit = {u.lower(): u for u in _UNITS}[found[2].lower()]
        return int(found[1]) * _UNITS[unit]


@click.command()
@click.option(
    "--days", type=click.IntRange(1, 366), default=7, show_default=True, help="Stories of how many."
)
@click.option(
    "--language", "languages", multiple=True, help="Only this one; again for more.  [default: all]"
)
@click.option(
    "--form",
    "forms",
    type=click.Choice(["zip", "epub", "html"]),
    multiple=True,
    help="Only this one; again for more.  [default: all three]",
)
@click.option(
    "--max",
    "most",
    type=_Size(),
    default="20MB",
    show_default=True,
    help="No file larger than this: pictures are left out first, then the oldest stories.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    show_default="the present folder",
    help="Where the files are written.",
)
@dir_option
@json_option
def bundle(
    days: int,
    languages: tuple[str, ...],
    forms: tuple[str, ...],
    most: int,
    out: Path,
    folder: Path,
    as_json: bool,
) -> None:
    """Write the latest stories as files to be passed on: ZIP, EPUB and one HTML.

    By mail, on a stick, from phone to phone. Each carries its proof: "edition verify FILE" and
    the single-file reader check it without a network.
    """
    from tamizdat.edition.bundle import Limits, print_bundles
    from tamizdat.edition.bundle.gather import FORMS
    from tamizdat.edition.bundle.press import now

    newsroom = open_newsroom(folder)
    limits = Limits(days, languages, most)
    wanted = [form for form in FORMS if not forms or form in forms]
    printed = print_bundles(newsroom.edition, limits, now, wanted)
    out.mkdir(parents=True, exist_ok=True)
    told = []
    for one in printed:
        path = out / _name(newsroom.settings.name, languages, one)
        path.write_bytes(one.data)
        told.append({"file": str(path), "bytes": len(one.data), **_told(one)})
        if not as_json:
            click.echo(_sentence(path, one))
    if as_json:
        print_json({"ok": True, "bundles": told})


def _name(paper: str, languages: tuple[str, ...], printed: Printed) -> str:
    from tamizdat.edition.paths import slugify

    parts = [slugify(paper) or "paper", f"{printed.as_of:%Y-%m-%d}", *languages]
    return f"{'-'.join(parts)}.{printed.form}"


def _told(one: Printed) -> dict[str, object]:
    return {
        "form": one.form,
        "stories": one.stories,
        "pictures": one.pictures,
        "pictures_left_out": one.pictures_left_out,
        "stories_left_out": one.left_out,
    }


def _sentence(path: Path, one: Printed) -> str:
    words = f"{path}: {len(one.data) / 1000:,.0f} kB, {one.stories} stories"
    if one.pictures:
        words += f", {one.pictures} pictures"
    if one.pictures_left_out:
        words += "; to keep it small, the pictures are left out"
        words += f", and the {one.left_out} oldest stories" if one.left_out else ""
    return words
