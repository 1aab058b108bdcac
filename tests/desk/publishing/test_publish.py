# SPDX-License-Identifier: AGPL-3.0-or-later
"""From the editor's click to the page that readers get."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from tamizdat.desk.newsroom.models import Article, Correction, Person, Photo, Section
from tamizdat.desk.publishing import actions, state
from tamizdat.desk.publishing.errors import (
    FourEyesError,
    NothingPublishedError,
    NotReadyError,
    PublishingError,
)
from tamizdat.desk.publishing.models import BuildRequest, StoryHead, StoryVersion
from tamizdat.desk.publishing.versions import stored
from tamizdat.desk.staff.models import User
from tests.desk.publishing.conftest import Paper

Write = Callable[..., Article]


def fresh(article: Article) -> Article:
    return Article.objects.get(pk=article.pk)


def publish(article: Article, user: User) -> Article:
    actions.publish_article(article=article, acting_user=user)
    return fresh(article)


def test_a_published_article_is_a_page_and_on_the_front(
    paper: Paper, article: Article, publisher: User
) -> None:
    published = publish(article, publisher)
    assert state.of(published).kind == "queued"
    assert not paper.has(published.path)
    paper.build()
    page = paper.read(published.path)
    assert "Ferry crews end their strike" in page
    assert "The crews went back on Monday." in page
    assert "Mira Valdis" in page
    assert "Harbour office" in page
    assert published.path in paper.read("/en/")
    assert published.path in paper.read("/en/news/")
    found = state.of(fresh(article))
    assert (found.kind, found.edition) == ("live", paper.edition.number)


def test_publishing_through_wagtail_itself_is_the_same_action(
    paper: Paper, article: Article, publisher: User
) -> None:
    article.get_latest_revision().publish(user=publisher)
    paper.build()
    assert "Ferry crews" in paper.read(fresh(article).path)


def test_the_address_is_of_the_day_in_the_newsrooms_zone(
    paper: Paper, article: Article, publisher: User
) -> None:
    published = publish(article, publisher)
    day = timezone.localtime(published.first_published_at)
    assert published.path == f"/en/{day:%Y/%m/%d}/ferry-crews-end-their-strike/"


def test_two_stories_with_one_headline_get_two_addresses(
    paper: Paper, write: Write, publisher: User
) -> None:
    first, second = (publish(write("storm"), publisher) for _ in range(2))
    assert first.path.endswith("/storm/")
    assert second.path.endswith("/storm-2/")


def test_what_was_published_cannot_be_changed_or_deleted(
    paper: Paper, article: Article, publisher: User
) -> None:
    publish(article, publisher)
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        StoryVersion.objects.update(item="{}")
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        StoryVersion.objects.all()._raw_delete(using="default")
    assert stored(StoryVersion.objects.get()).headline == "Ferry crews end their strike"


def test_a_second_publication_is_a_second_version_at_the_same_address(
    paper: Paper, article: Article, reporter: User, publisher: User
) -> None:
    first = publish(article, publisher)
    changed = fresh(article)
    changed.headline = "Ferry crews return"
    changed.save_revision(user=reporter)
    second = publish(changed, publisher)
    paper.build()
    assert second.path == first.path
    assert "Ferry crews return" in paper.read(second.path)
    assert list(StoryVersion.objects.values_list("version", flat=True).order_by("pk")) == [1, 2]


def test_a_correction_shows_with_its_date_after_the_text_was_published(
    paper: Paper, article: Article, publisher: User
) -> None:
    published = publish(article, publisher)
    paper.build()
    actions.correct_article(
        article=published, text="It was nine days, not eight.", acting_user=publisher
    )
    paper.build()
    assert "It was nine days, not eight." in paper.read(published.path)
    assert Correction.objects.filter(article=published).count() == 1
    assert StoryVersion.objects.latest("pk").reason == "corrected"


def test_a_correction_can_leave_the_draft_a_draft(
    paper: Paper, article: Article, reporter: User, publisher: User
) -> None:
    published = publish(article, publisher)
    draft = fresh(published)
    draft.headline = "Not for readers yet"
    draft.save_revision(user=reporter)
    actions.correct_article(
        article=fresh(published),
        text="A name was wrong.",
        acting_user=publisher,
        with_changes=False,
    )
    paper.build()
    page = paper.read(published.path)
    assert "A name was wrong." in page
    assert "Not for readers yet" not in page
    newest = fresh(published).get_latest_revision_as_object()
    assert newest.headline == "Not for readers yet"
    assert [c.text for c in newest.corrections.all()] == ["A name was wrong."]


def test_a_withdrawn_story_leaves_a_tombstone_with_the_reason_and_nothing_of_the_text(
    paper: Paper, article: Article, publisher: User
) -> None:
    published = publish(article, publisher)
    paper.build()
    actions.withdraw_article(
        article=published, reason="A source was put at risk.", acting_user=publisher
    )
    paper.build()
    page = paper.read(published.path)
    assert "A source was put at risk." in page
    assert "went back on Monday" not in page
    assert "Harbour office" not in page
    assert published.path not in paper.read("/en/")
    assert state.of(fresh(article)).withdrawn


def test_a_withdrawn_story_can_be_restored_as_it_was(
    paper: Paper, article: Article, publisher: User
) -> None:
    published = publish(article, publisher)
    actions.withdraw_article(article=published, reason="By mistake.", acting_user=publisher)
    actions.restore_article(article=fresh(article), acting_user=publisher)
    paper.build()
    assert "The crews went back on Monday." in paper.read(published.path)
    assert fresh(article).withdrawal_reason == ""
    assert fresh(article).live


def test_unpublishing_through_wagtail_leaves_a_tombstone_too(
    paper: Paper, article: Article, publisher: User
) -> None:
    published = publish(article, publisher)
    published.unpublish(user=publisher)
    paper.build()
    assert "went back on Monday" not in paper.read(published.path)
    assert not fresh(article).live


def test_what_was_never_published_cannot_be_withdrawn_or_corrected(
    paper: Paper, article: Article, publisher: User
) -> None:
    with pytest.raises(NothingPublishedError):
        actions.withdraw_article(article=article, reason="No.", acting_user=publisher)
    with pytest.raises(NothingPublishedError):
        actions.correct_article(article=article, text="No.", acting_user=publisher)


def test_an_empty_reason_is_refused(paper: Paper, article: Article, publisher: User) -> None:
    published = publish(article, publisher)
    with pytest.raises(PublishingError, match="why"):
        actions.withdraw_article(article=published, reason="  ", acting_user=publisher)


def test_another_slug_moves_the_story_and_the_old_address_leads_there(
    paper: Paper, article: Article, publisher: User
) -> None:
    old = publish(article, publisher).path
    paper.build()
    actions.change_slug(article=fresh(article), slug="crews-return", acting_user=publisher)
    paper.build()
    new = fresh(article).path
    assert new.endswith("/crews-return/")
    assert "The crews went back" in paper.read(new)
    assert new in paper.read(old)
    assert "The crews went back" not in paper.read(old)
    assert StoryVersion.objects.latest("pk").reason == "moved"


def test_an_address_that_a_story_left_is_not_given_to_another(
    paper: Paper, article: Article, write: Write, publisher: User
) -> None:
    old = publish(article, publisher).path
    actions.change_slug(article=fresh(article), slug="crews-return", acting_user=publisher)
    other = publish(write("ferry-crews-end-their-strike"), publisher)
    assert other.path != old
    assert other.path.endswith("-strike-2/")


def test_moving_back_gives_the_old_address_again(
    paper: Paper, article: Article, publisher: User
) -> None:
    old = publish(article, publisher).path
    actions.change_slug(article=fresh(article), slug="crews-return", acting_user=publisher)
    actions.change_slug(
        article=fresh(article), slug="ferry-crews-end-their-strike", acting_user=publisher
    )
    paper.build()
    assert fresh(article).path == old
    assert "The crews went back" in paper.read(old)


def test_read_more_leads_to_published_stories_only(
    paper: Paper, write: Write, publisher: User
) -> None:
    publish(write("first-storm"), publisher)
    write("unpublished-storm")
    paper.build()
    second = publish(write("second-storm"), publisher)
    paper.build()
    page = paper.read(second.path)
    assert "First storm" in page
    assert "Unpublished storm" not in page


def test_nobody_publishes_alone_what_they_wrote(
    paper: Paper, article: Article, reporter: User, publisher: User
) -> None:
    draft = fresh(article)
    draft.headline = "Changed by the publisher"
    draft.save_revision(user=publisher)
    with pytest.raises(FourEyesError, match="another person"):
        publish(fresh(article), publisher)
    assert not StoryVersion.objects.exists()
    assert not fresh(article).live


def test_saving_without_a_change_makes_nobody_the_author(
    paper: Paper, article: Article, publisher: User
) -> None:
    fresh(article).save_revision(user=publisher)
    assert publish(fresh(article), publisher).live


def test_one_person_may_publish_where_four_eyes_are_off(
    paper: Paper, one_person: None, article: Article, reporter: User
) -> None:
    assert publish(article, reporter_who_publishes(reporter)).live


def reporter_who_publishes(reporter: User) -> User:
    reporter.is_superuser = True
    reporter.save()
    return reporter


def test_a_superuser_is_bound_by_four_eyes_too(
    paper: Paper, article: Article, reporter: User
) -> None:
    with pytest.raises(FourEyesError):
        publish(article, reporter_who_publishes(reporter))


def test_an_article_without_section_or_text_is_refused_with_the_reasons(
    paper: Paper, write: Write, publisher: User
) -> None:
    bare = write("bare", section=None, body=[])
    with pytest.raises(NotReadyError) as refused:
        publish(bare, publisher)
    assert len(refused.value.problems) == 2
    assert "section" in str(refused.value)


def test_a_photo_is_published_with_its_files_and_words(
    paper: Paper, write: Write, photo: Photo, publisher: User
) -> None:
    published = publish(
        write("with-photo", lead_photo=photo, body=[("photo", {"photo": photo})]), publisher
    )
    paper.build()
    page = paper.read(published.path)
    assert "Fishing boats in fog" in page
    assert "Lena Orr" in page
    story = stored(StoryHead.objects.get().version)
    paths = {r.href for r in story.media()}
    assert len(paths) == 12
    assert "/media/" in page


def test_nothing_the_staff_noted_is_in_the_story_or_anywhere_in_the_edition(
    paper: Paper, article: Article, person: Person, publisher: User, newsroom_folder: object
) -> None:
    Person.objects.filter(pk=person.pk).update(
        is_pseudonym=True,
        staff_note="Really Anton Zvezdin, call before printing",
        account=publisher,
    )
    published = publish(article, publisher)
    paper.build()
    secrets = [b"Zvezdin", b"pseudonym", b"petra", b"rita", b"@meridian.example"]
    item = StoryVersion.objects.get().item.encode()
    folder = paper.edition.folder
    for data in [item, *(f.read_bytes() for f in folder.rglob("*") if f.is_file())]:
        for secret in secrets:
            assert secret not in data
    assert "Mira Valdis" in paper.read(published.path)
    for file in StoryHead.objects.values_list("path", flat=True):
        assert not any(s.decode() in paper.read(file) for s in secrets)


def test_a_retry_is_done_once(paper: Paper, article: Article, publisher: User) -> None:
    publish(article, publisher)
    request = BuildRequest.objects.get()
    BuildRequest.objects.update(state="failed", error="The disk was full.")
    assert actions.retry_build(request=request, acting_user=publisher)
    assert not actions.retry_build(request=request, acting_user=publisher)
    paper.build()
    assert state.of(fresh(article)).kind == "live"


def test_a_section_front_shows_the_newest_first(
    paper: Paper, write: Write, culture: Section, publisher: User
) -> None:
    now = timezone.now()
    older = write("older", section=culture)
    actions.publish_article(article=older, acting_user=publisher, now=now - timedelta(days=2))
    newer = publish(write("newer", section=culture), publisher)
    paper.build()
    assert fresh(older).path < newer.path
    front = paper.read("/en/culture/")
    assert front.index(newer.path) < front.index(fresh(older).path)
