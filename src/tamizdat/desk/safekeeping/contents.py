# SPDX-License-Identifier: AGPL-3.0-or-later
"""What of a newsroom is backed up, and putting it back.

In the backup: settings, secrets, the database, media, what is signed of the paper (``metadata``,
``targets``, ``shards``), the anchors of the audit trail, the list of backups. The paper itself is
built again from the database. **Not** in it: ``secrets/vault-key.age``, which lies in a file of
its own beside it, so that who has one of them has nobody's address.

What always holds: a restore fills only an empty or new folder, and puts it there whole, by one
rename, after everything was compared.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pyrage

from tamizdat.config import ConfigError, Newsroom
from tamizdat.desk.readers import keyring
from tamizdat.desk.readers.errors import KeyFileError
from tamizdat.desk.safekeeping import archive, database
from tamizdat.desk.safekeeping.archive import Entry, Header, Member, Progress
from tamizdat.desk.safekeeping.errors import BrokenError, IdentityError, TargetError

FOLDERS = ("media", "edition/metadata", "edition/targets", "edition/shards")
FILES = ("run/audit-anchors.log", "run/backups.json")
_LOOKED_AT = ("tamizdat.toml", "desk.sqlite3", database.DUMP)
SUFFIX, KEY_SUFFIX = ".tamizdat", ".vault-key"
_IDENTITY = re.compile(r"^AGE-SECRET-KEY-1[0-9A-Z]+$", re.MULTILINE)


class Done(msgspec.Struct, kw_only=True):
    """``key`` is the file with the vault's key, None where the newsroom has none."""

    backup: Path
    key: Path | None
    made: str
    files: int
    bytes: int


def back_up(newsroom: Newsroom, target: Path, progress: Progress = lambda done, of: None) -> Done:
    """Write a backup to a file, or to one named after the moment where ``target`` is a folder.

    Raises ``BackupError``, ``ConfigError``, ``OSError``; nothing is left behind then.
    """
    made = datetime.now(UTC).replace(microsecond=0)
    if target.is_dir():
        target /= f"{newsroom.folder.name}-{made:%Y%m%dT%H%M%SZ}{SUFFIX}"
    if target.resolve().is_relative_to(newsroom.folder):
        raise TargetError("a backup inside of the newsroom's folder is none: name another place")
    recipient = keyring.operator_recipient(newsroom.secrets)
    header = Header(
        newsroom=newsroom.settings.name, made=made.isoformat(), database=database.kind(newsroom)
    )
    newsroom.run.mkdir(mode=0o700, exist_ok=True)
    _remove_abandoned(newsroom.run)
    with tempfile.TemporaryDirectory(prefix=f".backup-{os.getpid()}-", dir=newsroom.run) as aside:
        copied = database.copy(newsroom, Path(aside))
        entries = _entries(newsroom, copied)
        members = archive.write(target, header, entries, [recipient], progress)
    return Done(
        backup=target,
        key=_put_key_apart(newsroom, target),
        made=header.made,
        files=len(members),
        bytes=sum(member.length for member in members),
    )


def _remove_abandoned(run: Path) -> None:
    """Copies of the database that a killed backup left."""
    for folder in run.glob(".backup-*-*"):
        if not Path(f"/proc/{folder.name.split('-')[1]}").exists():
            shutil.rmtree(folder, ignore_errors=True)


def _put_key_apart(newsroom: Newsroom, target: Path) -> Path | None:
    source = newsroom.secrets / keyring.NAME
    if not source.exists():
        return None
    key = target.with_name(target.name + KEY_SUFFIX)
    keyring.write_durably(key, source.read_bytes())
    return key


def _entries(newsroom: Newsroom, copied: Path) -> Iterator[Entry]:
    yield Entry("tamizdat.toml", newsroom.settings_file)
    yield Entry(copied.name, copied)
    for path in sorted(newsroom.secrets.iterdir()):
        if path.is_file() and path.name != keyring.NAME and not path.name.startswith("."):
            yield Entry(f"secrets/{path.name}", path)
    for name in FILES:
        if (newsroom.folder / name).is_file():
            yield Entry(name, newsroom.folder / name)
    for folder in FOLDERS:
        yield from _below(newsroom.folder, folder)


def _below(top: Path, folder: str) -> Iterator[Entry]:
    for path, folders, names in os.walk(top / folder):
        folders.sort()
        for name in sorted(names):
            found = Path(path, name)
            if found.is_file() and not found.is_symlink():
                yield Entry(found.relative_to(top).as_posix(), found)


def identities_in(path: Path) -> list[pyrage.x25519.Identity]:
    """The age identities in a file (a line each; comments are passed over).

    Raises ``IdentityError``.
    """
    try:
        found = _IDENTITY.findall(path.read_text())
        identities = [pyrage.x25519.Identity.from_str(line) for line in found]
    except (UnicodeDecodeError, pyrage.IdentityError):
        identities = []
    if not identities:
        raise IdentityError(f"{path} holds no age identity (AGE-SECRET-KEY-1…)")
    return identities


def verify(
    source: Path,
    identities: list[pyrage.x25519.Identity],
    progress: Progress = lambda done, of: None,
) -> tuple[Header, list[Member]]:
    """Open a backup, read all of it, compare it with its manifest, look at its database. Nothing
    of its secrets is written anywhere, not even for a moment.

    Raises ``BackupError``.
    """
    with tempfile.TemporaryDirectory(prefix="tamizdat-verify-") as aside:
        folder = Path(aside)
        header, members = archive.read(source, identities, folder, progress, only=_LOOKED_AT)
        _check_contents(folder, header)
    return header, members


def _check_contents(folder: Path, header: Header) -> None:
    name = "desk.sqlite3" if header.database == "sqlite" else database.DUMP
    for needed in ("tamizdat.toml", name):
        if not (folder / needed).is_file():
            raise BrokenError(f"the backup has no {needed}")
    if header.database == "sqlite":
        database.check(folder / name)


def restore(
    source: Path,
    target: Path,
    identities: list[pyrage.x25519.Identity],
    *,
    key: Path | None = None,
    fill_database: bool = True,
    progress: Progress = lambda done, of: None,
) -> tuple[Header, list[Member]]:
    """Put a backup into an empty or new folder; with ``key`` also the vault's key.

    Raises ``BackupError``, ``ConfigError``; the folder is then as it was.
    """
    target = target.resolve()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise TargetError(f"{target} is not empty: a backup is restored into an empty folder only")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        prefix=f".{target.name}.restoring-", dir=target.parent
    ) as aside:
        folder = Path(aside) / "newsroom"
        folder.mkdir(mode=0o700)
        header, members = archive.read(source, identities, folder, progress)
        _check_contents(folder, header)
        for private in ("secrets", "media", "run", "edition"):
            (folder / private).mkdir(mode=0o755 if private == "edition" else 0o700, exist_ok=True)
        newsroom = _newsroom(folder)
        if key is not None:
            _put_key_back(newsroom, key, identities)
        if header.database == "postgresql" and fill_database:
            database.fill(newsroom, folder / database.DUMP)
        if target.exists():
            target.rmdir()
        folder.rename(target)
    return header, members


def _newsroom(folder: Path) -> Newsroom:
    try:
        return Newsroom(folder)
    except ConfigError as error:
        raise BrokenError(f"the settings in the backup are refused: {error}") from error


def _put_key_back(newsroom: Newsroom, key: Path, identities: list[pyrage.x25519.Identity]) -> None:
    sealed = key.read_bytes()
    try:
        keyring.open_keyring(sealed, identities[0])
    except KeyFileError as error:
        raise IdentityError(f"{key} is not the vault's key of this newsroom: {error}") from error
    keyring.write_durably(newsroom.secrets / keyring.NAME, sealed)
