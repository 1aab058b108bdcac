# SPDX-License-Identifier: AGPL-3.0-or-later
"""The database itself refuses to rewrite what was published (SQLite and PostgreSQL).

Guards ``StoryVersion``: no row is deleted and no column of its content changes. What stays free:
``request``, ``edition``, ``acting_user`` (an account may be deleted).
"""

from __future__ import annotations

from django.db.backends.base.schema import BaseDatabaseSchemaEditor

TABLE = "publishing_storyversion"
FROZEN = (
    *("id", "uri", "version", "language", "pub_status", "item", "created", "reason"),
    *("article_id", "revision"),
)
MESSAGE = "what was published is never changed: append a new version"

_changed = {
    "sqlite": " OR ".join(f"NEW.{c} IS NOT OLD.{c}" for c in FROZEN),
    "postgresql": " OR ".join(f"NEW.{c} IS DISTINCT FROM OLD.{c}" for c in FROZEN),
}
CREATE = {
    "sqlite": (
        f"CREATE TRIGGER {TABLE}_frozen BEFORE UPDATE ON {TABLE} WHEN {_changed['sqlite']} "
        f"BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END",
        f"CREATE TRIGGER {TABLE}_kept BEFORE DELETE ON {TABLE} "
        f"BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END",
    ),
    "postgresql": (
        f"CREATE FUNCTION {TABLE}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'integrity_constraint_violation'; "
        f"END $$",
        f"CREATE TRIGGER {TABLE}_frozen BEFORE UPDATE ON {TABLE} FOR EACH ROW "
        f"WHEN ({_changed['postgresql']}) EXECUTE FUNCTION {TABLE}_refuse()",
        f"CREATE TRIGGER {TABLE}_kept BEFORE DELETE ON {TABLE} FOR EACH ROW "
        f"EXECUTE FUNCTION {TABLE}_refuse()",
    ),
}
DROP = {
    "sqlite": (f"DROP TRIGGER IF EXISTS {TABLE}_frozen", f"DROP TRIGGER IF EXISTS {TABLE}_kept"),
    "postgresql": (
        f"DROP TRIGGER IF EXISTS {TABLE}_frozen ON {TABLE}",
        f"DROP TRIGGER IF EXISTS {TABLE}_kept ON {TABLE}",
        f"DROP FUNCTION IF EXISTS {TABLE}_refuse()",
    ),
}


def create(editor: BaseDatabaseSchemaEditor) -> None:
    for statement in CREATE[editor.connection.vendor]:
        editor.execute(statement)


def drop(editor: BaseDatabaseSchemaEditor) -> None:
    for statement in DROP[editor.connection.vendor]:
        editor.execute(statement)
