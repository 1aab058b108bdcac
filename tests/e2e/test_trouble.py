# SPDX-License-Identifier: AGPL-3.0-or-later
"""What people do by accident, and what machines do: nothing is lost, nothing happens twice."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import SignIn
from tests.e2e.newsroom import PASSWORD, Newsroom
from tests.e2e.people import choose_action, live, save_draft, saved, write

Headline = Callable[[str], str]


@pytest.mark.slow
def test_a_build_that_failed_says_why_and_can_be_tried_again(
    newsroom: Newsroom, sign_in: SignIn, headline: Headline
) -> None:
    story = newsroom.do("article", headline=headline("The photo that went missing"))
    newsroom.do("lead_photo", pk=story["pk"], by="rita")
    newsroom.stop("worker")
    try:
        petra = sign_in("petra")
        petra.goto(f"{newsroom.desk}/desk/publishing/article/{story['pk']}/")
        petra.get_by_role("button", name="Continue").click()
        petra.get_by_role("button", name="Publish now").click()
        expect(petra.get_by_text("Queued:")).to_be_visible()
        assert newsroom.do("lose_photo", pk=story["pk"]) > 0
    finally:
        newsroom.start("worker")
    failed = petra.get_by_text("It could not be built")
    expect(failed).to_be_visible(timeout=60_000)
    expect(petra.get_by_role("alert")).to_contain_text(re.compile("photo|media|picture|file"))

    petra.goto(f"{newsroom.desk}/desk/")
    expect(petra.get_by_role("region", name="Failed")).to_contain_text(
        "The photo that went missing"
    )
    newsroom.do("find_photo", pk=story["pk"])
    petra.goto(f"{newsroom.desk}/desk/publishing/article/{story['pk']}/")
    petra.get_by_role("button", name="Retry").click()
    live(petra)
    assert newsroom.read(newsroom.do("about", pk=story["pk"])["path"]).status == 200


def test_two_clicks_on_publish_publish_once(
    newsroom: Newsroom, sign_in: SignIn, headline: Headline
) -> None:
    story = newsroom.do("article", headline=headline("Clicked in a hurry"))
    petra = sign_in("petra")
    petra.goto(f"{newsroom.desk}/desk/publishing/article/{story['pk']}/")
    petra.get_by_role("button", name="Continue").click()
    petra.get_by_role("button", name="Publish now").dblclick()
    live(petra)
    assert newsroom.do("about", pk=story["pk"])["versions"] == 1


def test_going_back_and_publishing_again_publishes_once(
    newsroom: Newsroom, sign_in: SignIn, headline: Headline
) -> None:
    story = newsroom.do("article", headline=headline("Back and again"))
    petra = sign_in("petra")
    petra.goto(f"{newsroom.desk}/desk/publishing/article/{story['pk']}/")
    petra.get_by_role("button", name="Continue").click()
    petra.get_by_role("button", name="Publish now").click()
    live(petra)
    petra.go_back()
    again = petra.get_by_role("button", name="Publish now")
    if again.count():
        again.click()
    live(petra)
    assert newsroom.do("about", pk=story["pk"])["versions"] == 1


def test_an_editor_sees_that_a_colleague_is_writing_in_the_same_article(
    newsroom: Newsroom, sign_in: SignIn, headline: Headline
) -> None:
    story = newsroom.do("article", headline=headline("Two pens, one page"))
    edit = f"{newsroom.desk}/desk/snippets/newsroom/article/edit/{story['pk']}/"
    edgar, rita = sign_in("edgar"), sign_in("rita")
    edgar.goto(edit)
    rita.goto(edit)
    rita.locator(".w-editing-sessions__session").first.hover(timeout=60_000)
    expect(rita.get_by_text("Edgar Moss").first).to_be_visible()


@pytest.mark.slow
def test_somebody_who_only_reads_learns_of_a_newer_version(
    newsroom: Newsroom, sign_in: SignIn, headline: Headline
) -> None:
    story = newsroom.do("article", headline=headline("Read over a shoulder"))
    edit = f"{newsroom.desk}/desk/snippets/newsroom/article/edit/{story['pk']}/"
    edgar, rita = sign_in("edgar"), sign_in("rita")
    rita.goto(edit)
    edgar.goto(edit)
    write(edgar, "Kicker", "By Edgar")
    saved(edgar)
    # The editor asks every ten seconds.
    newer = rita.get_by_role("button", name="Edgar Moss saved a new version")
    expect(newer.first).to_be_visible(timeout=60_000)


def test_a_colleagues_newer_version_is_not_overwritten_silently(
    newsroom: Newsroom, sign_in: SignIn, headline: Headline
) -> None:
    title = headline("Whose words stay")
    story = newsroom.do("article", headline=title)
    edit = f"{newsroom.desk}/desk/snippets/newsroom/article/edit/{story['pk']}/"
    edgar, rita = sign_in("edgar"), sign_in("rita")
    edgar.goto(edit)
    rita.goto(edit)
    write(edgar, "Kicker", "By Edgar")
    save_draft(edgar)
    write(rita, "Kicker", "By Rita")
    warning = rita.get_by_text("Saving will overwrite a newer version")
    expect(warning.filter(visible=True).first).to_be_visible(timeout=60_000)
    # Wagtail shows the words a moment before it holds the button.
    expect(rita.locator("[data-w-session-intercept-value=conflict]")).to_be_attached()
    choose_action(rita, "Save draft")
    expect(rita.get_by_role("dialog").filter(has_text="Edgar Moss").first).to_be_visible()
    assert newsroom.do("kept", pk=story["pk"])["kicker"] == "By Edgar"


def test_what_was_typed_when_the_session_ended_is_not_lost_silently(
    newsroom: Newsroom, sign_in: SignIn, headline: Headline
) -> None:
    newsroom.do("account", username="nora", role="Reporter", password=PASSWORD, name="Nora Voss")
    story = newsroom.do("article", headline=headline("Written until late"), by="nora")
    nora = sign_in("nora")
    nora.goto(f"{newsroom.desk}/desk/snippets/newsroom/article/edit/{story['pk']}/")
    nora.wait_for_timeout(2500)
    newsroom.do("sign_out", username="nora")
    write(nora, "Standfirst", "A long night's work that must not vanish.")
    expect(
        nora.get_by_text(
            re.compile(
                "[Cc]ould not|[Cc]annot|[Ee]rror|[Ss]igned out|log in|sign in|Sign in|failed"
            )
        )
        .filter(visible=True)
        .first
    ).to_be_visible(timeout=60_000)
    expect(nora.get_by_role("textbox", name="Standfirst")).to_have_value(re.compile("long night"))
