# SPDX-License-Identifier: AGPL-3.0-or-later
"""The ``[[mirrors]]`` tables in a newsroom's settings file: one more, one less.

What always holds: the rest of the file, comments too, stays as it was written; the file is
replaced by one rename, and only by one that can be read and says what was meant.
"""

from __future__ import annotations

import os
import re

import msgspec

from tamizdat.config import ConfigError, MirrorSettings, Newsroom, Settings, mirror_problems

_TABLE = re.compile(r"^\[\[\s*mirrors\s*\]\][ \t]*(?:#.*)?$", re.MULTILINE)
_NEXT = re.compile(r"^\s*\[", re.MULTILINE)


def add_table(newsroom: Newsroom, mirror: MirrorSettings) -> None:
    """Raises ``ConfigError`` where the name is taken or the mirror makes no sense."""
    mirrors = newsroom.settings.mirrors
    for problem in mirror_problems((*mirrors, mirror)):
        raise ConfigError(problem)
    text = newsroom.settings_file.read_text()
    lines = [f"{name} = {_toml(value)}" for name, value in _said(mirror)]
    _write(newsroom, text.rstrip("\n") + "\n\n" + "\n".join(["[[mirrors]]", *lines, ""]))


def remove_table(newsroom: Newsroom, name: str) -> None:
    """Raises ``ConfigError`` where there is no such mirror."""
    wanted = tuple(m for m in newsroom.settings.mirrors if m.name != name)
    if wanted == newsroom.settings.mirrors:
        raise ConfigError(f"there is no mirror “{name}” in {newsroom.settings_file}")
    text = newsroom.settings_file.read_text()
    for found in _TABLE.finditer(text):
        following = _NEXT.search(text, found.end())
        end = following.start() if following else len(text)
        shorter = text[: found.start()].rstrip("\n") + "\n\n" + text[end:].lstrip("\n")
        if _mirrors(shorter) == wanted:
            return _write(newsroom, shorter.rstrip("\n") + "\n")
    raise ConfigError(
        f"the table of “{name}” could not be told from the others: take it out of "
        f"{newsroom.settings_file} by hand"
    )


def _said(mirror: MirrorSettings) -> list[tuple[str, object]]:
    """What differs from the defaults."""
    fields = msgspec.structs.fields(MirrorSettings)
    pairs = [(field.name, getattr(mirror, field.name), field.default) for field in fields]
    return [(name, value) for name, value, default in pairs if value != default]


def _mirrors(text: str) -> tuple[MirrorSettings, ...] | None:
    try:
        return msgspec.toml.decode(text, type=Settings).mirrors
    except msgspec.DecodeError:
        return None


def _write(newsroom: Newsroom, text: str) -> None:
    if _mirrors(text) is None:
        raise ConfigError(f"{newsroom.settings_file} would not be readable: nothing was changed")
    path = newsroom.settings_file
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_text(text)
    aside.chmod(path.stat().st_mode & 0o777)
    aside.replace(path)


def _toml(value: object) -> str:
    return msgspec.json.encode(value).decode()
