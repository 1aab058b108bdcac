# SPDX-License-Identifier: AGPL-3.0-or-later
"""What happens to a story that readers already have: corrected, withdrawn, restored, moved."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect

from tests.e2e.conftest import SignIn
from tests.e2e.newsroom import Newsroom
from tests.e2e.paper import Paper
from tests.e2e.people import live, until

Headline = Callable[[str], str]


def published(newsroom: Newsroom, title: str, **more: Any) -> dict[str, Any]:
    """An article that rita wrote and petra published, live."""
    made = newsroom.do("article", headline=title, publish_by="petra", topic="harbours", **more)
    return until(lambda: _live(newsroom, made["pk"]), "the story goes live")


def _live(newsroom: Newsroom, pk: int) -> dict[str, Any] | None:
    now: dict[str, Any] = newsroom.do("about", pk=pk)
    return now if now["state"] == "live" else None


def test_a_correction_stands_above_the_text_and_is_marked_in_lists(
    newsroom: Newsroom, sign_in: SignIn, headline: Headline
) -> None:
    title = headline("The bridge has four arches")
    story = published(newsroom, title)
    petra = sign_in("petra")
    petra.goto(f"{newsroom.desk}/desk/publishing/article/{story['pk']}/correct/")
    petra.get_by_label("What was wrong").fill("The bridge has five arches, not four.")
    expect(petra.locator(".pub-preview")).to_contain_text("five arches, not four")
    petra.get_by_role("button", name="Publish the correction").click()
    live(petra)
    until(
        lambda: "five arches" in newsroom.read(story["path"]).text, "the correction reaches readers"
    )

    paper = Paper(newsroom.paper)
    page = paper.page(story["path"])
    (notes,) = page.find_class("corrections")
    assert "Correction" in notes.text_content()
    assert "five arches, not four" in notes.text_content()
    assert notes.xpath(".//time/@datetime")[0].startswith("2")
    (text,) = page.find_class("body")
    order = [element for element in page.iter() if element in (notes, text)]
    assert order == [notes, text]
    corrected = paper.news_article(story["path"])["correction"]
    assert "five arches" in str(corrected)
    assert "CorrectionComment" in str(corrected)
    for path in ("/en/", "/en/news/", "/en/topics/harbours/"):
        (link, *_) = paper.page(path).xpath(f"//main//a[@href='{story['path']}']")
        entry = next(e for e in link.iterancestors() if e.tag in ("li", "article", "div"))
        assert re.search("(?i)correct", entry.text_content()), path


def test_a_withdrawn_story_leaves_a_tombstone_and_can_come_back(
    newsroom: Newsroom, sign_in: SignIn, headline: Headline
) -> None:
    title = headline("The lighthouse keeper speaks")
    story = published(newsroom, title)
    neighbour = published(newsroom, headline("Another story of the harbours"))
    paper = Paper(newsroom.paper)
    assert story["path"] in paper.stories(neighbour["path"])

    petra = sign_in("petra")
    petra.goto(f"{newsroom.desk}/desk/publishing/article/{story['pk']}/withdraw/")
    petra.get_by_label("Why it is withdrawn").fill("The keeper asked us to, for his safety.")
    petra.get_by_role("button", name="Withdraw it").click()
    expect(petra.get_by_role("button", name="Withdraw it")).to_be_visible()
    assert newsroom.read(story["path"]).status == 200

    petra.get_by_label("Type “withdraw”").fill("withdraw")
    petra.get_by_role("button", name="Withdraw it").click()
    live(petra)
    until(lambda: newsroom.read(story["path"]).status == 410, "the tombstone stands")
    tombstone = newsroom.read(story["path"]).text
    assert "for his safety" in tombstone
    assert "nobody was there to see it" not in tombstone
    for path in ("/en/", "/en/news/", "/en/topics/harbours/", neighbour["path"]):
        assert story["path"] not in paper.stories(path), path
    assert story["path"] not in paper.feed_links("/en/feed.xml")
    assert story["path"] not in paper.sitemap()
    assert story["path"] not in paper.news_sitemaps()

    petra.get_by_role("button", name="Restore").click()
    until(lambda: newsroom.read(story["path"]).status == 200, "the story is back")
    assert "nobody was there to see it" in newsroom.read(story["path"]).text
    assert story["path"] in paper.stories("/en/news/")
    assert story["path"] in paper.sitemap()


def test_a_story_that_moved_is_found_at_its_old_address(
    newsroom: Newsroom, sign_in: SignIn, headline: Headline
) -> None:
    story = published(newsroom, headline("A story with a clumsy name"))
    petra = sign_in("petra")
    petra.goto(f"{newsroom.desk}/desk/publishing/article/{story['pk']}/address/")
    slug = f"the-better-name-{story['pk']}"
    petra.get_by_label("Last part of the address").fill(slug)
    petra.get_by_role("button", name="Move it").click()
    live(petra)
    moved = until(
        lambda: (
            newsroom.read(story["path"].rsplit("/", 2)[0] + f"/{slug}/").status == 200
            and newsroom.do("about", pk=story["pk"])["path"]
        ),
        "the story is at its new address",
    )
    old = newsroom.read(story["path"])
    assert old.status in (301, 308)
    assert old.headers["Location"].endswith(moved)
    paper = Paper(newsroom.paper)
    assert moved in paper.stories("/en/news/")
    assert story["path"] not in paper.sitemap()

    reader = sign_in("rita")
    reader.goto(newsroom.paper + story["path"])
    reader.wait_for_url(newsroom.paper + moved)
