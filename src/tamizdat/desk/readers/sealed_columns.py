# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which columns of other apps hold what ``Vault.seal`` made, so that a new key reaches them.

An app registers each in its ``AppConfig.ready``::

    sealed_columns.register("letters.Message", "sealed", purpose="letters.message")

What always holds: a rotation ends only when no registered column holds anything of the old key.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from django.apps import apps
from django.db import models, transaction
from django.db.models import QuerySet

from tamizdat.desk.readers.errors import SealedError
from tamizdat.desk.readers.keyring import Keys
from tamizdat.desk.readers.vault import Vault, open_text, seal_text


class Column(NamedTuple):
    """``model`` is a label (``app.Model``), ``field`` a ``BinaryField``; empty and NULL are passed
    over."""

    model: str
    field: str
    purpose: str

    def rows(self) -> QuerySet[Any]:
        return apps.get_model(self.model)._default_manager.all()


COLUMNS: list[Column] = []


def register(model: str, field: str, *, purpose: str) -> None:
    """Say that a column holds sealed texts. Registering it again changes nothing."""
    column = Column(model, field, purpose)
    if column not in COLUMNS:
        COLUMNS.append(column)


def of_older_keys(column: Column, current: int) -> QuerySet[Any]:
    """The rows of a column that are sealed with another key than the current one."""
    low, high = current.to_bytes(4, "big"), (current + 1).to_bytes(4, "big")
    older = models.Q(**{f"{column.field}__lt": low}) | models.Q(**{f"{column.field}__gte": high})
    return column.rows().filter(older).exclude(**{column.field: b""})


@transaction.atomic
def reseal(vault: Vault, column: Column, last: Any, limit: int) -> tuple[int, Any]:
    """Seal at most ``limit`` texts after the key ``last`` anew with the key in force.

    Returns how many were looked at and the last one's key. One that cannot be opened is passed
    over: nobody can, now or ever.
    """
    keys = vault.sealing_keys()
    older = of_older_keys(column, keys.current).order_by("pk").select_for_update()
    if last is not None:
        older = older.filter(pk__gt=last)
    chosen = list(older.values_list("pk", column.field)[:limit])
    for pk, blob in chosen:
        new = _resealed(column, keys, bytes(blob))
        if new is not None:
            column.rows().filter(pk=pk).update(**{column.field: new})
    return len(chosen), chosen[-1][0] if chosen else last


def _resealed(column: Column, keys: Keys, blob: bytes) -> bytes | None:
    try:
        return seal_text(keys, column.purpose, open_text(keys, column.purpose, blob))
    except SealedError:
        return None


def something_opens(column: Column, keys: Keys) -> bool:
    """Whether a text of an older key can still be opened."""
    older = of_older_keys(column, keys.current).values_list(column.field, flat=True)
    return any(_resealed(column, keys, bytes(blob)) is not None for blob in older.iterator())
