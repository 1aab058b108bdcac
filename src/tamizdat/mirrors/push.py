# SPDX-License-Identifier: AGPL-3.0-or-later
"""Bringing one mirror to the edition that is signed now.

What always holds:

- Nothing that readers ask for by a fixed name (a new root, ``timestamp.json``, ``current``) is
  written before all that it leads to is kept: cut off at any point, the mirror shows its last
  whole edition.
- What is no longer needed is removed two editions later, never before.
- Only what the mirror does not have travels. What it has we know; where its timestamp is not the
  one that we put there, it is asked for its list.

What is not done here: when to push, waiting, remembering failures (``work``, ``rounds``).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from tamizdat.edition.signed import layout
from tamizdat.mirrors.errors import AheadError, SourceError, StoppedError, SupersededError
from tamizdat.mirrors.manifest import Manifest
from tamizdat.mirrors.plain import lay_out
from tamizdat.mirrors.plan import plan, removable
from tamizdat.mirrors.ports import FOLDERS, Held, Outgoing, Target
from tamizdat.mirrors.source import Head, Source, digest

Progress = Callable[[int, int], None]
BATCH_FILES = 256
BATCH_BYTES = 8 << 20
_ATTEMPTS = 20  # editions that may be published while one is being pushed


class Report(NamedTuple):
    """What a push did: the edition that the mirror has now, files and bytes sent, files removed,
    seconds. ``digest`` tells the signed edition from all others."""

    edition: int
    digest: str
    files: int
    length: int
    removed: int
    seconds: float


class Push:
    """One push to one mirror. ``progress`` is told (files sent, files to send)."""

    def __init__(
        self,
        target: Target,
        manifest: Manifest,
        source: Source,
        *,
        tree: bool = False,
        progress: Progress = lambda done, of: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._target = target
        self._manifest = manifest
        self._source = source
        self._tree = tree
        self._progress = progress
        self._stopped = stopped
        self._files = self._length = self._removed = 0

    def run(self, *, anew: bool = False) -> Report:
        """Push. ``anew`` believes nothing that we noted of the mirror, nor its marker. Raises
        ``MirrorError``."""
        began = time.monotonic()
        self._agree(self._source.head(), anew=anew)
        head = self._bring()
        if self._tree:
            lay_out(self._target, self._manifest, self._source.folder, self._sent)
        self._clean()
        return Report(
            head.edition,
            head.digest,
            self._files,
            self._length,
            self._removed,
            time.monotonic() - began,
        )

    def _bring(self) -> Head:
        """The newest edition, where one is replaced while it travels."""
        for _ in range(_ATTEMPTS):
            head = self._source.head()
            try:
                self._edition(head)
            except SupersededError as error:
                self._manifest.set_meta("base", "")  # The next plan looks at everything.
                if self._source.head().digest == head.digest:
                    raise SourceError(
                        f"our own edition is not whole ({error}): build it anew (tamizdat publish "
                        "--all) or restore it from a backup"
                    ) from error
            else:
                return head
        raise SupersededError("editions follow each other faster than they can be pushed")

    def _edition(self, head: Head) -> None:
        manifest = self._manifest
        plan(manifest, self._source, head)
        self._send()
        stamp = digest(head.timestamp)
        if manifest.meta("stamp") != stamp or manifest.meta("current") != digest(head.current):
            manifest.set_meta("writing", stamp)
            self._put([_small(layout.TIMESTAMP, head.timestamp)])
            manifest.set_meta("stamp", stamp)
            self._put([_small(layout.CURRENT, head.current)])
            manifest.set_meta("current", digest(head.current))
        if manifest.meta("edition") != str(head.edition):
            with manifest.transaction():
                manifest.set_meta("generation", str(manifest.generation + 1))
                manifest.set_meta("edition", str(head.edition))

    def _agree(self, head: Head, *, anew: bool) -> None:
        """Make sure that the mirror is as we left it; where it is not, learn what it has."""
        manifest, target = self._manifest, self._target
        fresh = anew or not manifest.meta("known")
        if fresh:
            target.prepare()
        there = target.read(layout.TIMESTAMP, layout.TIMESTAMP_LIMIT) or b""
        if not anew and _version(there) > head.version:
            raise AheadError(
                f"the mirror has a newer timestamp ({_version(there):,}) than this newsroom "
                f"({head.version:,}): was the newsroom restored from a backup, or does another "
                "one push here? To put ours there all the same: tamizdat mirror push --anew"
            )
        stamp = digest(there) if there else ""
        if fresh or stamp not in (manifest.meta("stamp"), manifest.meta("writing")):
            manifest.rebuild(target.names(FOLDERS))
            for key in ("stamp", "current", "writing"):
                manifest.set_meta(key, "")
            manifest.set_meta("known", "yes")
        elif stamp != manifest.meta("stamp"):
            manifest.set_meta("stamp", stamp)  # A push was killed between writing and noting.
            manifest.set_meta("current", "")

    def _send(self) -> None:
        files, _ = self._manifest.count_to_send()
        total = self._files + files
        while batch := _cut(self._manifest.to_send(BATCH_FILES)):
            self._put([self._source.outgoing(held.name) for held in batch])
            self._manifest.arrived(held.name for held in batch)
            self._progress(self._files, total)

    def _put(self, files: list[Outgoing]) -> None:
        if self._stopped():
            raise StoppedError("stopped; the rest is pushed next time")
        try:
            self._target.put(files)
        except FileNotFoundError as error:
            raise SupersededError(f"{error.filename or error} was replaced meanwhile") from error
        self._sent(files)

    def _sent(self, files: list[Outgoing]) -> None:
        self._files += len(files)
        self._length += sum(file.length for file in files)

    def _clean(self) -> None:
        for names in removable(self._manifest, self._source):
            if self._stopped():
                return
            self._target.remove(names)
            self._manifest.removed(names)
            self._removed += len(names)


def _cut(files: list[Held]) -> list[Held]:
    """As many of them, at least one, as make a batch."""
    length = 0
    for place, file in enumerate(files):
        length += file.length
        if place and length > BATCH_BYTES:
            return files[:place]
    return files


def _small(name: str, data: bytes) -> Outgoing:
    return Outgoing(name, data, len(data))


class _Stamp(msgspec.Struct):
    version: int


class _Timestamp(msgspec.Struct):
    signed: _Stamp


def _version(timestamp: bytes) -> int:
    """The version that a timestamp on a mirror claims; 0 where it is none."""
    try:
        return msgspec.json.decode(timestamp, type=_Timestamp).signed.version
    except (msgspec.DecodeError, RecursionError):
        return 0
