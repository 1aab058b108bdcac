# SPDX-License-Identifier: AGPL-3.0-or-later
"""What ``tamizdat doctor`` looks at that needs no Django: folder, secrets, disk, clock, paper.

What always holds: looking changes nothing that outlasts it, and every finding that is not fine
says what to do.
"""

from __future__ import annotations

import os
import shutil
import socket
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from tamizdat.cli.keys_status import status_of
from tamizdat.config import ConfigError, Newsroom
from tamizdat.edition import Edition, StoreError

Level = Literal["fine", "warning", "problem"]
LOW_DISK = 0.05
LOW_BYTES = 1_000_000_000
SKEW = 300.0
# This program was not written before; a clock that says so is wrong.
BUILT = 1_763_000_000.0


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at. ``advice`` says what to do where it is not fine."""

    name: str
    level: Level
    what: str
    advice: str = ""


def fine(name: str, what: str) -> Finding:
    return Finding(name=name, level="fine", what=what)


def warning(name: str, what: str, advice: str) -> Finding:
    return Finding(name=name, level="warning", what=what, advice=advice)


def problem(name: str, what: str, advice: str) -> Finding:
    return Finding(name=name, level="problem", what=what, advice=advice)


def secrets(newsroom: Newsroom) -> Iterator[Finding]:
    """The desk's key is there, and nobody else here can read secrets or drafts."""
    try:
        newsroom.secret("desk-key")
    except ConfigError as error:
        yield problem(
            "secrets", str(error), "Restore it from a backup; sessions end if it is made anew."
        )
        return
    open_ones = [
        path
        for path in (newsroom.secrets, *newsroom.secrets.iterdir(), newsroom.database)
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    if open_ones:
        names = " ".join(str(path) for path in open_ones)
        yield problem(
            "secrets",
            "others on this machine can read secrets or drafts",
            f"Run: chmod go-rwx {names}",
        )
    else:
        yield fine("secrets", "present, and only yours to read")


def folders(newsroom: Newsroom) -> Iterator[Finding]:
    """Every folder that desk and worker write to can be written to."""
    for folder in (newsroom.folder, newsroom.media, newsroom.edition, newsroom.run):
        reason = _why_not_writable(folder)
        if reason:
            yield problem(
                "folders",
                f"{folder} cannot be written to ({reason})",
                f"Run: mkdir -p {folder} && chown -R $(whoami) {folder}, and see that the disk is "
                "not mounted read-only.",
            )
            return
    yield fine("folders", "all can be written to")


def _why_not_writable(folder: Path) -> str:
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x")
            file.flush()
    except OSError as error:
        return error.strerror or str(error)
    return ""


def disk(newsroom: Newsroom) -> Iterator[Finding]:
    """There is room for another build."""
    usage = shutil.disk_usage(newsroom.folder)
    free = f"{usage.free / 1e9:.1f} GB free"
    if usage.free < LOW_BYTES or usage.free < usage.total * LOW_DISK:
        advice = "Make room: a full build needs about as much as the paper has now."
        level = problem if usage.free < LOW_BYTES / 4 else warning
        yield level("disk", f"nearly full: {free}", advice)
    else:
        yield fine("disk", free)


def clock(newsroom: Newsroom) -> Iterator[Finding]:
    """The clock is not behind what was already written, nor before this program was made."""
    now = time.time()
    advice = "Set the clock, best by: timedatectl set-ntp true"
    newest = max((_written(path) for path in _recent_files(newsroom)), default=0.0)
    if now < BUILT:
        yield problem("clock", "it is before this program was written", advice)
    elif newest > now + SKEW:
        hours = (newest - now) / 3600
        yield problem("clock", f"it is {hours:.1f} hours behind files written earlier", advice)
    elif Path("/run/systemd/timesync").is_dir() and not _synchronised():
        yield warning("clock", "it is not set by the network's time", advice)
    else:
        yield fine("clock", time.strftime("%Y-%m-%d %H:%M %Z", time.localtime(now)))


def _synchronised() -> bool:
    return Path("/run/systemd/timesync/synchronized").exists()


def _recent_files(newsroom: Newsroom) -> Iterator[Path]:
    yield newsroom.settings_file
    yield newsroom.database
    yield newsroom.edition / "edition.json"
    yield Path("/var/log")


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def settings(newsroom: Newsroom) -> Iterator[Finding]:
    """The settings fit a paper that is really read."""
    chosen = newsroom.settings
    yield fine("settings", f"{newsroom.settings_file}: “{chosen.name}”, {chosen.address}")
    if chosen.demo:
        yield warning("demo", "this is a demonstration", "Start a real one: tamizdat init DIR")
    if chosen.desk.debug:
        yield problem(
            "debug", "debug is on: errors show the desk's secrets", "Set debug = false, restart."
        )
    if chosen.demo:
        return
    yield from _address(chosen.address)
    yield from _desk_reachable(newsroom)


def _address(address: str) -> Iterator[Finding]:
    host = urlsplit(address).hostname or ""
    if host.endswith(".example") or host in ("localhost", "127.0.0.1"):
        yield problem(
            "address",
            f"{address} is nobody's address, and stands in every page and feed",
            "Set address in tamizdat.toml to the paper's own, then: tamizdat publish --all",
        )
    elif not address.startswith("https://") and not host.endswith(".onion"):
        yield warning(
            "address",
            "readers come over plain http: anybody on the way sees and can change what they read",
            "Serve the paper over https and set address to it.",
        )


def _desk_reachable(newsroom: Newsroom) -> Iterator[Finding]:
    desk = newsroom.settings.desk
    outside = [h for h in desk.hosts if h not in ("localhost", "127.0.0.1", "[::1]")]
    if "*" in desk.hosts:
        yield problem(
            "hosts", "the desk answers to any name", "Name the desk's own names in hosts."
        )
    if outside and not desk.https and not all(h.endswith(".onion") for h in outside):
        yield warning(
            "https",
            f"staff log in to {outside[0]} over plain http",
            "Put a web server with https in front of the desk (docs/operating/one-page.md), then "
            "set https = true.",
        )
    if desk.host in ("0.0.0.0", "::"):  # noqa: S104 - it is compared
        yield warning(
            "hosts",
            "the desk listens on every network of this machine",
            "Set host to 127.0.0.1 or to the VPN's address.",
        )


def paper(newsroom: Newsroom) -> Iterator[Finding]:
    """The built paper is whole enough to be served: its pointer is there and can be read."""
    advice = "Build it: tamizdat publish --all"
    try:
        number = Edition(newsroom.edition).number
        front = number and Edition(newsroom.edition).read(f"/{newsroom.settings.languages[0]}/")
    except (OSError, StoreError) as error:
        yield problem("paper", f"it is damaged: {error}", advice)
        return
    if not number:
        yield warning("paper", "nothing was published yet", advice)
        return
    if not front:
        yield problem("paper", f"edition {number} has no front page", advice)
        return
    yield fine("paper", f"edition {number}")
    if newsroom.settings.paper.tree and not (newsroom.edition / "tree").exists():
        yield warning("paper", "the plain files (edition/tree) are missing", advice)


def signatures(newsroom: Newsroom) -> Iterator[Finding]:
    """The paper is signed, and what signs it lasts."""
    found = status_of(newsroom)
    for line in found.todo:
        yield warning("keys", line.partition(": ")[0], line)
    if found.ok:
        yield fine("keys", f"edition {found.signed} is signed")


def ports(newsroom: Newsroom) -> Iterator[Finding]:
    """Desk and paper answer where the settings say."""
    for name, place in (("desk", newsroom.settings.desk), ("paper", newsroom.settings.paper)):
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(place.host, place.host)  # noqa: S104
        try:
            socket.create_connection((host, place.port), timeout=1).close()
        except OSError:
            yield warning(
                name,
                f"nothing answers on {place.host}:{place.port}",
                f"Start it: tamizdat run --dir {newsroom.folder}",
            )
        else:
            yield fine(name, f"answers on {place.host}:{place.port}")


def account(newsroom: Newsroom) -> Iterator[Finding]:
    """The program does not run as root, and the folder is its own."""
    if os.geteuid() == 0 and not newsroom.settings.demo:
        yield warning(
            "user",
            "you are root",
            "Give the newsroom a user of its own (docs/operating/one-page.md).",
        )


CHECKS = (settings, secrets, folders, disk, clock, account, paper, signatures, ports)
