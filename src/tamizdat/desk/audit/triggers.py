# SPDX-License-Identifier: AGPL-3.0-or-later
"""The database itself refuses to rewrite the audit trail (SQLite and PostgreSQL).

No row is deleted, none changes once it has its number, and on SQLite none is put in but after the
newest. On PostgreSQL a row gets number and hash when its transaction commits, the way
``chain.hash_of`` makes them, under a lock that lasts until the commit is through.

Whoever owns the database can drop triggers: that is what the chain and its anchors are for.
"""

from __future__ import annotations

from django.db.backends.base.schema import BaseDatabaseSchemaEditor

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
        f"CREATE TRIGGER {TABLE}_frozen BEFORE UPDATE ON {TABLE} "
        f"BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END",
        f"CREATE TRIGGER {TABLE}_kept BEFORE DELETE ON {TABLE} "
        f"BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END",
        f"CREATE TRIGGER {TABLE}_last BEFORE INSERT ON {TABLE} WHEN NEW.number IS NOT {_next} "
        f"BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END",
    ),
    "postgresql": (
        f"CREATE FUNCTION {TABLE}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{MESSAGE}' USING ERRCODE = 'integrity_constraint_violation'; "
        f"END $$",
        _link,
        f"CREATE CONSTRAINT TRIGGER {TABLE}_linked AFTER INSERT ON {TABLE} "
        f"DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {TABLE}_link()",
        f"CREATE TRIGGER {TABLE}_frozen BEFORE UPDATE ON {TABLE} FOR EACH ROW "
        f"WHEN (OLD.number IS NOT NULL OR NEW.entry IS DISTINCT FROM OLD.entry) "
        f"EXECUTE FUNCTION {TABLE}_refuse()",
        f"CREATE TRIGGER {TABLE}_last BEFORE INSERT ON {TABLE} FOR EACH ROW "
        f"WHEN (NEW.number IS NOT NULL) EXECUTE FUNCTION {TABLE}_refuse()",
        f"CREATE TRIGGER {TABLE}_kept BEFORE DELETE ON {TABLE} FOR EACH ROW "
        f"EXECUTE FUNCTION {TABLE}_refuse()",
        f"CREATE TRIGGER {TABLE}_whole BEFORE TRUNCATE ON {TABLE} FOR EACH STATEMENT "
        f"EXECUTE FUNCTION {TABLE}_refuse()",
    ),
}
DROP = {
    "sqlite": tuple(f"DROP TRIGGER IF EXISTS {TABLE}_{t}" for t in ("frozen", "kept", "last")),
    "postgresql": (
        *(
            f"DROP TRIGGER IF EXISTS {TABLE}_{t} ON {TABLE}"
            for t in ("linked", "frozen", "last", "kept", "whole")
        ),
        f"DROP FUNCTION IF EXISTS {TABLE}_link()",
        f"DROP FUNCTION IF EXISTS {TABLE}_refuse()",
    ),
}


def create(editor: BaseDatabaseSchemaEditor) -> None:
    for statement in CREATE[editor.connection.vendor]:
        editor.execute(statement)


def drop(editor: BaseDatabaseSchemaEditor) -> None:
    for statement in DROP[editor.connection.vendor]:
        editor.execute(statement)
