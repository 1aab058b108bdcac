# SPDX-License-Identifier: AGPL-3.0-or-later
"""The whole way: a reporter writes, an editor reviews, a publisher publishes, readers read."""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import brotli
from PIL import Image
from playwright.sync_api import Page, expect

from tests.e2e.conftest import NOTE, SignIn
from tests.e2e.newsroom import Newsroom
from tests.e2e.paper import Paper
from tests.e2e.people import (
    add_block,
    add_byline,
    add_source,
    choose_action,
    file_under,
    offered,
    open_comments,
    open_panel,
    publish_now,
    save_draft,
    saved,
    start_article,
    until,
    upload_lead_photo,
    write,
    write_into,
)

CAMERA = b"Spyglass 9000"
REAL_NAME = b"Wilhelmina"


def photo_from_a_phone() -> bytes:
    """A JPEG that tells with what and where it was taken."""
    image = Image.frombytes("RGB", (100, 64), os.urandom(100 * 64 * 3)).resize((1000, 640))
    exif = Image.Exif()
    exif[0x010F] = CAMERA.decode()
    place = exif.get_ifd(0x8825)
    place[1], place[2], place[3], place[4] = "N", (52.0, 31.0, 12.0), "E", (13.0, 24.0, 36.0)
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif, quality=80)
    assert CAMERA in out.getvalue()
    return out.getvalue()


def test_an_article_goes_from_a_reporters_desk_to_the_paper(
    newsroom: Newsroom, sign_in: SignIn, headline: Callable[[str], str]
) -> None:
    title = headline("Ferries return to Westering")
    rita = sign_in("rita")
    edit_url = rita_writes(rita, title)
    rita_looks_at_it_as_readers_will(rita, title)
    rita_sends_it_to_review(rita)

    edgar = sign_in("edgar")
    edgar.goto(edit_url)
    edgar_asks(edgar)
    rita.goto(edit_url)
    rita_answers(rita)
    assert "Approve" not in offered(rita)
    edgar.goto(edit_url)
    choose_action(edgar, re.compile("^Approve$"))
    edgar.wait_for_url(lambda url: "/edit/" not in url)

    petra = sign_in("petra")
    petra.goto(edit_url)
    path = petra_publishes(petra, newsroom)
    readers_find_it(newsroom, path, title)
    the_photo_tells_nothing(newsroom, path)
    the_edition_keeps_the_newsrooms_secrets(newsroom)


def rita_writes(rita: Page, title: str) -> str:
    """The article's address at the desk."""
    start_article(rita)
    write(rita, "Kicker", "The sea")
    write(rita, "Headline", title)
    write(rita, "Standfirst", "After two years without a boat, the morning line runs again.")
    write_into(add_block(rita, "Text"), "The first ferry came in at six, with nine people aboard.")
    heading = add_block(rita, "Heading")
    heading.get_by_role("textbox", name="Text").fill("Who pays")
    quote = add_block(rita, "Pull quote")
    write_into(quote, "We counted every plank")
    quote.get_by_role("textbox", name="Who said it").fill("Jonas Hale, boatswain")
    upload_lead_photo(
        rita,
        photo_from_a_phone(),
        Title="Ferry",
        Alternative_text="A small ferry at a stone quay",
        Caption="The Petrel on its first morning",
        Credit="Anna Rook",
    )
    add_byline(rita, "Mira Valdis")
    add_source(
        rita,
        name="Northern Wire",
        kind="News agency or other media",
        link="https://northernwire.example/ferries",
        supports="The number of passengers",
    )
    file_under(rita, section="News", topic="Harbours", place="Westering")
    saved(rita)
    until(lambda: "/edit/" in rita.url, "the new article gets an address")
    return rita.url.partition("?")[0]


def rita_looks_at_it_as_readers_will(rita: Page, title: str) -> None:
    rita.reload()
    rita.get_by_role("tab", name="Write").click()
    expect(rita.get_by_role("textbox", name="Headline")).to_have_value(title)
    rita.get_by_role("button", name="Toggle preview").click()
    preview = rita.frame_locator("iframe[title='Preview']").first
    expect(preview.get_by_role("heading", level=1)).to_have_text(title)
    expect(preview.get_by_text("We counted every plank")).to_be_attached()
    rita.get_by_role("button", name="Toggle preview").click()


def rita_sends_it_to_review(rita: Page) -> None:
    panel_for_reporter = offered(rita)
    assert not {name for name in panel_for_reporter if re.match("Publish$|Publish now", name)}
    choose_action(rita, re.compile("^(Submit|Send) to"))
    expect(rita.get_by_text("has been sent to review")).to_be_visible()


def edgar_asks(edgar: Page) -> None:
    comments = open_comments(edgar)
    comments.get_by_role("textbox", name="New comment").fill("Who counted the planks?")
    comments.get_by_role("button", name="Comment", exact=True).click()
    expect(comments.get_by_text("Who counted the planks?")).to_be_visible()


def rita_answers(rita: Page) -> None:
    comments = open_comments(rita)
    comments.get_by_role("textbox", name="Answer to Edgar Moss").fill("The boatswain did.")
    comments.get_by_role("button", name="Answer", exact=True).click()
    expect(comments.get_by_text("The boatswain did.")).to_be_visible()
    comments.get_by_role("button", name="Settle").click()
    expect(comments.get_by_text("Settled (1)")).to_be_visible()


def petra_publishes(petra: Page, newsroom: Newsroom) -> str:
    """The story's address in the paper."""
    open_panel(petra)
    expect(petra.get_by_text("Nothing is missing.")).to_be_visible()
    expect(petra.get_by_text("the section News")).to_be_visible()
    publish_now(petra)
    expect(petra.get_by_text(re.compile("Live in edition"))).to_be_visible(timeout=60_000)
    address = petra.get_by_role("link", name="Read it in the paper").get_attribute("href") or ""
    assert address.startswith(newsroom.paper)
    return address.removeprefix(newsroom.paper)


def readers_find_it(newsroom: Newsroom, path: str, title: str) -> None:
    paper = Paper(newsroom.paper)
    until(lambda: newsroom.do("waiting") == 0, "the worker builds what waits")
    for lists in ("/en/", "/en/news/", "/en/topics/harbours/", "/en/places/westering/"):
        assert path in paper.stories(lists), lists
    assert path in paper.stories("/en/people/mira-valdis/")
    for feed in ("/en/feed.xml", "/en/news/feed.xml"):
        assert path in paper.feed_links(feed), feed
    items = json.loads(paper.get("/en/feed.json").text)["items"]
    assert newsroom.paper + path in [item["url"] for item in items]
    assert path in paper.sitemap()
    assert path in paper.news_sitemaps()
    words = paper.words(path)
    for said in (
        *("The sea", title, "After two years", "nine people aboard", "Who pays"),
        *("We counted every plank", "Jonas Hale", "The Petrel on its first morning"),
        *("Anna Rook", "Mira Valdis", "Northern Wire", "The number of passengers"),
    ):
        assert said in words, said
    assert "planks?" not in words
    item = paper.news_article(path)
    assert item["author"][0]["name"] == "Mira Valdis"
    assert paper.page(path).xpath("//a[@href='https://northernwire.example/ferries']")
    (image,) = paper.page(path).xpath("//article//figure//img")
    assert image.get("alt") == "A small ferry at a stone quay"
    assert image.get("width")
    assert image.get("height")


def the_photo_tells_nothing(newsroom: Newsroom, path: str) -> None:
    paper = Paper(newsroom.paper)
    page = paper.page(path)
    named = page.xpath("//figure//@srcset | //figure//img/@src")
    addresses = {c.split()[0] for each in named for c in each.split(",")}
    kinds = set()
    for address in addresses:
        data = paper.get(paper.inside(address)).body
        with Image.open(io.BytesIO(data)) as image:
            kinds.add(image.format)
            assert not image.getexif().get_ifd(0x8825), address
            assert CAMERA.decode() not in str(dict(image.getexif())), address
    assert kinds == {"AVIF", "WEBP", "JPEG"}


def the_edition_keeps_the_newsrooms_secrets(newsroom: Newsroom) -> None:
    assert REAL_NAME.decode() in NOTE
    files = [f for f in (newsroom.folder / "edition").rglob("*") if f.is_file()]
    assert len(files) > 20
    for file in files:
        data = _plain(file)
        assert REAL_NAME not in data, file
        assert CAMERA not in data, file
        assert b"rita" not in data, file


def _plain(file: Path) -> bytes:
    data = file.read_bytes()
    return brotli.decompress(data) if file.suffix == ".br" else data


def test_a_publisher_cannot_publish_what_they_wrote_alone(
    newsroom: Newsroom, sign_in: SignIn, headline: Callable[[str], str]
) -> None:
    petra = sign_in("petra")
    start_article(petra)
    write(petra, "Headline", headline("A tide of one's own"))
    write_into(add_block(petra, "Text"), "Nobody has read this but me.")
    file_under(petra, section="News")
    saved(petra)
    open_panel(petra)
    expect(petra.get_by_text("Needs a second person")).to_be_visible()
    expect(petra.get_by_role("button", name="Continue")).to_have_count(0)


def test_a_reporter_is_told_who_publishes(
    newsroom: Newsroom, sign_in: SignIn, headline: Callable[[str], str]
) -> None:
    made = newsroom.do("article", headline=headline("Low water"), by="rita")
    rita = sign_in("rita")
    rita.goto(f"{newsroom.desk}/desk/publishing/article/{made['pk']}/")
    expect(rita.get_by_text("a publisher sends it out")).to_be_visible()
    expect(rita.get_by_role("button", name="Continue")).to_have_count(0)
    rita.goto(f"{newsroom.desk}/desk/publishing/article/{made['pk']}/confirm/?when=now")
    rita.wait_for_url(lambda url: "/confirm/" not in url)
    assert not newsroom.do("about", pk=made["pk"])["live"]


def test_the_panel_says_what_is_missing(
    newsroom: Newsroom, sign_in: SignIn, headline: Callable[[str], str]
) -> None:
    rita = sign_in("rita")
    start_article(rita)
    title = headline("Nothing but a headline")
    write(rita, "Headline", title)
    save_draft(rita)
    made = until(lambda: newsroom.do("find", headline=title), "the draft is kept")
    petra = sign_in("petra")
    petra.goto(f"{newsroom.desk}/desk/snippets/newsroom/article/edit/{made['pk']}/")
    open_panel(petra)
    for missing in ("It has no text", "It is in no section", "no byline", "names no source"):
        expect(petra.get_by_text(missing)).to_be_visible()
    expect(petra.get_by_role("button", name="Continue")).to_have_count(0)
