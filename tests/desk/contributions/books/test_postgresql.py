# SPDX-License-Identifier: AGPL-3.0-or-later
"""PostgreSQL keeps the books as SQLite does, and where two write in them at once."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.desk.newsletter.engine.server import Server, run_on, tables_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.xdist_group("books-postgresql"),  # One server for all of them.
]
HERE = Path(__file__).parent
ROOT = HERE.parents[3]
LEG = (
    "INSERT INTO contributions_leg (transaction_id, account_id, amount, currency) "
    "VALUES (%s, %s, %s, 'USD')"
)
ENTRY = (
    "INSERT INTO contributions_transaction (id, source, words, day) "
    "VALUES (%s, %s, 'x', '2026-11-23')"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("server")) as found:
        yield found


@pytest.fixture(scope="module")
def tested(server: Server) -> subprocess.CompletedProcess[str]:
    """The other tests of the books, run on PostgreSQL; their database stays."""
    files = [HERE / f"test_{name}.py" for name in ("ledger", "books", "reports")]
    return run_on(server, ROOT, *files)


@pytest.fixture
def two(
    server: Server, tested: subprocess.CompletedProcess[str]
) -> Iterator[list[psycopg.Connection]]:
    """Two sessions at work in the same books, in which there is one account."""
    where = server.url.rpartition("/")[0] + "/test_tests"
    found = [psycopg.connect(where) for _ in range(2)]
    found[0].execute(
        "INSERT INTO contributions_account (name, kind) VALUES ('Assets:Bank', 'Assets') "
        "ON CONFLICT DO NOTHING"
    )
    found[0].commit()
    yield found
    for one in found:
        one.close()


def account(session: psycopg.Connection) -> int:
    row = session.execute("SELECT min(id) FROM contributions_account").fetchone()
    assert row
    return int(row[0])


def lay(session: psycopg.Connection, entry: int, *amounts: int) -> None:
    for amount in amounts:
        session.execute(LEG, (entry, account(session), amount))


def test_the_books_are_kept_as_on_sqlite(
    server: Server, tested: subprocess.CompletedProcess[str]
) -> None:
    assert tested.returncode == 0, tested.stdout[-4000:] + tested.stderr[-2000:]
    assert tables_of(server) > 100


def test_a_leg_that_slips_in_while_its_transaction_is_written_is_refused(
    two: list[psycopg.Connection],
) -> None:
    """Neither session sees what the other one writes."""
    honest, other = two
    lay(honest, 71, 500, -500)
    lay(other, 71, 1)
    honest.execute(ENTRY, (71, "test:71"))
    honest.commit()
    with pytest.raises(psycopg.errors.IntegrityError):
        other.commit()


def test_legs_without_a_transaction_are_not_committed(two: list[psycopg.Connection]) -> None:
    lay(two[0], 72, 500, -500)
    with pytest.raises(psycopg.errors.IntegrityError):
        two[0].commit()


def test_of_two_sessions_one_books_a_source(two: list[psycopg.Connection]) -> None:
    first, second = two
    lay(first, 73, 500, -500)
    first.execute(ENTRY, (73, "test:73"))
    lay(second, 74, 500, -500)
    first.commit()
    with pytest.raises(psycopg.errors.UniqueViolation):
        second.execute(ENTRY, (74, "test:73"))
    second.rollback()


def test_nothing_is_emptied(two: list[psycopg.Connection]) -> None:
    with pytest.raises(psycopg.errors.IntegrityError):
        two[0].execute("TRUNCATE contributions_leg, contributions_transaction CASCADE")
    two[0].rollback()
