# SPDX-License-Identifier: AGPL-3.0-or-later
"""``tamizdat mirror``: where the paper's copies are, and pulling one. Imports no Django."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from tamizdat.cli.common import dir_option, json_option, open_newsroom, print_json, say
from tamizdat.cli.desk_audit import note
from tamizdat.config import ConfigError, MirrorSettings, Newsroom

if TYPE_CHECKING:
    from tamizdat.mirrors.errors import MirrorError
    from tamizdat.mirrors.push import Report
    from tamizdat.mirrors.words import When
    from tamizdat.mirrors.work import Work

_PATIENCE = 600.0  # seconds that a push by hand waits for the worker's


@click.group()
def mirror() -> None:
    """Push the paper to its mirrors, see how they stand, pull a copy."""


@mirror.command()
@click.argument("name")
@click.argument("target")
@click.option(
    "--kind",
    type=click.Choice(["folder", "s3", "rsync"]),
    help="How it gets there.  [default: from the look of TARGET]",
)
@click.option("--url", default="", help="Where readers find it; without, they are not told of it.")
@click.option("--cohort", default="", help="Which readers are told of it.  [default: all]")
@click.option("--credentials", default="", help="A file in secrets/.  [default: mirror-NAME]")
@click.option("--endpoint", default="", help="For s3: the service's address.  [default: Amazon's]")
@click.option("--region", default="auto", show_default=True, help="For s3: the bucket's region.")
@click.option("--port", type=click.IntRange(1, 65535), default=22, show_default=True)
@click.option("--host-key", default="", help="For rsync: the machine's key (ssh-keyscan).")
@click.option("--tree", is_flag=True, help="For folder and rsync: push the plain files too.")
@dir_option
@json_option
def add(folder: Path, as_json: bool, kind: str | None, **said: Any) -> None:
    """Tell the newsroom of a mirror to push to.

    TARGET is a folder's whole path, s3://bucket/prefix, or user@host:folder. It is written into
    tamizdat.toml; a running worker notices. Nothing is pushed by this command.
    """
    from tamizdat.cli.mirror_tables import add_table

    newsroom = open_newsroom(folder)
    said["kind"] = kind or _kind_of(said["target"])
    said["url"] = f"{said['url'].rstrip('/')}/" if said["url"] else ""
    added = MirrorSettings(**said)
    add_table(newsroom, added)
    note(newsroom, "tamizdat.mirror", added=added.name, kind=added.kind)
    if as_json:
        print_json({"ok": True, "mirror": added})
    else:
        click.echo(f"The mirror “{added.name}” stands in {newsroom.settings_file}.")
        click.echo(f"Next: tamizdat mirror push {added.name}")


@mirror.command()
@click.argument("name")
@dir_option
@json_option
def remove(name: str, folder: Path, as_json: bool) -> None:
    """Push to a mirror no longer, and tell readers of it no longer.

    What lies there stays; remove it by hand if it should go.
    """
    from tamizdat.cli.mirror_tables import remove_table
    from tamizdat.mirrors.work import Work

    newsroom = open_newsroom(folder)
    remove_table(newsroom, name)
    Work(newsroom).forget(name)
    note(newsroom, "tamizdat.mirror", removed=name)
    if as_json:
        print_json({"ok": True, "removed": name})
    else:
        click.echo(f"“{name}” is no mirror of this newsroom any more. What lies there stays.")


@mirror.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--anew", is_flag=True, help="Ask the mirror what it has; put ours there in any case."
)
@dir_option
@json_option
def push(names: tuple[str, ...], anew: bool, folder: Path, as_json: bool) -> None:
    """Bring mirrors to the newest signed edition now.

    All of them, or those that are named. The worker does so by itself after each edition; this
    waits for no pause after a failure.
    """
    from tamizdat.mirrors.errors import MirrorError
    from tamizdat.mirrors.work import Work, pushed

    newsroom = open_newsroom(folder)
    mirrors = _named(pushed(newsroom), names, newsroom)
    work = Work(newsroom)

    def one(found: MirrorSettings) -> Report | MirrorError:
        try:
            return work.push(found, anew=anew, patience=_PATIENCE)
        except MirrorError as error:
            return error

    with ThreadPoolExecutor(max(len(mirrors), 1)) as pool:
        outcomes = list(zip(mirrors, pool.map(one, mirrors), strict=True))
    failed = [found.name for found, outcome in outcomes if isinstance(outcome, MirrorError)]
    if as_json:
        told = {found.name: _told(outcome) for found, outcome in outcomes}
        print_json({"ok": not failed, "mirrors": told})
    else:
        for found, outcome in outcomes:
            click.echo(f"{found.name}: {_sentence(outcome)}")
    if failed:
        raise SystemExit(1)


@mirror.command()
@click.option(
    "--noted", is_flag=True, help="Ask nobody: say what was seen last, and by the worker."
)
@dir_option
@json_option
def status(folder: Path, noted: bool, as_json: bool) -> None:
    """Say how each mirror stands: which edition is live there, and what is wrong.

    The public address of each is read too, as a reader would: whether it answers, with which
    edition, unaltered, with the headers that browsers need, and for how long caches keep it.
    """
    from tamizdat.mirrors import words
    from tamizdat.mirrors.work import Work, pushed

    newsroom = open_newsroom(folder)
    work = Work(newsroom)
    mirrors = pushed(newsroom)
    edition = _edition(work)
    looks = work.look() if edition and not noted else work.state.looks()
    standings = work.state.all(found.name for found in mirrors)
    if as_json:
        print_json({"ok": True, "edition": edition, "mirrors": standings, "readers": looks})
        return
    when = _when(newsroom)
    click.echo(words.summary(standings, edition, when) or "No mirror is pushed to.")
    for found, standing in zip(mirrors, standings, strict=True):
        click.echo(f"  {found.name} ({found.kind}): {words.detail(standing, edition, when)}")
        if standing.look and (standing.error or not standing.look.error):
            click.echo(f"    {words.for_readers(standing.look, when)}")
    for found in newsroom.settings.mirrors:
        if found.kind == "pulled":
            look = looks.get(found.name or found.url)
            said = words.for_readers(look, when) if look else "Nobody looked yet."
            click.echo(f"  {found.name or found.url} (pulled by its owner): {said}")


@mirror.command()
@click.argument("url")
@click.argument("copy", type=click.Path(path_type=Path, file_okay=False), metavar="DIR")
@click.option(
    "--root",
    "root_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="The newsroom's root: what “tamizdat keys export” writes. Needed the first time.",
)
@json_option
def pull(url: str, copy: Path, root_file: Path | None, as_json: bool) -> None:
    """Keep a copy of somebody's paper in DIR, proven before it is shown.

    For volunteers, from cron; no newsroom is needed. URL is a mirror, or a folder. Run again, it
    fetches what is new, or goes on where it was cut off. It never goes back to an older edition.
    """
    from tamizdat.cli.progress import Progress
    from tamizdat.edition.signed.fetch import open_copy
    from tamizdat.mirrors import pull as pulling

    if pulling.is_foreign(copy):
        raise ConfigError(f"{copy} holds other files and no copy: name an empty or a new folder")
    source = open_copy(url)
    root = pulling.read_root(root_file) if root_file else None
    if root is None and pulling.known_root(copy) is None:
        raise ConfigError(
            "a new copy must know whose paper it is: ask the newsroom for its root (what “tamizdat "
            "keys export” writes) and give it with --root FILE, the first time"
        )
    with Progress("Files") as progress:
        report = pulling.pull(source, copy, root, progress=progress)
    if report.stale:
        say("Its signatures are past their time: the newsroom has not signed for long.")
    if as_json:
        print_json({"ok": True, "folder": str(copy), **report._asdict()})
    elif report.new:
        click.echo(
            f"Edition {report.edition}, as of {report.as_of}, is in {copy}: "
            f"{report.files:,} files, {report.length:,} bytes in {report.seconds:.1f} s."
        )
    else:
        click.echo(f"Nothing new since edition {report.edition}, as of {report.as_of}.")


def _kind_of(target: str) -> str:
    if target.startswith("s3://"):
        return "s3"
    return "rsync" if ":" in target and not target.startswith(("/", "~")) else "folder"


def _named(
    mirrors: list[MirrorSettings], names: tuple[str, ...], newsroom: Newsroom
) -> list[MirrorSettings]:
    unknown = set(names) - {found.name for found in mirrors}
    if unknown:
        raise ConfigError(
            f"{newsroom.settings_file} names no mirror “{min(unknown)}” that is pushed to"
        )
    return [found for found in mirrors if not names or found.name in names]


def _told(outcome: Report | MirrorError) -> dict[str, object]:
    if isinstance(outcome, Exception):
        return {"ok": False, "error": str(outcome), "permanent": outcome.permanent}
    return {"ok": True, **outcome._asdict()}


def _sentence(outcome: Report | MirrorError) -> str:
    if isinstance(outcome, Exception):
        return str(outcome)
    if not outcome.files and not outcome.removed:
        return f"edition {outcome.edition} is there already"
    return (
        f"edition {outcome.edition} is live; {outcome.files:,} files, {outcome.length:,} bytes in "
        f"{outcome.seconds:.1f} s" + (f", {outcome.removed:,} removed" if outcome.removed else "")
    )


def _edition(work: Work) -> int:
    from tamizdat.mirrors.errors import UnsignedError

    try:
        return work.source.head().edition
    except UnsignedError:
        return 0


def _when(newsroom: Newsroom) -> When:
    zone = ZoneInfo(newsroom.settings.timezone)
    today = datetime.now(zone).date()

    def when(seconds: float) -> str:
        found = datetime.fromtimestamp(seconds, zone)
        return f"{found:%H:%M}" if found.date() == today else f"{found:%-d %B, %H:%M}"

    return when
