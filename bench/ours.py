# SPDX-License-Identifier: AGPL-3.0-or-later
"""Our part of the comparisons, each a command of its own: build a paper, publish into it.

What always holds: only the core (``tamizdat.edition``) works here, on an archive written by
``archive``: the stories lie in an SQLite file as the desk keeps them, the photos in a folder.
"""

from __future__ import annotations

import argparse
import itertools
import json
import resource
import sqlite3
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from bench import archive, measure
from bench.archive import Archive
from tamizdat.edition import Edition
from tamizdat.edition.signed import ceremony, keys
from tamizdat.edition.signed.signer import Signer
from tamizdat.edition.site import Site
from tamizdat.edition.story import AltId, Story, Text, encode

OPERATIONS = ("publish", "correct", "withdraw")


class ArchiveSource:
    """The stories of a written archive (``StorySource``)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def count(self) -> int:
        with sqlite3.connect(self._folder / "stories.sqlite3") as database:
            found: int = database.execute("SELECT max(number) + 1 FROM stories").fetchone()[0]
        database.close()
        return found

    def raw_stories(self) -> Iterator[bytes]:
        return archive.read(self._folder)


class ArchiveMedia:
    """The photos of a written archive (``MediaSource``)."""

    def __init__(self, folder: Path) -> None:
        self._files = {file.stem: file for file in (folder / "media").rglob("*.*")}

    def file(self, sha256: str) -> Path | None:
        return self._files.get(sha256)


def open_edition(options: argparse.Namespace) -> Edition:
    return Edition(
        options.edition,
        media=ArchiveMedia(options.archive),
        brotli=options.brotli,
        tree=options.tree,
        workers=options.workers,
        signer=open_signer(options.edition) if options.sign else None,
    )


def open_signer(folder: Path) -> Signer:
    """A signer with keys of its own, made at the first use."""
    secrets = folder.with_name(f"{folder.name}-secrets")
    signer = Signer(folder, secrets / "online-key")
    if not signer.ready:
        holders = {name: keys.generate() for name in ("anna", "ben", "cleo")}
        desk = ceremony.Desk("The Meridian", folder, secrets, signer)
        ceremony.found(desk, holders, b'{"format":1}', datetime.now(UTC))
    return signer


def site_of(folder: Path) -> Site:
    return msgspec.json.decode((folder / "site.json").read_bytes(), type=Site)


def build(options: argparse.Namespace) -> None:
    """Build the whole paper."""
    made = open_edition(options).build(ArchiveSource(options.archive), site_of(options.archive))
    print(made, file=sys.stderr)


def publish(options: argparse.Namespace) -> None:
    """Publish, correct and withdraw stories one at a time; print medians as one JSON object."""
    edition, site = open_edition(options), site_of(options.archive)
    stories = list(itertools.islice(new_stories(options), options.warm + options.count))
    print(
        json.dumps({name: _operation(name, edition, site, stories, options) for name in OPERATIONS})
    )


def new_stories(options: argparse.Namespace) -> Iterator[Story]:
    """Stories published after the whole archive, the same ones whatever its size."""
    whole, small = Archive(options.size), Archive(1000)
    latest = whole.base(options.size - 1).published
    for number in itertools.count(options.first):
        story = small.story(number % 400)
        when = latest + timedelta(minutes=number + 1)
        base = whole.base(options.size - 1)._replace(
            index=options.size, language=story.language or ""
        )
        related = [whole.base(other) for other in whole.related(base)]
        others = [item for item in story.associations if item.rel != "related"]
        more = [Story(uri=o.uri, rel="related", name=o.headline, type="text") for o in related]
        path = f"/{story.language}/{when:%Y/%m/%d}/new-{number}/"
        yield msgspec.structs.replace(
            story,
            uri=f"https://meridian.example/id/new-{number}",
            first_created=when.isoformat(),
            version_created=when.isoformat(),
            slugline=f"new-{number}",
            associations=[*others, *more],
            alt_ids=[AltId(role="path", value=path)],
        )


def corrected(story: Story) -> Story:
    note = Story(
        uri=f"{story.uri}/correction/9",
        rel="correction",
        name="correction-9",
        version_created=story.version_created,
        bodies=[Text(value="A number was wrong; it is 14.", content_type="text/plain")],
    )
    return msgspec.structs.replace(story, version="2", associations=[*story.associations, note])


def withdrawn(story: Story) -> Story:
    reason = Text(role="withdrawal", value="Nobody could confirm it.")
    return msgspec.structs.replace(
        story, version="3", pub_status="canceled", descriptions=[*story.descriptions, reason]
    )


def _operation(
    name: str, edition: Edition, site: Site, stories: list[Story], options: argparse.Namespace
) -> dict[str, float]:
    """Medians of CPU and wall seconds; files of the paper and on the disk, of the last one."""
    change = {"publish": lambda story: story, "correct": corrected, "withdraw": withdrawn}[name]
    cpu, wall, pages = [], [], 0
    before: set[tuple[str, int, int]] = set()
    for number, story in enumerate(stories):
        ready = encode(change(story))
        if number == len(stories) - 1:
            before = _files(options.edition)
        began, started = _cpu(), time.perf_counter()
        made = edition.publish([msgspec.json.decode(ready, type=Story)], site)
        wall.append(time.perf_counter() - started)
        cpu.append(_cpu() - began)
        pages = made.files
    changed = len(_files(options.edition) - before)
    warm = options.warm
    return {
        "cpu": measure.median(cpu[warm:]),
        "wall": measure.median(wall[warm:]),
        "pages": pages,
        "files": changed,
    }


def _cpu() -> float:
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def _files(folder: Path) -> set[tuple[str, int, int]]:
    """Every file as it is: name, inode, time of its last change."""
    found = set()
    for entry in measure.walk(folder):
        stat = entry.stat(follow_symlinks=False)
        found.add((entry.path, stat.st_ino, stat.st_mtime_ns))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["build", "publish"])
    parser.add_argument("archive", type=Path)
    parser.add_argument("edition", type=Path)
    parser.add_argument("--tree", action="store_true", help="keep the paper as plain files too")
    parser.add_argument("--brotli", action="store_true", help="compress every page")
    parser.add_argument("--sign", action="store_true", help="sign each edition")
    parser.add_argument("--workers", type=int, default=2, help="processes (default 2)")
    parser.add_argument("--size", type=int, default=0, help="stories of the archive")
    parser.add_argument("--first", type=int, default=0, help="number of the first new story")
    parser.add_argument("--count", type=int, default=15)
    parser.add_argument("--warm", type=int, default=3)
    options = parser.parse_args()
    {"build": build, "publish": publish}[options.what](options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
