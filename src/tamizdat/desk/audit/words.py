# SPDX-License-Identifier: AGPL-3.0-or-later
"""The trail in words for staff: what was done, by whom, to what."""

from __future__ import annotations

import json
from typing import Any

from django.apps import apps
from django.utils.timezone import localtime
from wagtail.log_actions import registry

from tamizdat.desk.audit.models import Record

OF_OPERATORS = {
    "tamizdat.sign_ins": ("Sign-ins of a day", "Signed in or out, or failed to"),
    "tamizdat.keys": ("Keys", "Changed the keys that sign the paper"),
    "tamizdat.seal": ("Seal", "Sealed the archive"),
    "tamizdat.vault": ("Vault", "Did something to the vault"),
    "tamizdat.backup": ("Backup", "Made a backup"),
    "tamizdat.restore": ("Restore", "Restored a backup"),
    "tamizdat.drop": ("Drop", "Set up a drop"),
    "tamizdat.mirror": ("Mirror", "Changed the mirrors"),
    "tamizdat.audit": ("Audit", "Looked through or proved the audit trail"),
}


def of(row: Record) -> dict[str, Any]:
    """What a page or a terminal shows of a row."""
    said = json.loads(row.entry)
    return {
        "number": row.number,
        "time": localtime(row.time),
        "who": said["name"] or "the desk",
        "what": of_action(row.action),
        "kind": of_kind(row.kind),
        "object": said["object"],
        "label": said["label"],
        "data": ", ".join(f"{name}: {_short(value)}" for name, value in said["data"].items()),
    }


def of_action(action: str) -> str:
    """“Publish” for ``wagtail.publish``; an action that nobody registered is its own name."""
    return str(registry.get_action_label(action)) if registry.action_exists(action) else action


def of_kind(kind: str) -> str:
    """“Article” for ``newsroom.article``."""
    try:
        return str(apps.get_model(kind)._meta.verbose_name).capitalize() if kind else ""
    except (LookupError, ValueError):
        return kind


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else f"{text[:199]}…"
