# SPDX-License-Identifier: AGPL-3.0-or-later
"""The database itself keeps the books, and what was approved (SQLite and PostgreSQL).

- A transaction is refused while its legs (written before it) do not sum to nothing in each
  currency, while there are fewer than two, or, where it reverses another, while the two together
  do not sum to nothing in each account.
- A leg is refused once its transaction is there. On PostgreSQL, where two sessions may write at
  once, a leg is looked at again when its session commits.
- Accounts, transactions and legs are never changed, replaced or deleted.
- An approved message (``AskVersion``) keeps what it said; accounts of staff may be deleted.

Whoever owns the database can drop triggers: exports that lie elsewhere tell.
"""

from __future__ import annotations

from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from tamizdat.desk import guards

ACCOUNT = "contributions_account"
ENTRY = "contributions_transaction"
LEG = "contributions_leg"
VERSION = "contributions_askversion"
TABLES = (ACCOUNT, ENTRY, LEG, VERSION)

KEPT = "the books are never changed: reverse it by another transaction"
UNBALANCED = "the legs of a transaction sum to nothing in each currency"
MIRRORED = "a reversal takes back what was booked, and nothing else"
APPROVED = "what was approved is never changed: approve a new version"

_LEGS = f"SELECT 1 FROM {LEG} l WHERE l.transaction_id"  # noqa: S608 - names of ours
_FEW = f"(SELECT count(*) FROM {LEG} l WHERE l.transaction_id = NEW.id) < 2"  # noqa: S608 - the same
_UNEVEN = "GROUP BY l.currency HAVING sum(l.amount) <> 0"
_OPEN = f"{_FEW} OR EXISTS ({_LEGS} = NEW.id {_UNEVEN})"
_OTHER = (
    f"NEW.reverses_id IS NOT NULL AND EXISTS ({_LEGS} IN (NEW.id, NEW.reverses_id) "
    "GROUP BY l.account_id, l.currency HAVING sum(l.amount) <> 0)"
)
_CLOSED = f"EXISTS (SELECT 1 FROM {ENTRY} t WHERE t.id = NEW.transaction_id)"  # noqa: S608 - the same
_SAID = ("id", "ask_id", "number", "content", "begins", "ends", "approved")
_PEOPLE = ("written_by_id", "approved_by_id")


def _there(table: str) -> str:
    """What stands in the way of ``INSERT OR REPLACE``, which fires no trigger of a deletion."""
    return f"EXISTS (SELECT 1 FROM {table} o WHERE o.id = NEW.id)"  # noqa: S608 - the same


def _rewritten(differs: str) -> str:
    """Whether a version says something else than it did; who it names may only be forgotten."""
    return " OR ".join(
        (
            *(f"NEW.{column} {differs} OLD.{column}" for column in _SAID),
            *(f"(NEW.{c} {differs} OLD.{c} AND NEW.{c} IS NOT NULL)" for c in _PEOPLE),
        )
    )


def _function(table: str, name: str, *rules: tuple[str, str]) -> str:
    """``TABLE_NAME()``: each rule is a condition and what is said where it is met."""
    body = "".join(f"IF {when} THEN {guards.refusal(said)}END IF; " for when, said in rules)
    return (
        f"CREATE FUNCTION {table}_{name}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN {body}RETURN NEW; END $$"
    )


def _frozen(table: str) -> tuple[str, ...]:
    return (
        guards.refuse(table, KEPT),
        guards.postgresql("frozen", table, "UPDATE"),
        guards.postgresql("kept", table, "DELETE"),
        guards.postgresql("whole", table, "TRUNCATE", each="STATEMENT"),
    )


CREATE = {
    "sqlite": (
        *(guards.sqlite("frozen", table, "UPDATE", KEPT) for table in TABLES[:3]),
        *(guards.sqlite("kept", table, "DELETE", KEPT) for table in TABLES[:3]),
        *(
            guards.sqlite("new", table, "INSERT", KEPT, when=_there(table))
            for table in (ACCOUNT, ENTRY, LEG)
        ),
        guards.sqlite("balanced", ENTRY, "INSERT", UNBALANCED, when=_OPEN),
        guards.sqlite("mirrored", ENTRY, "INSERT", MIRRORED, when=_OTHER),
        guards.sqlite("closed", LEG, "INSERT", KEPT, when=_CLOSED),
        guards.sqlite("frozen", VERSION, "UPDATE", APPROVED, when=_rewritten("IS NOT")),
        guards.sqlite("kept", VERSION, "DELETE", APPROVED),
    ),
    "postgresql": (
        *(statement for table in TABLES[:3] for statement in _frozen(table)),
        _function(ENTRY, "check", (_OPEN, UNBALANCED), (_OTHER, MIRRORED)),
        guards.postgresql("balanced", ENTRY, "INSERT", function="check"),
        _function(LEG, "check", (_CLOSED, KEPT)),
        guards.postgresql("closed", LEG, "INSERT", function="check"),
        _function(LEG, "still", (f"EXISTS ({_LEGS} = NEW.transaction_id {_UNEVEN})", UNBALANCED)),
        f"CREATE CONSTRAINT TRIGGER {LEG}_balanced AFTER INSERT ON {LEG} "
        f"DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION {LEG}_still()",
        guards.refuse(VERSION, APPROVED),
        guards.postgresql("frozen", VERSION, "UPDATE", when=_rewritten("IS DISTINCT FROM")),
        guards.postgresql("kept", VERSION, "DELETE"),
    ),
}
DROP = {
    "sqlite": (
        *guards.drop_sqlite(ACCOUNT, "frozen", "kept", "new"),
        *guards.drop_sqlite(ENTRY, "frozen", "kept", "new", "balanced", "mirrored"),
        *guards.drop_sqlite(LEG, "frozen", "kept", "new", "closed"),
        *guards.drop_sqlite(VERSION, "frozen", "kept"),
    ),
    "postgresql": (
        *guards.drop_postgresql(ACCOUNT, "frozen", "kept", "whole", functions=["refuse"]),
        *guards.drop_postgresql(
            ENTRY, "frozen", "kept", "whole", "balanced", functions=["refuse", "check"]
        ),
        *guards.drop_postgresql(
            LEG, "frozen", "kept", "whole", "closed", "balanced",
            functions=["refuse", "check", "still"],
        ),
        *guards.drop_postgresql(VERSION, "frozen", "kept", functions=["refuse"]),
    ),
}  # fmt: skip


def create(editor: BaseDatabaseSchemaEditor) -> None:
    guards.run(editor, CREATE)


def drop(editor: BaseDatabaseSchemaEditor) -> None:
    guards.run(editor, DROP)
