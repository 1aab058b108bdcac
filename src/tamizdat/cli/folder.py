# SPDX-License-Identifier: AGPL-3.0-or-later
"""Starting a newsroom's folder: its settings file and secrets.

What always holds: what is there is never changed or removed; running it again makes only what is
missing. Files that only the newsroom may read are made so from the first byte.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from tamizdat.config import ConfigError, Newsroom
from tamizdat.letterbox import ensure_keys

TEMPLATE = """\
# The settings of this newsroom. Every setting is described in docs/settings.md.
# After a change: restart "tamizdat run", and "tamizdat doctor" checks it.

# The paper's name, as readers see it.
name = {name}

# Where readers find the paper: its canonical address, without a final slash.
address = {address}

# The paper's languages; the first is the default one. Each has a front page of its own.
languages = {languages}

# The time zone of dates on the pages.
timezone = {timezone}

# "sqlite" (a file in this folder) or "postgresql://user@host/name"; the password lies in
# secrets/database-password.
database = "sqlite"
{demo}
[desk]
# Where the desk listens. Keep it on this machine, a VPN or an onion service: it is for staff only.
host = "127.0.0.1"
port = {desk_port}

# The names under which staff may open it; the first one is used in links.
hosts = ["localhost", "127.0.0.1", "[::1]"]

# true when a web server in front of it speaks HTTPS: cookies then never travel in clear.
https = false

# true: a story is published only by somebody who did not write it.
four_eyes = true

# "required": a password opens the desk only with a passkey or a code from an app beside it.
# "optional": everybody decides for themselves.
second_factor = "{second_factor}"

# true: only passkeys open the desk, no password does. Let everybody set theirs up before.
passkeys_only = false

[paper]
# Where "tamizdat run" serves the built paper, for a look or for a web server in front of it.
host = "127.0.0.1"
port = {paper_port}

# true: keep the paper also as plain files in edition/tree, for any web server.
tree = true

# true: compress every page when it is built; false: leave that to the web server.
brotli = false

# Processes that a full build may use.
workers = 2
"""

DEMO = """
# This is a demonstration: its people and passwords are invented. Never set this for a real paper.
demo = true
"""


def start_folder(
    folder: Path,
    *,
    name: str,
    address: str,
    languages: tuple[str, ...],
    timezone: str,
    desk_port: int = 8000,
    paper_port: int = 8001,
    demo: bool = False,
) -> Newsroom:
    """Make what is missing of a newsroom's folder; an existing settings file is kept as it is.

    Raises ``ConfigError`` where the folder holds something else or the settings are refused.
    """
    folder = folder.resolve()
    _refuse_foreign(folder)
    folder.mkdir(parents=True, exist_ok=True)
    settings = TEMPLATE.format(
        name=_toml(name),
        address=_toml(address.rstrip("/")),
        languages=_toml(list(languages)),
        timezone=_toml(timezone),
        demo=DEMO if demo else "",
        second_factor="optional" if demo else "required",
        desk_port=desk_port,
        paper_port=paper_port,
    )
    _write_new(folder / "tamizdat.toml", settings)
    newsroom = Newsroom(folder)
    for private in (newsroom.secrets, newsroom.media, newsroom.run):
        private.mkdir(mode=0o700, exist_ok=True)
    newsroom.edition.mkdir(exist_ok=True)
    newsroom.secret("desk-key", create=True)
    newsroom.secret("factor-key", create=True)
    newsroom.secret("link-key", create=True)
    ensure_keys(newsroom)
    if newsroom.settings.database == "sqlite":
        # SQLite gives its helper files the mode of the database: drafts are nobody else's to read.
        newsroom.database.touch(mode=0o600)
    return newsroom


def write_secret(newsroom: Newsroom, name: str, value: str) -> None:
    """Write ``secrets/NAME`` for the newsroom's eyes only, whole or not at all."""
    path = newsroom.secrets / name
    aside = path.with_name(f".{name}.{os.getpid()}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(value)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def system_timezone() -> str:
    """The machine's time zone by name, ``UTC`` where it does not say."""
    target = Path("/etc/localtime")
    if target.is_symlink():
        _, found, name = str(target.resolve()).partition("zoneinfo/")
        if found:
            return name.removeprefix("posix/").replace("Etc/UTC", "UTC")
    return "UTC"


def _refuse_foreign(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder} is a file: name a folder")
    if not folder.exists() or (folder / "tamizdat.toml").exists():
        return
    if any(path.name != "desk.sqlite3" for path in folder.iterdir()):  # A database may be there.
        raise ConfigError(
            f"{folder} holds other files and no newsroom: name an empty or a new folder"
        )


def _write_new(path: Path, text: str) -> None:
    """Write a file that does not exist yet; one that does is left alone."""
    if path.exists():
        return
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_text(text)
    aside.replace(path)


def _toml(value: object) -> str:
    return msgspec.json.encode(value).decode()
