# SPDX-License-Identifier: AGPL-3.0-or-later
"""The database itself refuses to rewrite the audit trail (SQLite and PostgreSQL).

No row is deleted, none changes once it has its number, and on SQLite none is put in but after the
newest. On PostgreSQL a row gets number and hash when its transaction commits, the way
``chain.hash_of`` makes them, under a lock that lasts until the commit is through.

Whoever owns the database can drop triggers: that is what the chain and its anchors are for.
"""

from __future__ import annotations

from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from tamizdat.desk import guards

TABLE = "audit_record"
MESSAGE = "the audit trail is never changed"
# Any number that nobody else locks.
LOCK = 8390880602360705

_link = f"""
CREATE FUNCTION {TABLE}_link() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE newest record; place bigint; earlier text; covered text;
BEGIN
  PERFORM pg_advisory_xact_lock({LOCK});
  SELECT number, hash INTO newest FROM {TABLE}
    WHERE number IS NOT NULL ORDER BY number DESC LIMIT 1;
  place := coalesce(newest.number, 0) + 1;
  earlier := coalesce(newest.hash, repeat('0', 64));
  covered := '{{"entry":' || NEW.entry || ',"number":' || place
    || ',"previous":"' || earlier || '"}}';
  UPDATE {TABLE} SET number = place, previous = earlier,
    hash = encode(sha256(convert_to(covered, 'UTF8')), 'hex') WHERE id = NEW.id;
  RETURN NULL;
END $$
"""  # noqa: S608 - a table of ours, no input
_next = f"(SELECT coalesce(max(number), 0) + 1 FROM {TABLE})"  # noqa: S608 - the same
CREATE = {
    "sqlite": (
        guards.sqlite("frozen", TABLE, "UPDATE", MESSAGE),
        guards.sqlite("kept", TABLE, "DELETE", MESSAGE),
        guards.sqlite("last", TABLE, "INSERT", MESSAGE, when=f"NEW.number IS NOT {_next}"),
    ),
    "postgresql": (
        guards.refuse(TABLE, MESSAGE),
        _link,
        f"CREATE CONSTRAINT TRIGGER {TABLE}_linked AFTER INSERT ON {TABLE} "
        f"DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {TABLE}_link()",
        guards.postgresql(
            "frozen",
            TABLE,
            "UPDATE",
            when="OLD.number IS NOT NULL OR NEW.entry IS DISTINCT FROM OLD.entry",
        ),
        guards.postgresql("last", TABLE, "INSERT", when="NEW.number IS NOT NULL"),
        guards.postgresql("kept", TABLE, "DELETE"),
        guards.postgresql("whole", TABLE, "TRUNCATE", each="STATEMENT"),
    ),
}
DROP = {
    "sqlite": guards.drop_sqlite(TABLE, "frozen", "kept", "last"),
    "postgresql": guards.drop_postgresql(
        TABLE, "linked", "frozen", "last", "kept", "whole", functions=["link", "refuse"]
    ),
}


def create(editor: BaseDatabaseSchemaEditor) -> None:
    guards.run(editor, CREATE)


def drop(editor: BaseDatabaseSchemaEditor) -> None:
    guards.run(editor, DROP)
