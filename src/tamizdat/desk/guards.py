# SPDX-License-Identifier: AGPL-3.0-or-later
"""Triggers by which the database itself refuses to change or lose rows (SQLite and PostgreSQL).

What always holds: what stands here goes into migrations that were applied long ago, so the same
arguments give the same SQL for ever. Names and messages are ours, never somebody's input.

What is not done here: which rows, and why (each app's ``triggers``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db.backends.base.schema import BaseDatabaseSchemaEditor

Statements = Mapping[str, Sequence[str]]
"""SQL by the database's vendor."""


def sqlite(name: str, table: str, event: str, message: str, *, when: str = "") -> str:
    """A trigger ``TABLE_NAME`` that refuses ``event`` (``UPDATE``, ``DELETE``, ``INSERT``)."""
    only = f"WHEN {when} " if when else ""
    return (
        f"CREATE TRIGGER {table}_{name} BEFORE {event} ON {table} {only}"
        f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
    )


def refusal(message: str) -> str:
    """PL/pgSQL that ends the statement as a broken constraint does."""
    return f"RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation'; "


def refuse(table: str, message: str) -> str:
    """The function ``TABLE_refuse`` of PostgreSQL, which always refuses."""
    return (
        f"CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN {refusal(message)}END $$"
    )


def postgresql(
    name: str,
    table: str,
    event: str,
    *,
    when: str = "",
    each: str = "ROW",
    function: str = "refuse",
) -> str:
    """A trigger ``TABLE_NAME`` that calls ``TABLE_FUNCTION`` before ``event``."""
    only = f"WHEN ({when}) " if when else ""
    return (
        f"CREATE TRIGGER {table}_{name} BEFORE {event} ON {table} FOR EACH {each} "
        f"{only}EXECUTE FUNCTION {table}_{function}()"
    )


def drop_sqlite(table: str, *names: str) -> tuple[str, ...]:
    return tuple(f"DROP TRIGGER IF EXISTS {table}_{name}" for name in names)


def drop_postgresql(table: str, *names: str, functions: Sequence[str]) -> tuple[str, ...]:
    return (
        *(f"DROP TRIGGER IF EXISTS {table}_{name} ON {table}" for name in names),
        *(f"DROP FUNCTION IF EXISTS {table}_{function}()" for function in functions),
    )


def run(editor: BaseDatabaseSchemaEditor, statements: Statements) -> None:
    """Execute those of the editor's database."""
    for statement in statements[editor.connection.vendor]:
        editor.execute(statement)
