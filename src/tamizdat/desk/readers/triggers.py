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

from tamizdat.desk import guards

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
        guards.sqlite("frozen", TABLE, "UPDATE", MESSAGE),
        guards.sqlite("kept", TABLE, "DELETE", MESSAGE, when=f"NOT ({_over('sqlite')})"),
    ),
    "postgresql": (
        guards.refuse(TABLE, MESSAGE),
        f"CREATE FUNCTION {TABLE}_keep() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF {_over('postgresql')} THEN RETURN OLD; END IF; "
        f"{guards.refusal(MESSAGE)}END $$",
        guards.postgresql("frozen", TABLE, "UPDATE"),
        guards.postgresql("kept", TABLE, "DELETE", function="keep"),
    ),
}
DROP = {
    "sqlite": guards.drop_sqlite(TABLE, "frozen", "kept"),
    "postgresql": guards.drop_postgresql(TABLE, "frozen", "kept", functions=["refuse", "keep"]),
}


def create(editor: BaseDatabaseSchemaEditor) -> None:
    guards.run(editor, CREATE)


def drop(editor: BaseDatabaseSchemaEditor) -> None:
    guards.run(editor, DROP)
