# SPDX-License-Identifier: AGPL-3.0-or-later
"""From a mirror's settings to its target. Adapters are imported when one of their kind is."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Protocol, cast

from tamizdat.config import MirrorSettings
from tamizdat.mirrors.ports import Target

KINDS = ("folder", "s3", "rsync")


class _Adapter(Protocol):
    def open_target(self, mirror: MirrorSettings, secrets: Path, work: Path) -> Target: ...


def open_target(mirror: MirrorSettings, secrets: Path, work: Path) -> Target:
    """The target of a mirror. ``secrets`` is the newsroom's folder of them, ``work`` one for
    temporary files. Raises ``MisconfiguredError``."""
    adapter = cast(_Adapter, importlib.import_module(f"tamizdat.mirrors.{mirror.kind}"))
    return adapter.open_target(mirror, secrets, work)
