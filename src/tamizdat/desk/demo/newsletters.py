# SPDX-License-Identifier: AGPL-3.0-or-later
"""The demo's newsletters: invented readers who confirmed, a first issue that was sent, a draft.

What always holds: a newsletter is made in one transaction, once; what somebody changed since stays.
An issue goes the way of all issues: composed by one, approved by another, sent by the engine, into
the demo's outbox.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from wagtail.log_actions import log

from tamizdat.desk.demo import content
from tamizdat.desk.demo.content import NewsletterText
from tamizdat.desk.newsletter import actions, approval, composing, composition, suggest
from tamizdat.desk.newsletter.composition import STRUCTURE, Change
from tamizdat.desk.newsletter.engine.worker import Worker
from tamizdat.desk.newsletter.models import Issue, Newsletter, NewsletterSection, Subscription
from tamizdat.desk.newsletter.signup import PURPOSE
from tamizdat.desk.newsroom.models import Article
from tamizdat.desk.outgoing.links import ensure_key
from tamizdat.desk.readers import consents
from tamizdat.desk.readers.vault import Vault
from tamizdat.desk.staff.models import User

AGO = timedelta(days=3)
HOSTS = ("harbour.example", "post.example", "letters.example")
FORM = "demo"


def make_newsletters(*, now: datetime.datetime | None = None) -> None:
    """Those that are missing, with their first issue begun."""
    now = timezone.localtime(now)
    ensure_key(settings.NEWSROOM)
    for text in content.newsletters():
        if not Newsletter.objects.filter(slug=text.slug).exists():
            _make(text, now)


def send_issues() -> None:
    """Have the engine send what was begun; returns when nothing is under way."""
    Worker(settings.NEWSROOM).run(until_done=True)


@transaction.atomic
def _make(text: NewsletterText, now: datetime.datetime) -> None:
    users = {user.username: user for user in User.objects.all()}
    letter = add_newsletter(text=text, acting_user=users["operator"])
    add_subscribers(letter=letter, names=text.readers)
    then = now - AGO
    first = compose(letter=letter, text=text, acting_user=users["editor"], now=then)
    actions.approve(
        issue=first,
        digest=approval.digest_of(first),
        acting_user=users["publisher"],
        now=then,
    )
    actions.send_now(issue=first, acting_user=users["publisher"], now=then)
    draft = actions.create_issue(newsletter=letter, acting_user=users["editor"], now=now)
    _put(draft, {"subject": text.next}, users["editor"], now)


def add_newsletter(*, text: NewsletterText, acting_user: User) -> Newsletter:
    letter = Newsletter.objects.create(
        slug=text.slug,
        language=text.language,
        title=text.title,
        about=text.about,
        often=text.often,
        sender_name=text.sender_name,
        sender_address=text.sender,
        hour=datetime.time(text.hour),
        zone=settings.NEWSROOM.settings.timezone,
        full_text=text.full_text,
    )
    NewsletterSection.objects.bulk_create(
        NewsletterSection(newsletter=letter, title=title, order=order)
        for order, title in enumerate(text.sections)
    )
    log(letter, "wagtail.create", user=acting_user)
    return letter


def add_subscribers(*, letter: Newsletter, names: list[str]) -> None:
    """Invented people who signed up and confirmed; every fifth wants whole articles."""
    vault, today = Vault.open(settings.NEWSROOM), timezone.localdate()
    for at, name in enumerate(names):
        reader = vault.add(f"{name}@{HOSTS[at % len(HOSTS)]}", letter.language)
        asked = consents.ask(
            reader=reader,
            purpose=PURPOSE,
            subject=letter.slug,
            form=FORM,
            privacy=1,
            language=letter.language,
        )
        consents.confirm(asked=asked, token=f"demo {name}", form=FORM, language=letter.language)
        Subscription.objects.create(
            newsletter=letter,
            reader=reader,
            state=Subscription.State.ACTIVE,
            text="full" if letter.full_text and at % 5 == 0 else "summary",
            since=today,
        )


def compose(
    *, letter: Newsletter, text: NewsletterText, acting_user: User, now: datetime.datetime
) -> Issue:
    """The first issue: what “Suggest” picks of the stories of that week, with a note."""
    issue = actions.create_issue(newsletter=letter, acting_user=acting_user, now=now)
    titles = [section.title for section in issue.sections.all()]
    known = set(Article.objects.filter(first_published_at__lte=now).values_list("pk", flat=True))
    picked = [[key for key in keys if key in known] for keys in suggest.propose(issue, now)]
    wanted = [
        {"title": title, "items": items}
        for title, items in zip(titles, picked, strict=True)
        if items
    ]
    _put(issue, {STRUCTURE: wanted}, acting_user, now)
    words = ("subject", "preheader", "note", "signed")
    _put(issue, {word: getattr(text, word) for word in words}, acting_user, now)
    return Issue.objects.get(pk=issue.pk)


def _put(
    issue: Issue, wanted: Mapping[str, object], acting_user: User, now: datetime.datetime
) -> None:
    there = composition.parts_of(Issue.objects.get(pk=issue.pk))
    changes = [Change(part, there.get(part), value) for part, value in wanted.items()]
    composing.save_parts(issue=issue, changes=changes, acting_user=acting_user, now=now)


def count_issues() -> int:
    """Issues that were sent to all their readers."""
    return Issue.objects.filter(state=Issue.State.SENT).count()
