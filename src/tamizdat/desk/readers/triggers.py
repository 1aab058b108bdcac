# SPDX-License-Identifier: AGPL-3.0-or-later
"""The database itself keeps what readers agreed to (SQLite and PostgreSQL).

Guards ``Consent``: no row ever changes. A row goes only

- where nothing of the same reader, purpose and subject was ever confirmed or brought along:
  somebody asked and never answered the mail;
- where what was agreed to is done, as a reminder that was sent; or
- where the last word on it is a withdrawal, older than the days in ``Term`` (``withdrawn``; without
  a row there, ``KEPT``). One day less is allowed, as the database counts days in UTC.
"""

from __future__ import annotations

from django.db.backends.base.schema import BaseDatabaseSchemaEditor

TABLE = "readers_consent"
TERM = "withdrawn"
KEPT = 1095
MESSAGE = "what a reader agreed to is never changed, and kept for its term"

_SAME = "c.reader_id = OLD.reader_id AND c.purpose = OLD.purpose AND c.subject = OLD.subject"
_ROWS = f"SELECT 1 FROM {TABLE} c WHERE {_SAME}"  # noqa: S608 - names of ours
_LAST = f"SELECT MAX(c.id) FROM {TABLE} c WHERE {_SAME}"  # noqa: S608 - names of ours
_DAYS = f"COALESCE((SELECT days FROM readers_term WHERE name = '{TERM}'), {KEPT}) - 1"  # noqa: S608 - names of ours
_TODAY = {
    "sqlite": "julianday('now', 'start of day')",
    "postgresql": "(now() AT TIME ZONE 'UTC')::date",
}
_DAY = {"sqlite": "julianday(c.day)", "postgresql": "c.day"}


def _over(vendor: str) -> str:
    """The condition under which a row may go."""
    old_enough = f"{_TODAY[vendor]} - {_DAY[vendor]} >= {_DAYS}"
    given = f"{_ROWS} AND c.event IN ('confirmed', 'imported', 'withdrawn', 'fulfilled')"
    over = f"c.event = 'fulfilled' OR (c.event = 'withdrawn' AND {old_enough})"
    return f"NOT EXISTS ({given}) OR EXISTS ({_ROWS} AND c.id = ({_LAST}) AND ({over}))"


CREATE = {
    "sqlite": (
        f"CREATE TRIGGER {TABLE}_frozen BEFORE UPDATE ON {TABLE} "
        f"BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END",
        f"CREATE TRIGGER {TABLE}_kept BEFORE DELETE ON {TABLE} "
        f"WHEN NOT ({_over('sqlite')}) BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END",
    ),
    "postgresql": (
        f"CREATE FUNCTION {TABLE}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'integrity_constraint_violation'; "
        f"END $$",
        f"CREATE FUNCTION {TABLE}_keep() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF {_over('postgresql')} THEN RETURN OLD; END IF; "
        f"RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'integrity_constraint_violation'; END $$",
        f"CREATE TRIGGER {TABLE}_frozen BEFORE UPDATE ON {TABLE} FOR EACH ROW "
        f"EXECUTE FUNCTION {TABLE}_refuse()",
        f"CREATE TRIGGER {TABLE}_kept BEFORE DELETE ON {TABLE} FOR EACH ROW "
        f"EXECUTE FUNCTION {TABLE}_keep()",
    ),
}
DROP = {
    "sqlite": (f"DROP TRIGGER IF EXISTS {TABLE}_frozen", f"DROP TRIGGER IF EXISTS {TABLE}_kept"),
    "postgresql": (
        f"DROP TRIGGER IF EXISTS {TABLE}_frozen ON {TABLE}",
        f"DROP TRIGGER IF EXISTS {TABLE}_kept ON {TABLE}",
        f"DROP FUNCTION IF EXISTS {TABLE}_refuse()",
        f"DROP FUNCTION IF EXISTS {TABLE}_keep()",
    ),
}


def create(editor: BaseDatabaseSchemaEditor) -> None:
    for statement in CREATE[editor.connection.vendor]:
        editor.execute(statement)


def drop(editor: BaseDatabaseSchemaEditor) -> None:
    for statement in DROP[editor.connection.vendor]:
        editor.execute(statement)
