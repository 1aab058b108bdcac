# SPDX-License-Identifier: AGPL-3.0-or-later
"""A folder on another machine as a mirror, by rsync over SSH.

What always holds: the other machine is known by the key in the settings and by no other; its
account needs nothing but rsync (``rrsync``, docs/operating/mirrors.md). rsync itself writes each
file aside and renames it. What is sent lies in a folder of links while it is: the builder may
remove the files meanwhile. Calls share one connection for a minute.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from tamizdat.config import MirrorSettings
from tamizdat.mirrors.errors import (
    FullError,
    GoneError,
    MirrorError,
    MisconfiguredError,
    RefusedError,
    UnreachableError,
)
from tamizdat.mirrors.ports import Held, Outgoing

SILENCE = 30  # seconds without a byte, then the connection is given up
LONGEST = 6 * 3600  # seconds of one call
_VANISHED = 24  # rsync's word for what it was told to delete
_STAYING = ("objects/", "metadata/", "targets/")
_PLACE = re.compile(r"(?P<host>(?:[\w.-]+@)?[\w.-]+):(?P<folder>[^\s:]*)")
_LISTED = re.compile(r"-\S+\s+([\d,.]+)\s+\S+\s+\S+\s+(.+)")


def open_target(mirror: MirrorSettings, secrets: Path, work: Path) -> RsyncTarget:
    """The target of a mirror of this kind. ``work`` is a folder beside the edition, on its disk
    where possible: files are linked into it. Raises ``MisconfiguredError``."""
    found = _PLACE.fullmatch(mirror.target)
    if found is None or found["host"].startswith("-"):
        raise MisconfiguredError(
            f"the mirror “{mirror.name}” has the target “{mirror.target}”: write user@host:folder"
        )
    if not shutil.which("rsync") or not shutil.which("ssh"):
        raise MisconfiguredError("this machine has no rsync or no ssh: apt install rsync "
                                 "openssh-client")  # fmt: skip
    if not mirror.host_key:
        raise MisconfiguredError(
            f"the mirror “{mirror.name}” names no host_key. Ask its owner for it and compare: "
            f"ssh-keyscan -t ed25519 -p {mirror.port} {found['host'].rpartition('@')[2]}"
        )
    key = secrets / (mirror.credentials or f"mirror-{mirror.name}")
    if not key.exists():
        raise MisconfiguredError(
            f"there is no key for “{mirror.name}”. Make one and send its .pub to the mirror's "
            f"owner: ssh-keygen -t ed25519 -N '' -f {shlex.quote(str(key))}"
        )
    return RsyncTarget(found["host"], found["folder"] or ".", mirror, key, work)


class RsyncTarget:
    """Files below ``folder`` at ``host`` (with its user)."""

    def __init__(
        self, host: str, folder: str, mirror: MirrorSettings, key: Path, work: Path
    ) -> None:
        self._place = f"{host}:{folder.rstrip('/') or '/'}/"
        self._name = f"{host} (mirror “{mirror.name}”)"
        work.mkdir(parents=True, exist_ok=True)
        # Connections are named by a socket, whose whole name may have 108 bytes.
        self._private = tempfile.TemporaryDirectory(prefix="tz-")
        self._work = work
        known = Path(self._private.name, "known")
        name = host.rpartition("@")[2]
        alias = name if mirror.port == 22 else f"[{name}]:{mirror.port}"
        known.write_text(f"{alias} {mirror.host_key}\n")
        self._ssh = shlex.join(_ssh(mirror.port, key, known, Path(self._private.name, "c")))
        self._host = host

    def prepare(self) -> None:
        """Make the folder; where the account may run nothing but rsync, rsync makes it."""
        with tempfile.TemporaryDirectory(dir=self._work) as empty:
            self._run(["--dirs", f"{empty}/", self._place])

    def put(self, files: Sequence[Outgoing]) -> None:
        with tempfile.TemporaryDirectory(dir=self._work, prefix="sending-") as stage:
            for file in files:
                _stage(file, Path(stage, file.name))
            names = "\n".join(file.name for file in files)
            # By their sums: rsync takes two files for one where length and second are the same,
            # as those of two editions within a second are.
            options = ["--checksum", "--times", "--chmod=D755,F644", "--perms", "--files-from=-"]
            self._run([*options, f"{stage}/", self._place], names)

    def remove(self, names: Sequence[str]) -> None:
        options = ["--dirs", "--no-implied-dirs", "--delete-missing-args", "--files-from=-"]
        with tempfile.TemporaryDirectory(dir=self._work) as empty:
            # A folder goes as a missing file does, if it is empty.
            for part in (names, *_folders(names)):
                arguments = [*options, f"{empty}/", self._place]
                self._run(arguments, "\n".join(part), allowed=(0, _VANISHED))

    def read(self, name: str, limit: int) -> bytes | None:
        with tempfile.TemporaryDirectory(dir=self._work) as place:
            options = [f"--max-size={limit}", "--ignore-missing-args", "--files-from=-"]
            self._run([*options, self._place, f"{place}/"], name)
            file = Path(place, name)
            return file.read_bytes() if file.exists() else None

    def names(self, folders: Iterable[str]) -> Iterator[Held]:
        options = ["--recursive", "--list-only", "--ignore-missing-args", "--files-from=-"]
        said = self._run([*options, self._place, f"{self._work}/"], "\n".join(folders))
        for line in said.splitlines():
            if found := _LISTED.fullmatch(line):
                yield Held(found[2], int(re.sub(r"[,.]", "", found[1])))

    def close(self) -> None:
        stop = [*shlex.split(self._ssh), "-O", "exit", self._host]
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(stop, capture_output=True, timeout=5, check=False)
        self._private.cleanup()

    def _run(
        self, arguments: list[str], names: str = "", *, allowed: tuple[int, ...] = (0,)
    ) -> str:
        command = ["rsync", f"--timeout={SILENCE}", "-e", self._ssh, *arguments]
        try:
            done = subprocess.run(
                command, input=names, capture_output=True, text=True, errors="replace",
                timeout=LONGEST, check=False, env={**os.environ, "LC_ALL": "C"},
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise UnreachableError(f"{self._name} takes too long") from error
        if done.returncode not in allowed:
            raise self._error(done.returncode, done.stderr)
        return done.stdout

    def _error(self, code: int, said: str) -> MirrorError:
        line = _telling_line(said)
        if "Host key verification failed" in said or "IDENTIFICATION HAS CHANGED" in said:
            return RefusedError(
                f"{self._name} shows another key than the settings' host_key: it was set up anew, "
                "or somebody stands between. Ask its owner before you change host_key"
            )
        if "Permission denied (" in said and not re.search(r"Permission denied \(\d+\)", said):
            return RefusedError(
                f"{self._name} refuses our key: its owner must have the .pub in authorized_keys"
            )
        if "No space left" in said or "Disk quota exceeded" in said:
            return FullError(f"{self._name} is full ({line}): ask its owner to free some disk")
        if "Permission denied" in said or "Read-only file system" in said:
            return RefusedError(f"{self._name} lets us not write ({line}): ask its owner")
        if "rsync: command not found" in said or code == 127:
            return GoneError(f"{self._name} has no rsync: ask its owner to install it")
        if code in (3, 11, 23) and ("mkdir" in said or "change_dir" in said):
            return GoneError(f"{self._name}: the folder is not there ({line})")
        return UnreachableError(f"{self._name}: {line or f'rsync ended with {code}'}")


def _ssh(port: int, key: Path, known: Path, control: Path) -> list[str]:
    options = {
        "BatchMode": "yes",
        "ConnectTimeout": "10",
        "ServerAliveInterval": "10",
        "ServerAliveCountMax": "3",
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": str(known),
        "GlobalKnownHostsFile": "/dev/null",
        "UpdateHostKeys": "no",
        "IdentitiesOnly": "yes",
        "ControlMaster": "auto",
        "ControlPath": str(control),
        "ControlPersist": "60",
        "LogLevel": "ERROR",
    }
    parts = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
    return ["ssh", "-F", "none", "-p", str(port), "-i", str(key), *parts]


def _stage(file: Outgoing, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(file.source, bytes):
        place.write_bytes(file.source)
        return
    try:
        os.link(file.source, place)
    except OSError as error:
        if error.errno not in (errno.EMLINK, errno.EPERM, errno.EXDEV, errno.ENOTSUP):
            raise
        shutil.copy2(file.source, place)


def _folders(names: Sequence[str]) -> Iterator[list[str]]:
    """The folders of these files that may be empty now, the inner ones first. Those of objects,
    metadata and targets stay."""
    inner = {str(PurePosixPath(n).parent) for n in names if not n.startswith(_STAYING)}
    while inner := {folder for folder in inner if "/" in folder}:
        yield sorted(inner)
        inner = {str(PurePosixPath(folder).parent) for folder in inner}


def _telling_line(said: str) -> str:
    """The line of standard error that says what happened, not where rsync's source noticed."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(("rsync error:", "rsync: connection"))]
    return (telling or lines or [""])[0][:300]
