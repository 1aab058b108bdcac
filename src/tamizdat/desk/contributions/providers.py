# SPDX-License-Identifier: AGPL-3.0-or-later
"""The newsroom's payment providers, as the settings file and ``secrets/`` name them now.

What always holds: a change of the file or of a secret counts from the next call on, without a
restart; what has not changed is made once. Keys and secrets are kept nowhere but in memory.

What is not done here: speaking to a provider (``giving``).
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from tamizdat.config import ConfigError, Newsroom, ProviderSettings
from tamizdat.giving import registry
from tamizdat.giving.port import Provider
from tamizdat.giving.registry import DeskSettings


def newsroom() -> Newsroom:
    """The newsroom with its settings as they are now; as they were while they cannot be read."""
    own: Newsroom = settings.NEWSROOM
    try:
        found = own.settings_file.stat()
        return _read(own.folder, found.st_mtime_ns, found.st_ino)
    except (ConfigError, OSError):
        return own


@lru_cache(maxsize=4)
def _read(folder: Path, _changed: int, _inode: int) -> Newsroom:
    return Newsroom(folder)


def all_settings() -> tuple[ProviderSettings, ...]:
    return newsroom().settings.giving.providers


def settings_of(name: str) -> ProviderSettings | None:
    """None where the newsroom has no such provider."""
    return next((one for one in all_settings() if one.kind == name), None)


def of(name: str) -> Provider:
    """The desk's half of a provider. Raises ``ConfigError`` where it is not set up, or a secret is
    missing, and ``ProviderError`` where its settings cannot be used."""
    found = settings_of(name)
    if found is None:
        raise ConfigError(f"there is no provider “{name}” in {newsroom().settings_file}")
    return _made(
        DeskSettings(
            kind=found.kind,
            key=newsroom().secret(found.credentials) if found.credentials else "",
            webhook=tuple(newsroom().secret(found.webhook).split()) if found.webhook else (),
            url=found.url,
            account=found.account,
            refused_countries=newsroom().settings.giving.refused_countries,
        )
    )


@lru_cache(maxsize=8)
def _made(wanted: DeskSettings) -> Provider:
    return registry.make_provider(wanted)
