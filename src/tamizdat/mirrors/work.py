# SPDX-License-Identifier: AGPL-3.0-or-later
"""One mirror's turn: lock it, push, note how it went.

What always holds: at most one process pushes to a mirror at a time (a lock that the system frees
when its holder dies); whatever happens, ``State`` says so.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tamizdat.config import MirrorSettings, Newsroom
from tamizdat.edition.signed import layout
from tamizdat.mirrors import kinds, manifest
from tamizdat.mirrors.errors import (
    BusyError,
    MirrorError,
    StoppedError,
    UnreachableError,
    UnsignedError,
)
from tamizdat.mirrors.manifest import Manifest
from tamizdat.mirrors.ports import Target
from tamizdat.mirrors.push import Progress, Push, Report
from tamizdat.mirrors.source import Source
from tamizdat.mirrors.state import Look, State

OpenTarget = Callable[[MirrorSettings, Path, Path], Target]


def _silent(done: int, of: int) -> None:
    """Nobody asked."""


def pushed(newsroom: Newsroom) -> list[MirrorSettings]:
    """The mirrors that we push to."""
    return [mirror for mirror in newsroom.settings.mirrors if mirror.kind != "pulled"]


class Work:
    """Pushing for one newsroom. ``clock`` gives seconds since 1970."""

    def __init__(
        self,
        newsroom: Newsroom,
        *,
        clock: Callable[[], float] = time.time,
        open_target: OpenTarget = kinds.open_target,
    ) -> None:
        self.folder = newsroom.run / "mirrors"
        self.state = State(self.folder)
        self.source = Source(newsroom.edition)
        self._secrets = newsroom.secrets
        self._mirrors = newsroom.settings.mirrors
        self._clock = clock
        self._open_target = open_target
        self._draw = random.Random()  # noqa: S311 - spreads attempts, guards nothing

    def push(
        self,
        mirror: MirrorSettings,
        *,
        anew: bool = False,
        patience: float = 0.0,
        progress: Progress = _silent,
        stopped: Callable[[], bool] = lambda: False,
    ) -> Report:
        """Bring a mirror to the newest edition, waiting ``patience`` seconds for another process
        that does. Raises ``MirrorError``, which is noted but where it is none of the mirror's."""
        with self._locked(mirror.name, patience):
            try:
                report = self._push(mirror, anew, progress, stopped)
            except (StoppedError, UnsignedError):
                raise
            except MirrorError as error:
                self.state.went_wrong(mirror.name, error, self._clock(), self._draw)
                raise
            self.state.went_well(mirror.name, report, self._clock())
            return report

    def look(self) -> dict[str, Look]:
        """See what readers get from every mirror that they are told of, and note it; waits for no
        push, and no push for it. Raises ``MirrorError``, none of a mirror."""
        from tamizdat.mirrors import public  # A web client, which the desk has no use for.

        ours, root = self.source.head().edition, self.source.read(layout.metadata_name("root", 1))
        found = public.look_at_all(
            public.announced(self._mirrors),
            self.state.looks(),
            lambda url, before: public.look(url, root, ours, self._clock(), before),
        )
        self.state.looked(found)
        return found

    def forget(self, name: str) -> None:
        """Forget all that we noted of a mirror; its files stay where they are."""
        with self._locked(name, 10.0):
            self.state.forget(name)
            manifest.forget(self._manifest(name))
        (self.folder / f"{name}.lock").unlink(missing_ok=True)

    def _push(
        self,
        mirror: MirrorSettings,
        anew: bool,
        progress: Progress,
        stopped: Callable[[], bool],
    ) -> Report:
        sending = self.folder / f"{mirror.name}.sending"
        shutil.rmtree(sending, ignore_errors=True)  # What a killed push left.
        try:
            with (
                contextlib.closing(Manifest(self._manifest(mirror.name))) as noted,
                contextlib.closing(self._open_target(mirror, self._secrets, sending)) as target,
            ):
                push = Push(
                    target, noted, self.source, tree=mirror.tree, progress=progress, stopped=stopped
                )
                return push.run(anew=anew)
        except (OSError, sqlite3.Error) as error:
            raise UnreachableError(f"this machine's own disk gives trouble: {error}") from error
        finally:
            shutil.rmtree(sending, ignore_errors=True)

    def _manifest(self, name: str) -> Path:
        return self.folder / f"{name}.sqlite3"

    @contextlib.contextmanager
    def _locked(self, name: str, patience: float) -> Iterator[None]:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.folder / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(descriptor, name, patience)
            yield
        finally:
            os.close(descriptor)


def _lock(descriptor: int, name: str, patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise BusyError(f"another process pushes to “{name}” now") from None
            time.sleep(0.1)
