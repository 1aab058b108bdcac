# SPDX-License-Identifier: AGPL-3.0-or-later
"""Newsletters and their issues in the paper."""

from __future__ import annotations

import datetime
import json
import re
from datetime import UTC
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from wagtail.models import Locale

from tamizdat.cli.drop_folder import make_drop
from tamizdat.config import Newsroom
from tamizdat.desk.audit.models import Record
from tamizdat.desk.newsletter import paper as letters
from tamizdat.desk.newsletter.content import content_of, issue_url
from tamizdat.desk.newsletter.engine import actions as engine
from tamizdat.desk.newsletter.engine import start
from tamizdat.desk.newsletter.errors import IssueError
from tamizdat.desk.newsletter.models import Issue, IssueItem, IssueSection, Newsletter
from tamizdat.desk.newsroom import actions as newsroom_actions
from tamizdat.desk.newsroom.models import (
    Article,
    LanguageText,
    NewsroomSettings,
    Photo,
    Section,
    SitePage,
)
from tamizdat.desk.publishing import actions, heartbeat
from tamizdat.desk.publishing.models import BuildRequest, StoryVersion
from tamizdat.desk.publishing.site import site_from_desk
from tamizdat.desk.staff.models import User
from tamizdat.edition.site import Newsletter as Offered
from tamizdat.mail import layout
from tamizdat.mail.content import UNSUBSCRIBE
from tests.desk.publishing.conftest import Paper
from tests.drop.machines import in_process, opened
from tests.importers.samples import SHARED

NOW = datetime.datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
TOML = """
name = "The Meridian"
address = "https://meridian.example"
languages = ["en", "ru", "ar"]
timezone = "Europe/Berlin"

[desk]
four_eyes = false

[paper]
workers = 1
tree = false

[[drops]]
name = "pier"
url = "https://drop.example"
"""


@pytest.fixture
def paper(db: None, tmp_path: Path, settings: Any) -> Paper:
    from tamizdat.letterbox import ensure_keys

    folder = tmp_path / "newsroom"
    folder.mkdir()
    (folder / "tamizdat.toml").write_text(TOML)
    settings.NEWSROOM = Newsroom(folder)
    settings.MEDIA_ROOT = folder / "media"
    settings.NEWSROOM.secrets.mkdir(mode=0o700)
    ensure_keys(settings.NEWSROOM)
    return Paper()


@pytest.fixture
def newsletter(english: Locale) -> Newsletter:
    made: Newsletter = Newsletter.objects.create(
        slug="weekly",
        language="en",
        title="The week",
        about="Picked by hand.",
        often="Every Friday.",
        sender_name="The Meridian",
        sender_address="week@meridian.example",
        hour=datetime.time(17),
        zone="Europe/Berlin",
    )
    return made


@pytest.fixture
def issue(paper: Paper, newsletter: Newsletter, article: Article, publisher: User) -> Issue:
    """Approved, with one published story."""
    actions.publish_article(article=article, acting_user=publisher)
    return make_issue(newsletter, 1, article)


def make_issue(newsletter: Newsletter, number: int, article: Article) -> Issue:
    issue = Issue.objects.create(
        newsletter=newsletter,
        number=number,
        subject=f"Ice on the quay, {number}",
        preheader="Nine days in the harbour.",
        note="Dear readers,\n\nit was cold.",
        signed="Mira Valdis",
        state=Issue.State.APPROVED,
        created=NOW,
        edited=NOW,
    )
    section = IssueSection.objects.create(issue=issue, title="News")
    IssueItem.objects.create(section=section, article=article, blurb="They are back.")
    return issue


def begin(issue: Issue, acting_user: User | None = None) -> Issue:
    start.start(issue=issue, acting_user=acting_user, now=NOW)
    return Issue.objects.get(pk=issue.pk)


PAGE = "/en/newsletter/weekly/1/"


def test_an_issue_that_begins_to_be_sent_is_a_page_where_its_mails_lead(
    paper: Paper, issue: Issue, publisher: User
) -> None:
    assert letters.standing(issue) == "absent"
    started = begin(issue, publisher)
    assert letters.standing(started) == "waiting"
    paper.build()
    assert letters.standing(started) == "live"
    content, _ = content_of(started, text="summary")
    assert content.foot.web == issue_url(started) == f"https://meridian.example{PAGE}"
    page = paper.read(PAGE)
    for words in ("Ice on the quay, 1", "it was cold.", "Mira Valdis", "News", "They are back."):
        assert words in page
    article = Article.objects.get()
    assert f'<h3><a href="{article.path}">Ferry crews end their strike</a></h3>' in page
    assert PAGE in paper.read("/en/newsletter/weekly/")
    assert PAGE not in paper.read("/en/")


def test_an_issue_is_a_ninjs_item(issue: Issue, photo: Photo) -> None:
    schema = SHARED / "ninjs" / "ninjs-schema_3.1.json"
    if not schema.exists():
        pytest.skip("the official schema is not beside the checkout")
    from jsonschema import Draft202012Validator
    from referencing import Registry, Resource
    from referencing.jsonschema import DRAFT202012

    Issue.objects.filter(pk=issue.pk).update(picture=photo)
    begin(Issue.objects.get(pk=issue.pk))
    anything = Resource.from_contents({}, default_specification=DRAFT202012)
    registry: Any = Registry(retrieve=lambda uri: anything)  # type: ignore[call-arg]  # attrs
    version = StoryVersion.objects.get(uri=letters.uri_of(issue))
    check = Draft202012Validator(json.loads(schema.read_text()), registry=registry)
    check.validate(json.loads(version.item))


def test_what_was_sent_stays_whatever_is_edited_and_however_often_it_is_published(
    paper: Paper, issue: Issue
) -> None:
    started = begin(issue)
    first = letters.publish_issue(issue=started)
    Issue.objects.filter(pk=issue.pk).update(subject="Another subject")
    again = letters.publish_issue(issue=Issue.objects.get(pk=issue.pk))
    assert again.pk == first.pk
    assert StoryVersion.objects.filter(uri=letters.uri_of(issue)).count() == 1
    paper.build()
    assert "Another subject" not in paper.read(PAGE)


def test_nothing_is_published_of_an_issue_whose_contents_are_not_settled(issue: Issue) -> None:
    with pytest.raises(IssueError, match="not settled"):
        letters.publish_issue(issue=issue)


def test_a_story_withdrawn_since_is_named_and_not_led_to(
    paper: Paper, issue: Issue, publisher: User
) -> None:
    begin(issue)
    paper.build()
    article = Article.objects.get()
    actions.withdraw_article(article=article, reason="It was wrong.", acting_user=publisher)
    paper.build()
    assert "Ferry crews end their strike" in paper.read(PAGE)
    assert article.path not in paper.read(PAGE)


def test_an_issue_is_withdrawn_with_its_reason_by_who_may_send(
    paper: Paper, issue: Issue, publisher: User, reporter: User
) -> None:
    started = begin(issue)
    paper.build()
    with pytest.raises(PermissionDenied):
        letters.withdraw_issue(issue=started, reason="No.", acting_user=reporter)
    with pytest.raises(IssueError, match="Write why"):
        letters.withdraw_issue(issue=started, reason=" ", acting_user=publisher)
    letters.withdraw_issue(issue=started, reason="It named a source.", acting_user=publisher)
    letters.withdraw_issue(issue=started, reason="Twice.", acting_user=publisher)
    paper.build()
    assert letters.standing(started) == "withdrawn"
    found = paper.edition.read(PAGE)
    assert found is not None
    assert (found.status, b"It named a source." in found.data) == (410, True)
    assert b"This issue was withdrawn" in found.data
    assert PAGE not in paper.read("/en/newsletter/weekly/")
    assert StoryVersion.objects.filter(uri=letters.uri_of(issue)).count() == 2


def test_an_issue_that_was_withdrawn_is_put_back_as_it_was_by_who_may_send(
    paper: Paper, issue: Issue, publisher: User, reporter: User
) -> None:
    with pytest.raises(IssueError, match="nothing to put back"):
        letters.restore_issue(issue=issue, acting_user=publisher)
    started = begin(issue)
    paper.build()
    before = paper.read(PAGE)
    for reason in ("It named a source.", "It still does."):
        letters.withdraw_issue(issue=started, reason=reason, acting_user=publisher)
        paper.build()
        with pytest.raises(PermissionDenied):
            letters.restore_issue(issue=started, acting_user=reporter)
        back = letters.restore_issue(issue=started, acting_user=publisher)
        assert letters.restore_issue(issue=started, acting_user=publisher).pk == back.pk
        paper.build()
        assert letters.standing(started) == "live"
        assert paper.read(PAGE) == before
        assert PAGE in paper.read("/en/newsletter/weekly/")
    assert (back.version, back.reason) == (5, "restored")
    rows = Record.objects.filter(action="tamizdat.issue_restore")
    assert ["petra" in row.entry for row in rows] == [True, True]


def test_what_was_taken_out_without_a_word_is_not_put_back(
    paper: Paper, issue: Issue, publisher: User
) -> None:
    started = begin(issue)
    letters.retract_issue(issue=started, acting_user=publisher)
    with pytest.raises(IssueError, match="nothing to put back"):
        letters.restore_issue(issue=started, acting_user=publisher)


def test_an_issue_that_is_cancelled_before_a_mail_left_leaves_no_page(
    paper: Paper, issue: Issue, publisher: User
) -> None:
    start.start(issue=issue, acting_user=publisher)
    paper.build()
    assert paper.has(PAGE)
    engine.cancel(issue=issue, acting_user=publisher)
    paper.build()
    assert not paper.has(PAGE)
    assert letters.standing(issue) == "absent"
    assert "Ice on the quay" not in paper.read("/en/newsletter/weekly/")


def test_an_issue_that_is_cancelled_later_keeps_its_page(
    paper: Paper, issue: Issue, publisher: User
) -> None:
    start.start(issue=issue, acting_user=publisher)
    paper.build()
    start.gather(issue.pk)
    engine.cancel(issue=issue, acting_user=publisher)
    paper.build()
    assert paper.has(PAGE)


def test_the_picture_of_the_week_is_one_of_the_papers_files(
    paper: Paper, issue: Issue, photo: Photo
) -> None:
    Issue.objects.filter(pk=issue.pk).update(picture=photo, picture_caption="The quay, frozen.")
    begin(Issue.objects.get(pk=issue.pk))
    paper.build()
    page = paper.read(PAGE)
    assert "The quay, frozen." in page
    source = page.partition('<img src="')[2].partition('"')[0]
    assert paper.has(source)


def test_mails_wait_for_the_page_only_while_somebody_builds_it(paper: Paper, issue: Issue) -> None:
    start.start(issue=issue, acting_user=None)
    started = Issue.objects.get(pk=issue.pk)
    now = started.started
    assert now is not None
    assert not letters.awaited(started, now)
    with heartbeat.Heart():
        assert letters.awaited(started, now)
        assert not letters.awaited(started, now + letters.PATIENCE * 2)
        assert not start.gather(started.pk)
        assert Issue.objects.get(pk=started.pk).state == Issue.State.STARTING
        paper.build()
        assert not letters.awaited(started, now)
    assert not start.gather(started.pk)
    assert Issue.objects.get(pk=started.pk).state == Issue.State.SENDING


def test_a_page_that_cannot_be_built_keeps_no_mail_back(paper: Paper, issue: Issue) -> None:
    started = begin(issue)
    BuildRequest.objects.update(state=BuildRequest.State.FAILED, error="The disk is full.")
    with heartbeat.Heart():
        assert letters.standing(started) == "failed"
        assert not letters.awaited(started, NOW)


def test_a_scanner_that_opens_every_link_of_a_mail_changes_nothing(
    paper: Paper, issue: Issue, tmp_path: Path
) -> None:
    started = begin(issue)
    paper.build()
    content, _ = content_of(started, text="summary")
    laid = layout.issue(content)
    links = set(re.findall(r'https?://[^\s"<>)]+', laid.html + laid.plain))
    mine = {link for link in links if link.startswith("https://drop.example/")}
    assert {urlsplit(link).path.split("/")[2] for link in mine} == {"unsubscribe", "preferences"}
    before = (StoryVersion.objects.count(), BuildRequest.objects.count())
    with in_process(tmp_path / "drop") as drop:
        for link in mine:
            for method in ("GET", "HEAD"):
                reply = drop.ask(method, link.removeprefix("https://drop.example"))
                assert reply.status == 200
                assert "set-cookie" not in reply.headers
        assert opened(drop.folder) == []
        [leave] = [link for link in mine if "/unsubscribe/" in link]
        one_click = {"List-Unsubscribe": "One-Click"}
        drop.fill_in(leave.removeprefix("https://drop.example"), **one_click)
        [found] = opened(drop.folder)
        assert found.fields == {"token": UNSUBSCRIBE, "one_click": True}
    for link in links - mine:
        if link.startswith("https://meridian.example/") and "privacy" not in link:
            assert paper.has(unquote(urlsplit(link).path)), link
    assert (StoryVersion.objects.count(), BuildRequest.objects.count()) == before


def test_readers_are_offered_what_is_active_in_their_language(
    paper: Paper, newsletter: Newsletter
) -> None:
    offered = {one.code: one.newsletters for one in site_from_desk().languages}
    weekly = Offered(
        slug="weekly", title="The week", about="Picked by hand.", often="Every Friday.", privacy=1
    )
    assert offered == {"en": (weekly,), "ru": (), "ar": ()}
    Newsletter.objects.update(active=False)
    assert site_from_desk().languages[0].newsletters == ()


@pytest.mark.parametrize("slug", ["Weekly", "the_week", "2026", ""])
def test_a_slug_that_the_paper_cannot_have_is_refused_at_the_desk(
    newsletter: Newsletter, slug: str
) -> None:
    newsletter.clean()
    newsletter.slug = slug
    with pytest.raises(ValidationError, match="small letters"):
        newsletter.clean()


def test_no_newsletter_begins_where_a_section_has_its_address(
    newsletter: Newsletter, english: Locale
) -> None:
    Section.objects.create(locale=english, title="Letters", slug="newsletter-2")
    newsletter.clean()
    Section.objects.filter(slug="newsletter-2").update(slug="newsletter")
    with pytest.raises(ValidationError, match="Give it another one first"):
        newsletter.clean()


def test_a_drop_is_told_of_the_newsletters_and_again_when_they_change(
    paper: Paper, newsletter: Newsletter, tmp_path: Path, settings: Any
) -> None:
    def told() -> list[dict[str, Any]]:
        drop = make_drop(tmp_path / "drop", settings.NEWSROOM, url="", port=8002)
        return [msgspec.to_builtins(one) for one in drop.settings.newsletters]

    assert told() == [{"slug": "weekly", "titles": {"en": "The week"}}]
    Newsletter.objects.update(title="The fortnight")
    assert told() == [{"slug": "weekly", "titles": {"en": "The fortnight"}}]


def test_a_drop_is_told_what_the_paper_calls_itself_in_each_language(
    paper: Paper, english: Locale, tmp_path: Path, settings: Any
) -> None:
    def told() -> dict[str, str]:
        return make_drop(tmp_path / "drop", settings.NEWSROOM, url="", port=8002).settings.names

    assert told() == {}
    LanguageText.objects.update_or_create(
        locale=english, settings=NewsroomSettings.load(), defaults={"name": "Meridian Daily"}
    )
    assert told()["en"] == "Meridian Daily"


def test_a_drop_and_the_paper_ask_to_agree_to_the_same_version_of_the_policy(
    paper: Paper, newsletter: Newsletter, english: Locale, tmp_path: Path, settings: Any
) -> None:
    page = SitePage.objects.create(
        locale=english, kind=SitePage.Kind.PRIVACY, title="Privacy", slug="how-we-keep-secrets"
    )
    for body in ("<p>Old.</p>", "<p>New.</p>"):
        page.body = body
        page.save()
        newsroom_actions.publish_page(page=page, acting_user=None)
    drop = make_drop(tmp_path / "drop", settings.NEWSROOM, url="", port=8002).settings
    [offered] = site_from_desk().languages[0].newsletters
    assert (offered.privacy, offered.policy) == (2, "how-we-keep-secrets")
    assert drop.privacy == 2
    assert drop.privacy_page == "https://meridian.example/{language}/how-we-keep-secrets/"
    actions.rebuild_paper(acting_user=None)
    paper.build()
    assert 'href="/en/how-we-keep-secrets/v2/"' in paper.read("/en/newsletter/weekly/")
