# SPDX-License-Identifier: AGPL-3.0-or-later
"""What must never meet the world: demonstrations, debug pages, stand-ins.

What always holds: the desk does not start, and no command of Django runs, while an ``Error`` of
these stands. Invented people, printed passwords and debug pages stay on this machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register

from tamizdat.config import ConfigError, Settings

LOOPBACK = ("localhost", "127.0.0.1", "::1", "[::1]")


@register(Tags.security)
def refuse_stand_ins(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Django's port to ``stand_ins``."""
    return stand_ins(settings.NEWSROOM.settings)


def stand_ins(newsroom: Settings) -> list[CheckMessage]:
    """What of these settings is for this machine only, where the desk is not."""
    found: list[CheckMessage] = []
    outside = [name for name in (newsroom.desk.host, *newsroom.desk.hosts) if not is_here(name)]
    if newsroom.desk.debug and outside:
        found.append(
            Error(
                f"debug is on and the desk answers as {outside[0]}: errors would show its secrets.",
                hint="Set debug = false in tamizdat.toml.",
                id="tamizdat.E001",
            )
        )
    if newsroom.demo and (outside or not is_invented(newsroom.address)):
        found.append(
            Error(
                "This is a demonstration newsroom and its settings name the outside world.",
                hint="Start a real one in another folder: tamizdat init DIR.",
                id="tamizdat.E002",
            )
        )
    return found


def is_here(host: str) -> bool:
    """Whether a name means this machine and no other."""
    return host in LOOPBACK


def is_invented(address: str) -> bool:
    """Whether an address is of this machine or of nobody (RFC 2606)."""
    host = urlsplit(address).hostname or ""
    return is_here(host) or host.endswith((".example", ".test", ".invalid", ".localhost"))


def refuse() -> None:
    """Raise ``ConfigError`` where anything here stands."""
    found = stand_ins(settings.NEWSROOM.settings)
    if found:
        raise ConfigError(f"{found[0].msg} {found[0].hint}")
