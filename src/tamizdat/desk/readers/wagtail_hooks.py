# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where Wagtail learns of readers: the log's words."""

from __future__ import annotations

from wagtail import hooks
from wagtail.log_actions import LogActionRegistry


@hooks.register("register_log_actions")
def register_log_actions(actions: LogActionRegistry) -> None:
    actions.register_action("tamizdat.reader_find", "Look up", "Looked up a reader")
    actions.register_action("tamizdat.reader_export", "Export", "Exported a reader's data")
    actions.register_action("tamizdat.reader_erase", "Erase", "Erased a reader's data")
    actions.register_action("tamizdat.vault_begin", "Begin vault", "Made the vault's first key")
    actions.register_action("tamizdat.vault_rotate", "Rotate", "Changed the vault's key")
    actions.register_action("tamizdat.vault_shred", "Shred", "Destroyed the vault's key")
