# SPDX-License-Identifier: AGPL-3.0-or-later
"""A newsroom with a weekly newsletter, published stories to pick from, and who may do what."""

from __future__ import annotations

import datetime
import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyrage
import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone
from wagtail.models import Locale

from tamizdat.config import Newsroom
from tamizdat.desk.newsletter import actions, approval
from tamizdat.desk.newsletter.models import Issue, Newsletter, NewsletterSection
from tamizdat.desk.newsroom.models import Article, Byline, Person, Section, Source
from tamizdat.desk.publishing import actions as publishing
from tamizdat.desk.readers import actions as vault_actions
from tamizdat.desk.readers import keyring
from tamizdat.desk.staff.models import User
from tamizdat.desk.staff.roles import EDITOR, PUBLISHER, READERS_DESK
from tests.desk.conftest import make_user

SETTINGS = """
name = "The Meridian"
address = "https://meridian.example"
languages = ["en", "ru"]
timezone = "Europe/Berlin"
demo = true

[mail]
sender = "desk@meridian.example"
[[mail.dkim]]
domain = "meridian.example"
selector = "a"
key = "dkim"
[[relays]]
name = "outbox"
kind = "outbox"
"""

Say = Callable[..., Any]


@pytest.fixture
def newsroom(db: None, tmp_path: Path, settings: Any) -> Newsroom:
    folder = tmp_path / "newsroom"
    folder.mkdir()
    (folder / "tamizdat.toml").write_text(SETTINGS)
    settings.NEWSROOM = found = Newsroom(folder)
    settings.MEDIA_ROOT = folder / "media"
    return found


@pytest.fixture
def vault(newsroom: Newsroom) -> None:
    """Where addresses lie sealed."""
    keyring.found(newsroom, pyrage.x25519.Identity.generate().to_public())
    vault_actions.begin_vault(newsroom=newsroom)


@pytest.fixture
def second_editor(db: None) -> User:
    return make_user("ewa", EDITOR)


@pytest.fixture
def second_publisher(db: None) -> User:
    return make_user("paul", PUBLISHER)


@pytest.fixture
def readers_desk(db: None) -> User:
    user = make_user("rosa", EDITOR)
    user.groups.set([Group.objects.get(name=READERS_DESK)])
    return user


@pytest.fixture
def weekly(newsroom: Newsroom) -> Newsletter:
    made: Newsletter = Newsletter.objects.create(
        slug="weekly",
        language="en",
        title="The Meridian Weekly",
        sender_name="The Meridian",
        sender_address="weekly@meridian.example",
        postal="Harbour Street 1, Port Ostrava",
        hour=datetime.time(17),
        zone="Europe/Berlin",
    )
    for order, title in enumerate(["News", "Features", "Analysis"]):
        NewsletterSection.objects.create(newsletter=made, title=title, order=order)
    return made


@pytest.fixture
def publish(
    newsroom: Newsroom,
    reporter: User,
    publisher: User,
    english: Locale,
    news: Section,
    person: Person,
) -> Callable[..., Article]:
    """Publish a story: ``publish("headline-as-slug", …)``."""

    def make(slug: str, *, days_ago: float = 0, **fields: Any) -> Article:
        article = Article(
            **{
                "locale": english,
                "headline": slug.replace("-", " ").capitalize(),
                "standfirst": f"Why {slug} matters.",
                "section": news,
                "slug": slug,
                "created_by": reporter,
                "body": [("text", f"<p>The text of {slug}.</p>")],
                **fields,
            }
        )
        article.bylines.add(Byline(person=person))
        article.sources.add(Source(name="Harbour office", kind="official"))
        article.full_clean()
        article.save()
        article.save_revision(user=reporter)
        when = timezone.now() - timedelta(days=days_ago)
        publishing.publish_article(article=article, acting_user=publisher, now=when)
        return Article.objects.get(pk=article.pk)

    return make  # fmt: skip


@pytest.fixture
def ferry(publish: Callable[..., Article]) -> Article:
    return publish("ferry-crews-end-their-strike")


@pytest.fixture
def quay(publish: Callable[..., Article]) -> Article:
    return publish("the-old-quay-is-sold")


@pytest.fixture
def issue(weekly: Newsletter, editor: User) -> Issue:
    return actions.create_issue(newsletter=weekly, acting_user=editor)


class Composer:
    """A browser on an issue's page: what its script sends."""

    def __init__(self, client: Client, issue: Issue) -> None:
        self.client = client
        self.here = f"/desk/newsletters/issues/{issue.pk}/"

    def now(self) -> dict[str, Any]:
        answer = self.client.get(f"{self.here}parts/")
        assert answer.status_code == 200
        found: dict[str, Any] = answer.json()["composition"]
        return found

    def part(self, name: str) -> Any:
        return self.now()["parts"][name]

    def change(self, part: str, was: Any, wanted: Any) -> dict[str, Any]:
        return self.changes([{"part": part, "was": was, "is": wanted}])

    def changes(self, changes: list[dict[str, Any]]) -> dict[str, Any]:
        answer = self.client.post(
            f"{self.here}parts/", json.dumps({"changes": changes}), content_type="application/json"
        )
        found: dict[str, Any] = answer.json() | {"status": answer.status_code}
        return found

    def write(self, part: str, wanted: Any) -> dict[str, Any]:
        return self.change(part, self.part(part), wanted)

    def pick(self, *articles: Article, heading: int = 0) -> dict[str, Any]:
        wanted = self.part("stories")
        wanted[heading]["items"] += [article.pk for article in articles]
        return self.write("stories", wanted)

    def press(self, what: str, **form: Any) -> str:
        """Press a button; what the page then says."""
        form = {"token": str(uuid.uuid4()), **form}
        answer = self.client.post(f"{self.here}{what}/", form, follow=True)
        return answer.content.decode()

    def see(self, page: str = "") -> str:
        answer = self.client.get(f"{self.here}{page}")
        assert answer.status_code == 200, answer.status_code
        return answer.content.decode()


@pytest.fixture
def compose(issue: Issue, signed_in: Callable[[User], Client]) -> Callable[[User], Composer]:
    return lambda user: Composer(signed_in(user), issue)


@pytest.fixture
def ready(issue: Issue, ferry: Article, editor: User, compose: Say) -> Issue:
    """An issue with a subject and a story, by the editor."""
    at = compose(editor)
    at.write("subject", "The ferries run again")
    at.write("preheader", "And who paid for it.")
    at.pick(ferry)
    return Issue.objects.get(pk=issue.pk)


@pytest.fixture
def approved(ready: Issue, publisher: User) -> Issue:
    return actions.approve(issue=ready, digest=approval.digest_of(ready), acting_user=publisher)
