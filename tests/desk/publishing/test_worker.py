# SPDX-License-Identifier: AGPL-3.0-or-later
"""The worker, one round at a time and with a clock of ours: what is built, what is due."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_tasks import task
from django_tasks_db.models import DBTaskResult

from tamizdat.desk.newsroom.models import Article, Photo
from tamizdat.desk.publishing import actions, queue, services, state, versions
from tamizdat.desk.publishing.builder import Builder
from tamizdat.desk.publishing.models import BuildRequest, StoryVersion, WorkerHeartbeat
from tamizdat.desk.publishing.worker import Worker
from tamizdat.desk.staff.models import User
from tamizdat.edition import Edition
from tamizdat.edition.signed import ceremony, keys
from tamizdat.edition.signed.signer import Signer
from tamizdat.edition.story import Rendition, Story, ni_uri
from tests.desk.publishing.conftest import Paper

Write = Callable[..., Article]


class Clock:
    def __init__(self) -> None:
        self.now = timezone.now()

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def worker(paper: Paper, clock: Clock) -> Worker:
    return Worker(services.edition(), "the-worker", clock)


def fresh(article: Article) -> Article:
    return Article.objects.get(pk=article.pk)


def kind(article: Article) -> str:
    return state.of(fresh(article)).kind


def test_a_burst_is_built_together(
    paper: Paper, worker: Worker, write: Write, publisher: User
) -> None:
    actions.publish_article(article=write("before"), acting_user=publisher)
    while worker.step():
        pass
    number = paper.edition.number
    for slug in ("one", "two", "three", "four"):
        actions.publish_article(article=write(slug), acting_user=publisher)
    worker.step()
    assert paper.edition.number == number + 1
    live = StoryVersion.objects.filter(edition=number + 1).count()
    assert live == 4


def test_what_is_published_is_signed_and_signed_again_each_day(
    paper: Paper, clock: Clock, write: Write, publisher: User, settings: Any
) -> None:
    newsroom = settings.NEWSROOM
    signer = Signer(newsroom.edition, newsroom.secrets / "online-key", clock=clock)
    desk = ceremony.Desk("The Meridian", newsroom.edition, newsroom.secrets, signer)
    holders = {name: keys.generate() for name in ("anna", "ben", "cleo")}
    ceremony.found(desk, holders, b'{"format":1}', clock())
    worker = Worker(Edition(newsroom.edition, tree=False, workers=1, signer=signer), "it", clock)
    actions.publish_article(article=write("signed"), acting_user=publisher)

    def version() -> int:
        while worker.step():
            pass
        found = signer.signed()
        assert found is not None
        return found.timestamp.signed.version

    first = version()
    assert signer.edition == worker.builder.edition.number
    clock.forward(hours=5)
    assert version() == first
    clock.forward(hours=19)
    assert version() == first + 1
    newsroom.secrets.joinpath("online-key").write_text("not a key")
    clock.forward(days=1)
    assert version() == first + 1, "the worker goes on"


def test_a_scheduled_article_goes_out_at_its_time_and_not_before(
    paper: Paper, worker: Worker, clock: Clock, article: Article, publisher: User
) -> None:
    when = clock.now + timedelta(hours=3)
    actions.schedule_article(article=article, when=when, acting_user=publisher)
    clock.forward(hours=2)
    worker.step()
    assert kind(article) == "scheduled"
    clock.forward(hours=1, seconds=1)
    worker.step()
    assert kind(article) == "live"
    assert "Ferry crews" in paper.read(fresh(article).path)
    assert fresh(article).go_live_at is None


def test_a_live_article_keeps_its_text_until_the_scheduled_one_is_due(
    paper: Paper,
    worker: Worker,
    clock: Clock,
    article: Article,
    reporter: User,
    publisher: User,
) -> None:
    actions.publish_article(article=article, acting_user=publisher)
    worker.step()
    draft = fresh(article)
    draft.headline = "The later text"
    draft.save_revision(user=reporter)
    when = clock.now + timedelta(hours=1)
    actions.schedule_article(article=fresh(article), when=when, acting_user=publisher)
    worker.step()
    assert "The later text" not in paper.read(fresh(article).path)
    clock.forward(hours=2)
    worker.step()
    assert "The later text" in paper.read(fresh(article).path)


def test_nothing_goes_out_before_its_embargo_however_it_is_published(
    paper: Paper, worker: Worker, clock: Clock, article: Article, reporter: User, publisher: User
) -> None:
    draft = fresh(article)
    draft.embargoed_until = clock.now + timedelta(hours=5)
    draft.save_revision(user=reporter)
    revision = fresh(article).get_latest_revision()
    revision.publish(user=publisher)
    worker.step()
    assert kind(article) == "scheduled"
    assert not fresh(article).live
    clock.forward(hours=5, seconds=1)
    worker.step()
    assert kind(article) == "live"


def test_an_article_is_taken_down_when_its_time_is_over(
    paper: Paper, worker: Worker, clock: Clock, article: Article, publisher: User
) -> None:
    actions.publish_article(article=article, acting_user=publisher)
    worker.step()
    Article.objects.update(expire_at=clock.now + timedelta(hours=1))
    clock.forward(hours=2)
    worker.step()
    assert not fresh(article).live
    assert "limited time" in paper.read(fresh(article).path) or not paper.has(fresh(article).path)
    assert "went back on Monday" not in str(paper.edition.read(fresh(article).path))


def test_what_is_due_but_cannot_go_out_is_shown_and_not_tried_for_ever(
    paper: Paper, worker: Worker, clock: Clock, article: Article, publisher: User
) -> None:
    when = clock.now + timedelta(hours=1)
    actions.schedule_article(article=article, when=when, acting_user=publisher)
    revision = fresh(article).get_latest_revision()
    revision.content["section"] = 999_999
    revision.save()
    clock.forward(hours=2)
    worker.step()
    clock.forward(hours=1)
    worker.step()
    failed = BuildRequest.objects.get(state="failed")
    assert "could not be published" in failed.error
    assert failed.article == article


def test_one_broken_story_does_not_hold_back_the_others(
    paper: Paper, worker: Worker, write: Write, publisher: User
) -> None:
    actions.publish_article(article=write("before"), acting_user=publisher)
    worker.step()
    broken, *good = write("broken"), *map(write, ("one", "two", "three"))
    for article in (good[0], broken, *good[1:]):
        actions.publish_article(article=article, acting_user=publisher)
    spoil(broken)
    worker.step()
    assert [kind(article) for article in good] == ["live"] * 3
    found = state.of(fresh(broken))
    assert found.kind == "failed"
    assert "“Broken”" in found.error
    for article in good:
        assert paper.has(fresh(article).path)


def spoil(article: Article) -> None:
    """Let the waiting version name a file that nobody has."""
    head = versions.newest(article.story_uri)
    assert head is not None
    story = versions.stored(head.version)
    story.version = str(head.version.version + 1)
    missing = Rendition(name="original", href=ni_uri("ab" * 32), content_type="image/jpeg")
    story.associations.append(Story(uri="urn:x", rel="photo", renditions=[missing]))
    versions.append(
        versions.New(story=story, reason=StoryVersion.Reason.CORRECTED, article=article)
    )


def test_a_mended_story_goes_out_and_the_failure_is_over(
    paper: Paper, worker: Worker, write: Write, reporter: User, publisher: User
) -> None:
    actions.publish_article(article=write("before"), acting_user=publisher)
    article = write("broken")
    actions.publish_article(article=article, acting_user=publisher)
    worker.step()
    spoil(article)
    worker.step()
    assert kind(article) == "failed"
    draft = fresh(article)
    draft.standfirst = "Mended."
    draft.save_revision(user=reporter)
    actions.publish_article(article=fresh(article), acting_user=publisher)
    worker.step()
    assert kind(article) == "live"
    assert not BuildRequest.objects.filter(state="failed").exists()


def test_a_broken_story_in_a_first_build_is_named_and_the_paper_comes_out(
    paper: Paper, worker: Worker, write: Write, publisher: User
) -> None:
    good, broken = write("good"), write("broken")
    for article in (good, broken):
        actions.publish_article(article=article, acting_user=publisher)
    spoil(broken)
    worker.step()
    assert kind(good) == "live"
    assert kind(broken) == "failed"


def test_trouble_with_the_disk_is_tried_again_later_and_then_said(
    paper: Paper, clock: Clock, article: Article, publisher: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    actions.publish_article(article=article, acting_user=publisher)
    edition = services.edition()
    builder = Builder(edition, "the-worker", clock)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(edition, "build", full)
        builder.run()
        request = BuildRequest.objects.get()
        assert request.state == "queued"
        assert "No space left" in request.error
        assert builder.run() == 0
        for _ in range(queue.RETRIES):
            clock.forward(minutes=5)
            builder.run()
        request.refresh_from_db()
        assert request.state == "failed"
    actions.retry_build(request=request, acting_user=publisher)
    clock.now = timezone.now()
    builder.run()
    assert kind(article) == "live"


def test_what_a_dead_worker_was_building_is_taken_up_at_once(
    paper: Paper, worker: Worker, clock: Clock, article: Article, publisher: User
) -> None:
    actions.publish_article(article=article, acting_user=publisher)
    WorkerHeartbeat.objects.create(name="dead", host=socket.gethostname(), pid=4_194_300)
    assert queue.claim("dead", clock.now)
    worker.step()
    assert kind(article) == "live"


def test_what_a_living_worker_builds_is_left_to_it_until_its_lease_ends(
    paper: Paper, worker: Worker, clock: Clock, article: Article, publisher: User
) -> None:
    actions.publish_article(article=article, acting_user=publisher)
    WorkerHeartbeat.objects.create(name="far", host="another-machine", pid=1)
    assert queue.claim("far", clock.now)
    worker.step()
    assert kind(article) == "building"
    clock.forward(seconds=queue.LEASE.total_seconds() + 2)
    worker.step()
    assert kind(article) == "live"


def test_two_claims_never_get_the_same_request(
    paper: Paper, clock: Clock, article: Article, publisher: User
) -> None:
    actions.publish_article(article=article, acting_user=publisher)
    first, second = queue.claim("one", clock.now), queue.claim("two", clock.now)
    assert len(first) == 1
    assert second == []


def test_fronts_are_refreshed_every_hour(paper: Paper, worker: Worker, clock: Clock) -> None:
    worker.step()
    built = BuildRequest.objects.filter(kind="refresh", state="live").count()
    assert built == 1
    clock.forward(minutes=30)
    worker.step()
    assert BuildRequest.objects.filter(kind="refresh").count() == 1
    clock.forward(minutes=31)
    worker.step()
    assert BuildRequest.objects.filter(kind="refresh").count() == 2


done: list[str] = []


@task()
def note(word: str) -> str:
    done.append(word)
    return word


def test_other_tasks_of_the_desk_are_run_and_a_failing_one_stops_nothing(
    paper: Paper, worker: Worker
) -> None:
    done.clear()
    note.enqueue("first")
    note.enqueue(7, "too many")  # type: ignore[call-arg]  # It has to fail.
    note.enqueue("third")
    while worker.step():
        pass
    assert sorted(done) == ["first", "third"]
    assert DBTaskResult.objects.failed().count() == 1


def test_a_task_of_a_dead_worker_is_run_by_another(
    paper: Paper, worker: Worker, clock: Clock
) -> None:
    done.clear()
    note.enqueue("again")
    DBTaskResult.objects.get().claim("gone")
    while worker.step():
        pass
    assert done == ["again"]


def test_a_photo_whose_file_is_lost_fails_its_story_with_the_reason(
    paper: Paper, worker: Worker, write: Write, photo: Photo, publisher: User, media: Any
) -> None:
    actions.publish_article(article=write("before"), acting_user=publisher)
    worker.step()
    article = write("with-photo", lead_photo=photo)
    actions.publish_article(article=article, acting_user=publisher)
    shutil.rmtree(media / "renditions")
    worker.step()
    assert kind(article) == "failed"
    assert "missing" in state.of(fresh(article)).error
