# SPDX-License-Identifier: AGPL-3.0-or-later
"""A month is said to be whole only where it is; its files are what the command line writes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from click.testing import CliRunner
from django.conf import settings
from django.http import StreamingHttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tamizdat.cli import cli, contributions
from tamizdat.desk.contributions.exports import FORMATS
from tamizdat.desk.contributions.models import Movement, Payout, Standing
from tamizdat.desk.contributions.pages.numbers import closing
from tamizdat.desk.contributions.reports import times
from tamizdat.desk.staff.models import User
from tests.desk.contributions.pages.numbers.scene import Years

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate()
NOW = times.number(TODAY)
LAST = times.name(NOW - 1)
SPRING = date(2026, 4, 15)


@pytest.fixture
def petra(publisher: User, signed_in: Callable[[User], Client]) -> Client:
    return signed_in(publisher)


def months(today: date = SPRING) -> dict[str, closing.Month]:
    return {one.name: one for one in closing.months_of(today.year, today)}


def reconciled(moment: datetime | None) -> None:
    Standing.objects.update(reconciled_to=moment and timezone.make_aware(moment))


def test_without_books_there_is_no_month_to_close(petra: Client) -> None:
    response = petra.get(reverse("contributions:months"))
    assert "There are no books yet" in response.content.decode()


def test_a_month_that_is_over_reconciled_and_explained_is_whole() -> None:
    Years(SPRING, 4).write()
    found = months()
    assert list(found) == ["2026-04", "2026-03", "2026-02", "2026-01"]
    assert [one.state for one in found.values()] == ["open", "whole", "whole", "whole"]
    assert "Each payout is explained" in found["2026-03"].said
    assert found["2026-03"].given
    assert found["2026-03"].payouts


def test_a_month_waits_for_a_reconciliation_after_its_end() -> None:
    Years(SPRING, 4).write()
    reconciled(datetime(2026, 3, 31, 23, 59))
    found = months()
    assert [one.state for one in found.values()] == ["open", "waiting", "whole", "whole"]
    assert "31 March, 23:59, before it ended" in found["2026-03"].said
    reconciled(datetime(2026, 4, 1))
    assert months()["2026-03"].state == "whole"
    reconciled(None)
    assert months()["2026-03"].said == "stripe was never reconciled."


def test_a_payout_that_no_line_explains_keeps_its_month_open() -> None:
    Years(SPRING, 4).write()
    payout = Payout.objects.filter(day__month=2).first()
    assert payout
    line = Movement.objects.filter(payout=payout.ref, kind="payment").first()
    assert line
    Movement.objects.filter(pk=line.pk).update(payout="")
    found = months()
    assert found["2026-02"].state == "wrong"
    assert f"the payout of {payout.day} (stripe)" in found["2026-02"].said
    assert found["2026-03"].state == "whole"


def test_months_are_looked_at_year_by_year(petra: Client) -> None:
    Years(TODAY, 14, each=2).write()
    first = times.first_day(NOW - 13).year
    text = petra.get(reverse("contributions:months"), {"year": f"{first}"}).content.decode()
    assert f"?year={TODAY.year}" in text
    assert f"/months/{first}-12/export/hledger/" in text
    for year in ("1999", "²", f"00{first}1", f"00{first}", "9" * 5000):
        assert petra.get(reverse("contributions:months"), {"year": year}).status_code == 404


@pytest.mark.parametrize("format_", FORMATS)
def test_a_months_books_are_what_the_command_line_writes(
    petra: Client, format_: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Years(TODAY, 4).write()
    Years(TODAY, 4, each=3, currency="KWD").write()
    monkeypatch.setattr(contributions, "start_django", lambda folder: settings.NEWSROOM)
    words = ["--format", format_, "--since", LAST, "--until", LAST]
    done = CliRunner().invoke(cli, ["contributions", "export", *words])
    assert done.exit_code == 0, done.output
    response: Any = petra.get(reverse("contributions:books", args=[LAST, format_]))
    assert isinstance(response, StreamingHttpResponse)
    written = b"".join(response.streaming_content).decode()  # type: ignore[arg-type]  # no async here
    assert written == done.stdout
    assert len(written) > 1000
    ending, kind = closing.FILES[format_]  # type: ignore[index]  # one of the formats
    assert response["Content-Type"] == kind
    assert response["Content-Disposition"] == f'attachment; filename="books-{LAST}.{ending}"'
    assert "no-store" in response["Cache-Control"]


def test_a_file_is_written_while_it_is_read() -> None:
    Years(TODAY, 4).write()
    pieces = list(closing.file("csv", times.first_day(NOW - 3), TODAY))
    assert len(pieces) > 1
    assert max(map(len, pieces)) < 100_000


@pytest.mark.parametrize(
    ("month", "format_"),
    [
        ("2026-13", "csv"),
        ("1926-01", "csv"),
        ("2026-1", "csv"),
        ("2099-01", "csv"),
        ("2026-01", "xlsx"),
    ],
)
def test_there_are_no_books_of_what_is_no_month_and_in_no_other_format(
    petra: Client, month: str, format_: str
) -> None:
    address = reverse("contributions:books", args=[month, format_])
    assert petra.get(address).status_code == 404


def test_books_are_for_those_who_may_see_gifts(
    editor: User, signed_in: Callable[[User], Client]
) -> None:
    address = reverse("contributions:books", args=[LAST, "csv"])
    script = {"x-requested-with": "XMLHttpRequest"}
    assert signed_in(editor).get(address, headers=script).status_code == 403
    assert Client().get(address).status_code == 302
