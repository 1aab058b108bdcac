# SPDX-License-Identifier: AGPL-3.0-or-later
"""What readers gave, as a publisher looks at it: drawn under the desk's policy, by nobody else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browsers import until
from tests.e2e import newsroom as houses
from tests.e2e.conftest import STAFF, Open
from tests.e2e.newsroom import PASSWORD, Newsroom
from tests.e2e.people import log_in, overflow, violations
from tests.e2e.test_policy import LISTEN

pytestmark = pytest.mark.slow
OVERVIEW = "/desk/contributions/"
# What each chart holds, as people read it: series by series, with the sign that it is drawn with.
DRAWN = """
() => [...document.querySelectorAll("figure[data-plot]")].map((figure) => {
  const chart = Chart.getChart(figure.querySelector("canvas"));
  const plot = JSON.parse(document.getElementById(figure.dataset.plot).textContent);
  return {
    title: figure.querySelector("h2, h3").textContent,
    digits: plot.digits,
    unit: plot.unit,
    series: chart.data.datasets.map((set) => ({ name: set.label, values: set.data })),
    head: [...figure.querySelectorAll("thead th")].map((cell) => cell.textContent),
    rows: [...figure.querySelectorAll("tbody tr")]
      .map((row) => [...row.children].map((cell) => cell.textContent)),
  };
})
"""
# Whether something was drawn on every canvas, and in which colours.
INK = """
() => [...document.querySelectorAll("figure canvas")].map((canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const found = new Set();
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] > 250) found.add(`${data[i]},${data[i + 1]},${data[i + 2]}`);
  }
  return found.size;
})
"""
TEXT = """() => {
  const chart = Chart.getChart(document.querySelector("#sums canvas"));
  return [chart.options.scales.x.ticks.color, chart.options.plugins.tooltip.backgroundColor];
}"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsroom]:
    """A newsroom to which readers gave for two years, in three currencies."""
    room = houses.make(tmp_path_factory.mktemp("numbers") / "house", ("en",))
    try:
        role, name = STAFF["petra"]
        room.do("account", username="petra", role=role, password=PASSWORD, name=name)
        room.do("years_of_giving", months=20, currencies={"USD": 12, "JPY": 3, "KWD": 2})
        room.start("desk")
        yield room
    finally:
        room.close()


def listen(context: BrowserContext, host: str) -> list[str]:
    """What must not happen: scripts that may not run, errors, requests to anybody else."""
    said: list[str] = []
    context.expose_function("blocked", lambda text: said.append(text))
    context.add_init_script(LISTEN)
    context.on("weberror", lambda error: said.append(str(error.error)))
    context.on(
        "console",
        lambda line: said.append(line.text) if line.type in ("error", "warning") else None,
    )
    context.on(
        "request",
        lambda one: (
            said.append(one.url)
            if urlsplit(one.url).netloc not in ("", urlsplit(host).netloc)
            else None
        ),
    )
    return said


def all_drawn(page: Page) -> None:
    expect(page.locator("figure[data-plot]")).not_to_have_count(0)
    expect(page.locator("figure[data-plot]:not([data-drawn])")).to_have_count(0)


def test_what_readers_gave_is_drawn_and_told_alike_in_light_and_dark_on_any_screen(
    house: Newsroom, open_browser: Open
) -> None:
    context = open_browser(color_scheme="light", reduced_motion="reduce")
    said = listen(context, house.desk)
    page = context.new_page()
    page.goto(f"{house.desk}/desk/")
    log_in(page, "petra")
    panel = page.get_by_role("region", name="Contributions")
    expect(panel).to_contain_text("every month")
    panel.get_by_role("link", name="Contributions").click()
    all_drawn(page)
    for figure in page.evaluate(DRAWN):
        tell_alike(figure)
    # On every canvas something is drawn.
    inked = f"Math.min(...({INK.strip()})()) > 2"
    until(page, lambda: page.evaluate(inked), "every canvas is drawn")
    assert violations(page, within=".num") == []

    light = page.evaluate(TEXT)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        """(before) => {
          const chart = Chart.getChart(document.querySelector("#sums canvas"));
          return chart && chart.options.scales.x.ticks.color !== before;
        }""",
        arg=light[0],
    )
    assert page.evaluate(TEXT)[1] != light[1]
    assert violations(page, within=".num") == []

    page.get_by_role("navigation", name="Currency").get_by_role("link", name="KWD").click()
    expect(page.locator(".num-time")).to_contain_text("in KWD")
    all_drawn(page)
    summary = page.locator("#sums summary")
    summary.click()
    expect(page.locator("#sums table")).to_be_visible()
    expect(page.locator("#sums tfoot td").first).to_have_text(re.compile(r"^[\d,]+\.\d{3}$"))

    page.set_viewport_size({"width": 360, "height": 800})
    for path in (OVERVIEW, f"{OVERVIEW}months/", "/desk/"):
        page.goto(house.desk + path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        if path == OVERVIEW:
            all_drawn(page)
        assert overflow(page) == [], path
    assert said == []


def tell_alike(figure: dict[str, Any]) -> None:
    """Each series that is drawn stands in the table in a column of its name."""
    for series in figure["series"]:
        if figure["unit"] == "share":
            continue
        at = figure["head"].index(series["name"]) if series["name"] in figure["head"] else 0
        if figure["title"] == "Paid out to the bank":
            continue  # Drawn by month, told payout by payout.
        assert at, f"{figure['title']}: {series['name']} stands in no column"
        told = [row[at].replace(",", "").replace(".", "") for row in figure["rows"]]
        drawn = [f"{abs(value or 0)}" for value in series["values"]]
        assert [int(cell) for cell in told] == [int(value) for value in drawn]


def test_without_a_script_the_numbers_are_there_as_tables(
    house: Newsroom, open_browser: Open
) -> None:
    context = open_browser()
    page = context.new_page()
    page.goto(f"{house.desk}/desk/")
    log_in(page, "petra")
    plain = open_browser(java_script_enabled=False, storage_state=context.storage_state())
    without = plain.new_page()
    without.goto(f"{house.desk}{OVERVIEW}")
    without.locator("#sums summary").click()
    expect(without.locator("#sums tbody tr")).to_have_count(12)
    expect(without.locator("#sums .num-plot")).to_be_hidden()
    without.get_by_role("link", name="Close a month").click()
    with without.expect_download() as started:
        without.get_by_role("link", name=re.compile("^beancount of")).first.click()
    assert started.value.suggested_filename.endswith(".beancount")
    assert started.value.path().read_text().startswith('option "title"')
