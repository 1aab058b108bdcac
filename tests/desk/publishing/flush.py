# SPDX-License-Identifier: AGPL-3.0-or-later
"""Lets Django empty the tables between tests: the database itself refuses to delete versions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from django.db import connection
from django.db.backends.base.operations import BaseDatabaseOperations

from tamizdat.desk.publishing import triggers


@contextmanager
def flushing_allowed() -> Iterator[None]:
    """Take the triggers away around each ``flush`` (SQLite; PostgreSQL truncates)."""
    flush = BaseDatabaseOperations.execute_sql_flush

    def without_triggers(operations: Any, statements: Any) -> None:
        if operations.connection.vendor != "sqlite":
            flush(operations, statements)
            return
        with connection.cursor() as cursor:
            for statement in triggers.DROP["sqlite"]:
                cursor.execute(statement)
        flush(operations, statements)
        with connection.cursor() as cursor:
            for statement in triggers.CREATE["sqlite"]:
                cursor.execute(statement)

    with patch.object(BaseDatabaseOperations, "execute_sql_flush", without_triggers):
        yield
