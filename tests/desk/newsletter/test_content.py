# SPDX-License-Identifier: AGPL-3.0-or-later
"""What readers get of an issue: published stories, whole addresses, no drafts."""

from __future__ import annotations

import datetime
import hashlib
import io
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from wagtail.models import Locale

from tamizdat import letterbox
from tamizdat.config import Newsroom
from tamizdat.desk.newsletter.content import content_of, day_of, letter_html, told_to_cohorts
from tamizdat.desk.newsletter.models import Issue, IssueItem, IssueSection, Newsletter
from tamizdat.desk.newsletter.pictures import MOST, WIDTH
from tamizdat.desk.newsroom.models import Article, Byline, Person, Photo, Section, Source
from tamizdat.desk.publishing import actions
from tamizdat.desk.staff.models import User
from tamizdat.edition.signed.told import Mirror
from tamizdat.mail import layout
from tamizdat.mail.content import PREFERENCES, UNSUBSCRIBE, decode, encode
from tests.signed import newsroom as signed

Write = Callable[[str], Article]
NOW = datetime.datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
TOML = """
name = "The Meridian"
address = "https://meridian.example"
languages = ["en", "ru", "ar"]
timezone = "Europe/Berlin"

[paper]
tree = false
entries = ["https://reader.example/"]
{drops}
"""
DROPS = """
[[drops]]
name = "pier"
url = "https://drop.example/"
"""


def _newsroom(folder: Path, drops: str = DROPS) -> Newsroom:
    folder.mkdir(exist_ok=True)
    (folder / "tamizdat.toml").write_text(TOML.format(drops=drops))
    newsroom = Newsroom(folder)
    letterbox.ensure_keys(newsroom)
    return newsroom


@pytest.fixture
def issue(english: Locale, tmp_path: Path, settings: Any) -> Issue:
    """An issue with an empty heading, in a newsroom with a drop and no keys."""
    settings.NEWSROOM = _newsroom(tmp_path / "newsroom")
    settings.MEDIA_ROOT = tmp_path / "newsroom" / "media"
    newsletter = Newsletter.objects.create(
        slug="friday",
        language="en",
        title="The Friday Letter",
        sender_name="The Meridian",
        sender_address="letter@meridian.example",
        postal="Box 12, Lindenhaven",
        hour=datetime.time(7),
        zone="Europe/Berlin",
    )
    made = Issue.objects.create(
        newsletter=newsletter, number=47, subject="The boats run", created=NOW, edited=NOW
    )
    IssueSection.objects.create(issue=made, title="News")
    return made


@pytest.fixture
def write(reporter: User, english: Locale, news: Section, person: Person) -> Write:
    """A draft with this slug, by the reporter."""

    def make(slug: str) -> Article:
        article = Article(
            locale=english,
            headline=slug.replace("-", " ").capitalize(),
            section=news,
            slug=slug,
            body=[("text", f"<p>The text of {slug}.</p>")],
        )
        article.bylines.add(Byline(person=person))
        article.sources.add(Source(name="Harbour office", kind="official"))
        article.full_clean()
        article.save()
        article.save_revision(user=reporter)
        return Article.objects.get(pk=article.pk)

    return make


def pick(issue: Issue, article: Article, **own: Any) -> IssueItem:
    return IssueItem.objects.create(section=issue.sections.get(), article=article, **own)


def published(article: Article, publisher: User) -> Article:
    actions.publish_article(article=article, acting_user=publisher)
    return Article.objects.get(pk=article.pk)


def test_a_story_stands_as_it_was_published(
    issue: Issue, article: Article, publisher: User
) -> None:
    live = published(article, publisher)
    pick(issue, live)
    content, _ = content_of(issue, text="summary")
    (heading,) = content.headings
    (item,) = heading.items
    assert heading.title == "News"
    assert item.headline == "Ferry crews end their strike"
    assert item.blurb == "After nine days the boats run again."
    assert (item.kicker, item.byline, item.minutes) == ("Ports", "Mira Valdis", 1)
    assert item.url == f"https://meridian.example{live.path}"
    assert item.html == ""


def test_an_issues_own_words_come_first(issue: Issue, article: Article, publisher: User) -> None:
    pick(issue, published(article, publisher), headline="The boats!", blurb="At last.")
    (item,) = content_of(issue, text="summary")[0].headings[0].items
    assert (item.headline, item.blurb) == ("The boats!", "At last.")


def test_a_draft_is_never_in_it(
    issue: Issue, article: Article, write: Write, publisher: User
) -> None:
    live = published(article, publisher)
    live.headline = "A draft that nobody has read"
    live.save_revision(user=publisher)
    pick(issue, live)
    pick(issue, write("never-published"))
    for text in ("summary", "full"):
        encoded = encode(content_of(issue, text=text)[0]).decode()
        assert "nobody has read" not in encoded
        assert "never" not in encoded.lower()


def test_a_withdrawn_story_is_left_out_and_its_heading_too(
    issue: Issue, article: Article, publisher: User
) -> None:
    live = published(article, publisher)
    pick(issue, live)
    actions.withdraw_article(article=live, reason="By mistake.", acting_user=publisher)
    assert content_of(issue, text="summary")[0].headings == ()


def test_a_correction_is_said(issue: Issue, article: Article, publisher: User) -> None:
    live = published(article, publisher)
    pick(issue, live)
    before = encode(content_of(issue, text="summary")[0])
    actions.correct_article(article=live, text="It was ten days.", acting_user=publisher)
    content, _ = content_of(issue, text="summary")
    assert content.headings[0].items[0].corrected == "It was ten days."
    assert encode(content) != before


def test_whole_articles_stand_in_the_full_form_alone(
    issue: Issue, article: Article, publisher: User
) -> None:
    pick(issue, published(article, publisher))
    content, _ = content_of(issue, text="full")
    assert content.text == "full"
    assert "The crews went back on Monday." in content.headings[0].items[0].html
    assert "The crews went back on Monday." in layout.issue(content).plain


def test_stories_stand_in_the_editors_order(issue: Issue, write: Write, publisher: User) -> None:
    for order, slug in ((2, "second-storm"), (1, "first-storm")):
        pick(issue, published(write(slug), publisher), order=order)
    items = content_of(issue, text="summary")[0].headings[0].items
    assert [item.headline for item in items] == ["First storm", "Second storm"]


def test_the_same_issue_gives_the_same_bytes(
    issue: Issue, article: Article, photo: Photo, publisher: User
) -> None:
    pick(issue, published(article, publisher))
    issue.picture = photo
    one, other = content_of(issue, text="full"), content_of(issue, text="full")
    assert encode(one[0]) == encode(other[0])
    assert one[1] == other[1]
    assert decode(encode(one[0])) == one[0]


def test_the_picture_of_the_week_is_small_and_travels_along(issue: Issue, photo: Photo) -> None:
    issue.picture = photo
    content, files = content_of(issue, text="summary")
    (file,) = content.files
    data = files[file.sha256]
    assert hashlib.sha256(data).hexdigest() == file.sha256
    assert len(data) <= MOST
    with Image.open(io.BytesIO(data)) as image:
        assert (image.format, image.width) == ("JPEG", WIDTH)
        assert not image.getexif()
    assert content.picture
    assert content.picture.cid == file.cid
    assert content.picture.alt == photo.alt_text
    assert content.picture.caption == photo.caption
    assert content.picture.credit == "Lena Orr"
    assert f"cid:{file.cid}" in layout.issue(content).html


def test_an_issues_own_caption_comes_first(issue: Issue, photo: Photo) -> None:
    issue.picture, issue.picture_caption = photo, "After nine days."
    picture = content_of(issue, text="summary")[0].picture
    assert picture
    assert picture.caption == "After nine days."


def test_a_picture_of_a_story_speaks_the_issues_language(
    issue: Issue, article: Article, photo: Photo, reporter: User, publisher: User
) -> None:
    article.lead_photo, article.lead_caption = photo, "The first boat."
    article.save_revision(user=reporter)
    pick(issue, published(article, publisher))
    issue.picture = photo
    picture = content_of(issue, text="summary")[0].picture
    assert picture
    assert (picture.caption, picture.alt) == ("The first boat.", photo.alt_text)


def test_a_kicker_does_not_repeat_the_heading(issue: Issue, write: Write, publisher: User) -> None:
    pick(issue, published(write("first-storm"), publisher))
    assert content_of(issue, text="summary")[0].headings[0].items[0].kicker == ""
    issue.sections.update(title="Weather")
    assert content_of(issue, text="summary")[0].headings[0].items[0].kicker == "News"


def test_pictures_are_where_the_newsletter_says(issue: Issue, photo: Photo) -> None:
    issue.picture = photo
    issue.newsletter.pictures = Newsletter.Pictures.REMOTE
    content, files = content_of(issue, text="summary")
    assert content.picture
    assert content.picture.src.startswith("https://meridian.example/media/")
    assert not files
    issue.newsletter.pictures = Newsletter.Pictures.NONE
    assert content_of(issue, text="summary")[0].picture is None


def test_the_foot_leads_to_the_first_drop_and_into_the_paper(issue: Issue) -> None:
    foot = content_of(issue, text="summary")[0].foot
    assert foot.unsubscribe == f"https://drop.example/v1/unsubscribe/{UNSUBSCRIBE}?language=en"
    assert foot.preferences == f"https://drop.example/v1/preferences/{PREFERENCES}?language=en"
    assert foot.web == "https://meridian.example/en/newsletter/friday/47/"
    assert foot.entries == ("https://reader.example/",)
    assert foot.postal == "Box 12, Lindenhaven"
    assert foot.fingerprint == ""


def test_without_a_drop_readers_leave_by_answering(
    issue: Issue, tmp_path: Path, settings: Any
) -> None:
    settings.NEWSROOM = _newsroom(tmp_path / "newsroom", drops="")
    foot = content_of(issue, text="summary")[0].foot
    assert foot.unsubscribe.startswith("mailto:letter@meridian.example?subject=")
    assert UNSUBSCRIBE in foot.unsubscribe
    assert foot.preferences == ""


def test_no_reader_is_attached_while_the_paper_is_not_signed(issue: Issue) -> None:
    issue.newsletter.attach_reader = True
    assert content_of(issue, text="full")[0].files == ()


@pytest.mark.parametrize(
    ("fields", "day"),
    [
        ({}, "2026-11-27"),
        ({"scheduled_for": datetime.datetime(2026, 12, 3, 23, 30, tzinfo=UTC)}, "2026-12-04"),
        ({"started": datetime.datetime(2026, 12, 1, 9, 0, tzinfo=UTC)}, "2026-12-01"),
    ],
)
def test_its_day_is_that_of_its_readers(issue: Issue, fields: dict[str, Any], day: str) -> None:
    for name, value in fields.items():
        setattr(issue, name, value)
    assert day_of(issue).isoformat() == day


@pytest.mark.parametrize(
    ("note", "html"),
    [
        ("", ""),
        ("One.\r\n\r\nTwo <3 &\nlines", "<p>One.</p><p>Two &lt;3 &amp;<br>lines</p>"),
        ("See https://a.example/b.", '<p>See <a href="https://a.example/b">https://a.example/b</a>.</p>'),
        ("<p>As <em>it</em> is.</p>", "<p>As <em>it</em> is.</p>"),
    ],
)  # fmt: skip
def test_a_note_is_paragraphs_with_or_without_markup(note: str, html: str) -> None:
    assert letter_html(note) == html


def test_an_issue_costs_the_same_queries_however_many_stories(
    issue: Issue, write: Write, publisher: User, django_assert_max_num_queries: Any
) -> None:
    for number in range(4):
        pick(issue, published(write(f"storm-{number}"), publisher), order=number)
    with django_assert_max_num_queries(9):
        content_of(Issue.objects.get(pk=issue.pk), text="full")


def test_a_cohort_gets_its_own_entries_first_and_its_own_reader(
    issue: Issue, tmp_path: Path, settings: Any
) -> None:
    north = "https://north.example/"
    folder = tmp_path / "newsroom"
    mirrors = [Mirror.at("https://n1.example/", "north")]
    signed.Newsroom(folder, mirrors=mirrors).found().build(1)
    tables = (
        f'[[cohorts]]\nname = "north"\nentries = ["{north}"]\n'
        '[[cohorts]]\nname = "south"\n[[mirrors]]\nurl = "https://n1.example/"\ncohort = "north"\n'
    )
    settings.NEWSROOM = _newsroom(folder, drops=DROPS + tables)
    issue.newsletter.attach_reader = issue.newsletter.full_text = True
    content, files = content_of(issue, text="full")
    told, own = told_to_cohorts(issue.newsletter)
    mail = told["north"].applied(content)
    assert mail.foot.entries == (north, "https://reader.example/")
    [for_all], [for_north], [for_south] = content.files, mail.files, told["south"].files
    assert b"n1.example" in own[for_north.sha256]
    assert b"n1.example" not in files[for_all.sha256]
    assert for_south == for_all
    summary = told["north"].applied(content_of(issue, text="summary")[0])
    assert (summary.foot.entries, summary.files) == (mail.foot.entries, ())
    assert north in layout.issue(summary).plain


def test_a_signed_papers_key_and_reader_travel_with_whole_articles(
    issue: Issue, tmp_path: Path
) -> None:
    newsroom = signed.Newsroom(tmp_path / "newsroom").found()
    root = (newsroom.folder / "edition" / "metadata" / "1.root.json").read_bytes()
    issue.newsletter.attach_reader = True
    content, files = content_of(issue, text="full")
    assert content.foot.fingerprint.replace(" ", "") == hashlib.sha256(root).hexdigest()
    (file,) = content.files
    assert (file.name, file.media_type, file.cid) == ("friday-reader.html", "text/html", "")
    assert files[file.sha256].startswith(b"<!doctype html>")
    assert "Attached is the reader" in layout.issue(content).plain
    assert content_of(issue, text="summary")[0].files == ()
