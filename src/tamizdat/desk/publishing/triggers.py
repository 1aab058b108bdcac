# SPDX-License-Identifier: AGPL-3.0-or-later
"""The database itself refuses to rewrite what was published (SQLite and PostgreSQL).

Guards ``StoryVersion``: no row is deleted and no column of its content changes. What stays free:
``request``, ``edition``, ``acting_user`` (an account may be deleted).
"""

from __future__ import annotations

from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from tamizdat.desk import guards

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
        guards.sqlite("frozen", TABLE, "UPDATE", MESSAGE, when=_changed["sqlite"]),
        guards.sqlite("kept", TABLE, "DELETE", MESSAGE),
    ),
    "postgresql": (
        guards.refuse(TABLE, MESSAGE),
        guards.postgresql("frozen", TABLE, "UPDATE", when=_changed["postgresql"]),
        guards.postgresql("kept", TABLE, "DELETE"),
    ),
}
DROP = {
    "sqlite": guards.drop_sqlite(TABLE, "frozen", "kept"),
    "postgresql": guards.drop_postgresql(TABLE, "frozen", "kept", functions=["refuse"]),
}


def create(editor: BaseDatabaseSchemaEditor) -> None:
    guards.run(editor, CREATE)


def drop(editor: BaseDatabaseSchemaEditor) -> None:
    guards.run(editor, DROP)
