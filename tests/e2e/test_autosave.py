# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is written is kept without anybody saving it: early, during a save, after one that failed.

“Saved” is taken at its word here: where it stands, everything is in the database.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Dialog, Page, Request, Route, expect

from tests.browsers import lead_away
from tests.browsers import until as on_page
from tests.e2e.conftest import SignIn
from tests.e2e.newsroom import PASSWORD, Newsroom
from tests.e2e.people import (
    add_block,
    add_byline,
    add_source,
    choose_action,
    file_under,
    log_in,
    open_comments,
    saved,
    start_article,
    until,
    write,
    write_into,
)

Headline = Callable[[str], str]
SOURCE = ["Northern Wire", "agency", "https://northernwire.example/a", "The number"]
SAVING = re.compile(r"/desk/snippets/newsroom/article/(add|edit)/")


def is_autosave(request: Request) -> bool:
    return request.method == "POST" and "json" in request.headers.get("accept", "")


class SlowDesk:
    """Holds what the editor sends until the test lets it through."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.held: list[Route] = []
        self.sent = 0
        self.quick = False

    def __call__(self, route: Route) -> None:
        if self.quick or not is_autosave(route.request):
            route.fallback()
            return
        self.sent += 1
        self.held.append(route)

    def wait(self) -> None:
        """Until a save is under way."""
        on_page(self.page, lambda: self.held, "something is saved")

    def answer(self) -> None:
        self.held.pop(0).continue_()


@contextmanager
def slow(page: Page) -> Iterator[SlowDesk]:
    """Within, every save hangs until it is answered; after, saves are quick again."""
    desk = SlowDesk(page)
    page.route(SAVING, desk)
    try:
        yield desk
    finally:
        desk.quick = True
        while desk.held:
            desk.answer()
        page.unroute(SAVING, desk)


@pytest.fixture
def article(newsroom: Newsroom, headline: Headline) -> dict[str, Any]:
    made: dict[str, Any] = newsroom.do("article", headline=headline("Kept as it is typed"))
    return made


def open_editor(page: Page, newsroom: Newsroom, pk: int) -> None:
    page.goto(f"{newsroom.desk}/desk/snippets/newsroom/article/edit/{pk}/")


def with_block(page: Page) -> None:
    write_into(add_block(page, "Text"), "Added while it was being saved.")


def with_source(page: Page) -> None:
    add_source(
        page,
        name=SOURCE[0],
        kind="News agency or other media",
        link=SOURCE[2],
        supports=SOURCE[3],
    )


def with_correction(page: Page) -> None:
    page.get_by_role("tab", name="Corrections").click()
    page.get_by_role("button", name="Add correction").click()
    part = page.get_by_role("region", name=re.compile(r"^Correction \d")).last
    part.get_by_role("textbox", name="Text").fill("The pier has nine lamps, not ten.")


CHANGES: dict[str, tuple[Callable[[Page], None], Callable[[dict[str, Any]], bool]]] = {
    "a field": (
        lambda page: write(page, "Standfirst", "Written meanwhile."),
        lambda kept: kept["standfirst"] == "Written meanwhile.",
    ),
    "a block": (with_block, lambda kept: "Added while it was being saved." in kept["text"]),
    "a byline": (
        lambda page: add_byline(page, "Mira Valdis"),
        lambda kept: len(kept["bylines"]) == 2,
    ),
    "a source": (with_source, lambda kept: SOURCE in kept["sources"]),
    "its filing": (
        lambda page: file_under(page, section="Culture", topic="Harbours", place="Westering"),
        lambda kept: (
            (kept["section"], kept["topics"], kept["places"])
            == ("Culture", ["Harbours"], ["Westering"])
        ),
    ),
    "a correction": (
        with_correction,
        lambda kept: kept["corrections"] == ["The pier has nine lamps, not ten."],
    ),
}


EVERYWHERE = [
    pytest.param(name, marks=[] if name == "a source" else pytest.mark.slow) for name in CHANGES
]


@pytest.mark.parametrize("change", EVERYWHERE)
def test_what_changes_while_a_save_is_under_way_is_saved_next(
    newsroom: Newsroom, sign_in: SignIn, article: dict[str, Any], change: str
) -> None:
    make, is_kept = CHANGES[change]
    rita = sign_in("rita")
    open_editor(rita, newsroom, article["pk"])
    with slow(rita) as desk:
        write(rita, "Kicker", "First")
        desk.wait()
        make(rita)
        desk.answer()
    saved(rita)
    kept = newsroom.do("kept", pk=article["pk"])
    assert kept["kicker"] == "First"
    assert is_kept(kept), kept


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_before_anything_was_saved_is_saved(
    newsroom: Newsroom, sign_in: SignIn, article: dict[str, Any], change: str
) -> None:
    make, is_kept = CHANGES[change]
    rita = sign_in("rita")
    open_editor(rita, newsroom, article["pk"])
    make(rita)
    until(lambda: is_kept(newsroom.do("kept", pk=article["pk"])), f"{change} is kept")
    saved(rita)


def test_words_typed_at_once_and_then_nothing_are_kept(
    newsroom: Newsroom, sign_in: SignIn, article: dict[str, Any]
) -> None:
    rita = sign_in("rita")
    open_editor(rita, newsroom, article["pk"])
    write(rita, "Kicker", "At once")
    until(lambda: newsroom.do("kept", pk=article["pk"])["kicker"] == "At once", "it is kept")
    saved(rita)


@pytest.mark.slow
def test_an_editor_that_is_only_read_saves_nothing(
    newsroom: Newsroom, sign_in: SignIn, article: dict[str, Any]
) -> None:
    edgar = sign_in("edgar")
    with slow(edgar) as desk:
        open_editor(edgar, newsroom, article["pk"])
        edgar.get_by_role("tab", name="Filing").click()
        edgar.get_by_role("tab", name="Write").click()
        edgar.get_by_role("textbox", name="Kicker").click()
        edgar.wait_for_timeout(6000)
        assert not desk.sent


@pytest.mark.slow
def test_saved_never_stands_beside_what_is_not_saved(
    newsroom: Newsroom, sign_in: SignIn, article: dict[str, Any]
) -> None:
    rita = sign_in("rita")
    open_editor(rita, newsroom, article["pk"])
    write(rita, "Kicker", "First")
    saved(rita)
    for number, (make, _) in enumerate(CHANGES.values()):
        with slow(rita) as desk:
            make(rita)
            expect(word(rita)).to_be_hidden()
            desk.wait()
            expect(word(rita)).to_be_hidden(timeout=1)
            rita.get_by_role("tab", name="Write").click()
            write(rita, "Kicker", f"Again {number}")
            desk.answer()
            desk.wait()
            expect(word(rita)).to_be_hidden(timeout=1)
        saved(rita)
        assert newsroom.do("kept", pk=article["pk"])["kicker"] == f"Again {number}"


def word(page: Page) -> Any:
    return page.locator("#w-autosave-indicator").get_by_text(re.compile(r"^\s*Saved\s*$"))


@pytest.mark.slow
def test_a_change_taken_back_is_saved_already(
    newsroom: Newsroom, sign_in: SignIn, article: dict[str, Any]
) -> None:
    rita = sign_in("rita")
    open_editor(rita, newsroom, article["pk"])
    write(rita, "Kicker", "The sea")
    saved(rita)
    with slow(rita) as desk:
        rita.get_by_role("textbox", name="Kicker").evaluate(_TAKEN_BACK, ["The sea and", "The sea"])
        saved(rita)
        assert not desk.sent


# At once: on a busy machine a save could come between the two.
_TAKEN_BACK = """(field, all) => all.forEach((words) => {
  field.value = words;
  field.dispatchEvent(new Event("input", { bubbles: true }));
})"""


@pytest.mark.slow
def test_somebody_who_does_not_stop_typing_is_saved(
    newsroom: Newsroom, sign_in: SignIn, article: dict[str, Any]
) -> None:
    rita = sign_in("rita")
    open_editor(rita, newsroom, article["pk"])
    standfirst = rita.get_by_role("textbox", name="Standfirst")
    standfirst.clear()
    typed = 0
    while "and on" not in newsroom.do("kept", pk=article["pk"])["standfirst"]:
        assert typed < 100, "nothing is saved while somebody types"  # Some seconds, or a minute.
        standfirst.press_sequentially("and on ", delay=100)
        typed += 1
    saved(rita)
    assert newsroom.do("kept", pk=article["pk"])["standfirst"].count("and on") == typed


def test_a_new_article_is_made_once_with_everything_in_it(
    newsroom: Newsroom, sign_in: SignIn, headline: Headline
) -> None:
    rita = sign_in("rita")
    start_article(rita)
    title = headline("Made by itself")
    with slow(rita) as desk:
        write(rita, "Headline", title)
        add_byline(rita, "Mira Valdis")
        desk.wait()
        with_source(rita)
        desk.answer()
        desk.wait()
        with_source(rita)
        file_under(rita, section="News", topic="Harbours")
        desk.answer()
    saved(rita)
    made = newsroom.do("find", headline=title)
    kept = newsroom.do("kept", pk=made["pk"])
    assert (kept["bylines"], kept["sources"]) == (["Mira Valdis"], [SOURCE, SOURCE])
    assert (kept["section"], kept["topics"]) == ("News", ["Harbours"])
    assert newsroom.do("how_many", headline=title) == 1
    rita.reload()
    rita.get_by_role("tab", name="People & sources").click()
    expect(rita.get_by_role("region", name=re.compile(r"^Source \d"))).to_have_count(2)


@pytest.mark.slow
def test_saving_a_new_article_by_hand_while_it_saves_itself_makes_one(
    newsroom: Newsroom, sign_in: SignIn, headline: Headline
) -> None:
    rita = sign_in("rita")
    start_article(rita)
    title = headline("Saved twice at once")
    with slow(rita) as desk:
        write(rita, "Headline", title)
        desk.wait()
        write(rita, "Kicker", "By hand")
        choose_action(rita, "Save draft")
        rita.wait_for_timeout(500)
        desk.answer()
        expect(rita.get_by_role("textbox", name="Kicker")).to_have_value("By hand")
    made = until(lambda: newsroom.do("find", headline=title), "it is made")
    until(lambda: newsroom.do("kept", pk=made["pk"])["kicker"] == "By hand", "it is kept")
    rita.wait_for_url("**/edit/**")
    assert newsroom.do("how_many", headline=title) == 1


@pytest.mark.slow
def test_leaving_with_something_unsaved_is_asked_about(
    newsroom: Newsroom, sign_in: SignIn, article: dict[str, Any]
) -> None:
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    rita = sign_in("rita")
    rita.on("dialog", stay)
    open_editor(rita, newsroom, article["pk"])
    with slow(rita) as desk:
        write(rita, "Kicker", "Not yet")
        rita.close(run_before_unload=True)
        until_asked(rita, asked, 1)
        desk.wait()
        rita.close(run_before_unload=True)
        until_asked(rita, asked, 2)
        write(rita, "Kicker", "Still not")
        desk.answer()
        desk.wait()
        rita.close(run_before_unload=True)
        until_asked(rita, asked, 3)
    saved(rita)
    rita.goto(f"{newsroom.desk}/desk/")
    assert asked == ["beforeunload"] * 3


def until_asked(page: Page, asked: list[str], times: int) -> None:
    on_page(page, lambda: len(asked) >= times, f"it asks {times} times")
    assert len(asked) == times


@pytest.mark.slow
@pytest.mark.parametrize("trouble", ["no network", "an error of the desk"])
def test_a_save_that_failed_says_so_and_is_tried_again(
    newsroom: Newsroom, sign_in: SignIn, article: dict[str, Any], trouble: str
) -> None:
    def fail(route: Route) -> None:
        if not is_autosave(route.request):
            route.fallback()
        elif trouble == "no network":
            route.abort()
        else:
            route.fulfill(status=500, body="<h1>Something went wrong</h1>")

    rita = sign_in("rita")
    open_editor(rita, newsroom, article["pk"])
    rita.route(SAVING, fail)
    write(rita, "Kicker", "Through bad weather")
    expect(rita.get_by_text("Autosave is paused").filter(visible=True).first).to_be_visible()
    rita.wait_for_timeout(4000)
    expect(word(rita)).to_be_hidden(timeout=1)
    expect(rita.get_by_role("textbox", name="Kicker")).to_have_value("Through bad weather")
    rita.unroute(SAVING, fail)
    saved(rita)
    assert newsroom.do("kept", pk=article["pk"])["kicker"] == "Through bad weather"


@pytest.mark.slow
def test_a_new_article_whose_editor_could_not_be_loaded_is_saved_on(
    newsroom: Newsroom, sign_in: SignIn, headline: Headline
) -> None:
    rita = sign_in("rita")
    start_article(rita)
    title = headline("Half hydrated")
    refused: list[str] = []

    def refuse(route: Route) -> None:
        route.abort()
        refused.append(route.request.url)

    rita.route(re.compile(r"_w_hydrate|hydrate"), refuse)
    write(rita, "Headline", title)
    on_page(rita, lambda: refused, "the editor asks what was saved")
    made = until(lambda: newsroom.do("find", headline=title), "it is made")
    rita.unroute_all()
    write(rita, "Kicker", "Afterwards")
    until(lambda: newsroom.do("kept", pk=made["pk"])["kicker"] == "Afterwards", "it is kept")
    saved(rita)
    assert newsroom.do("how_many", headline=title) == 1


@pytest.mark.slow
def test_what_was_typed_while_signed_out_is_saved_after_signing_in(
    newsroom: Newsroom, sign_in: SignIn, headline: Headline
) -> None:
    newsroom.do("account", username="odile", role="Reporter", password=PASSWORD, name="Odile Fen")
    story = newsroom.do("article", headline=headline("Signed out"), by="odile")
    odile = sign_in("odile")
    open_editor(odile, newsroom, story["pk"])
    newsroom.do("sign_out", username="odile")
    write(odile, "Kicker", "Late at night")
    expect(odile.get_by_text("You are signed out").filter(visible=True).first).to_be_visible()
    other = odile.context.new_page()
    other.goto(f"{newsroom.desk}/desk/")
    log_in(other, "odile")
    lead_away(other)
    other.close()
    odile.evaluate("window.dispatchEvent(new Event('focus'))")
    saved(odile)
    assert newsroom.do("kept", pk=story["pk"])["kicker"] == "Late at night"


@pytest.mark.slow
def test_a_comment_half_written_stands_while_the_article_is_saved(
    newsroom: Newsroom, sign_in: SignIn, article: dict[str, Any]
) -> None:
    rita = sign_in("rita")
    open_editor(rita, newsroom, article["pk"])
    comments = open_comments(rita)
    write(rita, "Kicker", "Commented on")
    comments.get_by_role("textbox", name="New comment").fill("I am not sure about")
    saved(rita)
    rita.wait_for_timeout(1000)
    expect(comments.get_by_role("textbox", name="New comment")).to_have_value("I am not sure about")
