# SPDX-License-Identifier: AGPL-3.0-or-later
"""Newsletters in the paper: what readers may sign up for, and each issue as a page.

What always holds:

- An issue in the paper says what was frozen when its sending began (``Issue.frozen``): publishing
  it twice publishes it once, and what is edited later changes nothing of it.
- It is a story of the paper like any other: append-only versions, the same queue, signed with it,
  withdrawn with a reason and put back. Only it stands in no list but its newsletter's.
- Where its mails lead it lies before they leave: it is queued in the transaction that starts it,
  and they wait for it (``awaited``).

What is not done here: composing (``composing``), sending (``engine``), its page (``edition``).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from wagtail.log_actions import log

from tamizdat.desk.newsletter.errors import IssueError
from tamizdat.desk.newsletter.models import Issue, Newsletter
from tamizdat.desk.newsroom.actions import refresh_paper
from tamizdat.desk.publishing import heartbeat, stories, versions
from tamizdat.desk.publishing.models import Address, BuildRequest, StoryVersion
from tamizdat.edition import body, paths
from tamizdat.edition import site as edition_site
from tamizdat.edition.story import ISSUE, AltId, Story, Term, Text
from tamizdat.mail.content import Content, Item, decode

if TYPE_CHECKING:
    from tamizdat.desk.staff.models import User

Standing = Literal["absent", "waiting", "live", "failed", "withdrawn"]
Place = Literal["absent", "there", "withdrawn"]
Reason = StoryVersion.Reason
PATIENCE = timedelta(minutes=10)
_SPACE = uuid.UUID("6f0c7f7e-9a5d-5d0c-9d53-2f1f3b0b7a11")


def uri_of(issue: Issue) -> str:
    """Its own for ever, the same whoever asks."""
    name = f"{settings.NEWSROOM.settings.address}/{issue.newsletter.slug}/{issue.number}"
    return uuid.uuid5(_SPACE, name).urn


def path_of(issue: Issue) -> str:
    """Where it lies in the paper."""
    letter = issue.newsletter
    return paths.issue_path(letter.language, letter.slug, issue.number)


@transaction.atomic
def publish_issue(
    *, issue: Issue, acting_user: User | None = None, now: datetime | None = None
) -> StoryVersion:
    """Queue the issue's page, or return the version that there is. Call it in the transaction that
    starts the sending, once its contents are frozen. Raises ``IssueError``."""
    head = versions.newest(uri_of(issue), lock=True)
    if head is not None:
        return head.version
    now = now or timezone.now()
    story = story_of(issue, content_of(issue), now)
    return versions.append(
        versions.New(story=story, reason=Reason.PUBLISHED, acting_user=acting_user, created=now)
    )


@transaction.atomic
def withdraw_issue(
    *, issue: Issue, reason: str, acting_user: User | None, now: datetime | None = None
) -> StoryVersion:
    """Take the issue's page back: it then says so, with the reason. Mails are not called back.
    Can be undone by ``restore_issue``."""
    if acting_user is not None and not acting_user.has_perm("newsletter.send_issue"):
        raise PermissionDenied("You may not withdraw issues.")
    if not reason.strip():
        raise IssueError("Write why it is withdrawn: readers will see the reason.")
    head = versions.newest(uri_of(issue), lock=True)
    if head is None:
        raise IssueError("It is not in the paper, so there is nothing to withdraw.")
    if head.pub_status != "usable":
        return head.version
    now = now or timezone.now()
    story = _withdrawn(versions.stored(head.version), reason.strip(), now)
    log(issue, "tamizdat.withdraw", user=acting_user, data={"reason": reason.strip()})
    return versions.append(
        versions.New(story=story, reason=Reason.WITHDRAWN, acting_user=acting_user, created=now)
    )


@transaction.atomic
def restore_issue(
    *, issue: Issue, acting_user: User | None, now: datetime | None = None
) -> StoryVersion:
    """Put the issue's page back as it was before it was withdrawn."""
    if acting_user is not None and not acting_user.has_perm("newsletter.send_issue"):
        raise PermissionDenied("You may not put issues back.")
    head = versions.newest(uri_of(issue), lock=True)
    if head is None or head.pub_status == "withheld":
        raise IssueError("It is not in the paper, so there is nothing to put back.")
    if head.pub_status == "usable":
        return head.version
    was = StoryVersion.objects.filter(uri=head.uri, pub_status="usable").order_by("version").last()
    if was is None:
        raise IssueError("What its page said is no longer kept, so it cannot be put back.")
    now, story = now or timezone.now(), versions.stored(was)
    story.version = str(head.version.version + 1)
    story.version_created = stories.rfc3339(now)
    log(issue, "tamizdat.issue_restore", user=acting_user)
    return versions.append(
        versions.New(story=story, reason=Reason.RESTORED, acting_user=acting_user, created=now)
    )


@transaction.atomic
def retract_issue(*, issue: Issue, acting_user: User | None, now: datetime | None = None) -> None:
    """Take the page out of the paper without a word: only of an issue of which no mail has left."""
    head = versions.newest(uri_of(issue), lock=True)
    if head is None or head.pub_status != "usable":
        return
    now, story = now or timezone.now(), versions.stored(head.version)
    story.version = str(int(story.version or 0) + 1)
    story.version_created = stories.rfc3339(now)
    story.pub_status = "withheld"
    versions.append(
        versions.New(story=story, reason=Reason.WITHDRAWN, acting_user=acting_user, created=now)
    )


def standing(issue: Issue) -> Standing:
    """Whether readers can see the issue's page."""
    head = versions.newest(uri_of(issue))
    if head is None or head.pub_status == "withheld":
        return "absent"
    version = head.version
    if version.edition is not None:
        return "withdrawn" if version.pub_status == "canceled" else "live"
    request = version.request
    failed = request is not None and request.state == BuildRequest.State.FAILED
    return "failed" if failed else "waiting"


def place(issue: Issue) -> Place:
    """What the newsroom wants of the issue's page, whether it is built already or not."""
    head = versions.newest(uri_of(issue))
    if head is None or head.pub_status == "withheld":
        return "absent"
    return "there" if head.pub_status == "usable" else "withdrawn"


def awaited(issue: Issue, now: datetime) -> bool:
    """Whether its mails wait for its page: as long as it is on its way, somebody builds, and
    ``PATIENCE`` is not over. A paper that cannot be built keeps no mail back."""
    if issue.started is None or now > issue.started + PATIENCE:
        return False
    return standing(issue) == "waiting" and bool(heartbeat.alive())


def refresh_newsletters(*, acting_user: User | None) -> None:
    """Have the pages of newsletters made anew once this transaction is through: call it after a
    newsletter was made, renamed, changed or ended. What articles say of it changes with it."""
    refresh_paper(acting_user)


def offered(language: str) -> Iterator[edition_site.Newsletter]:
    """What readers of a language may sign up for (``publishing.site.offer_newsletters``)."""
    for letter in Newsletter.objects.filter(language=language, active=True).order_by("pk"):
        yield edition_site.Newsletter(
            slug=letter.slug, title=letter.title, about=letter.about, often=letter.often
        )


# The issue as a story


def content_of(issue: Issue) -> Content:
    """The contents that were frozen, in the form that most readers get."""
    frozen = issue.frozen.get("summary") or issue.frozen.get("full")
    if frozen is None:
        raise IssueError("What the issue says is not settled yet: start sending it first.")
    return decode(frozen.encode())


def story_of(issue: Issue, content: Content, now: datetime) -> Story:
    """The issue as a ninjs item; ``profile`` says what it is."""
    first = stories.rfc3339(issue.started or now)
    picks = [
        _pick(item, heading.title, position)
        for heading in content.headings
        for position, item in enumerate(heading.items)
    ]
    known = _uris(picks)
    return Story(
        uri=uri_of(issue),
        type="composite",
        profile=ISSUE,
        version="1",
        first_created=first,
        version_created=first,
        pub_status="usable",
        language=issue.newsletter.language,
        headlines=[Text(role="main", value=content.subject)],
        descriptions=_description(content.preheader),
        bodies=_note(content.note),
        by=content.signed or None,
        subjects=[Term(rel="newsletter", literal=issue.newsletter.slug, name=content.newsletter)],
        associations=[*_picture(issue, content), *(_owned(one, known) for one in picks)],
        alt_ids=[AltId(role="path", value=path_of(issue))],
    )


def _withdrawn(story: Story, reason: str, now: datetime) -> Story:
    return Story(
        uri=story.uri,
        type=story.type,
        profile=story.profile,
        version=str(int(story.version or 0) + 1),
        first_created=story.first_created,
        version_created=stories.rfc3339(now),
        pub_status="canceled",
        language=story.language,
        headlines=story.headlines,
        descriptions=[Text(role="withdrawal", value=reason, content_type="text/plain")],
        subjects=story.subjects,
        alt_ids=story.alt_ids,
    )


def _pick(item: Item, heading: str, position: int) -> Story:
    """A story as the issue shows it, named by its address until ``_owned`` knows better."""
    kicker = [Text(role="kicker", value=item.kicker)] if item.kicker else []
    return Story(
        uri=item.url,
        rel="pick",
        name=f"story {position + 1}",
        type="text",
        language=item.language or None,
        headlines=[Text(role="main", value=item.headline), *kicker],
        descriptions=_description(item.blurb),
        by=item.byline or None,
        subjects=[Term(rel="heading", name=heading)] if heading else [],
    )


def _description(text: str) -> list[Text]:
    return [Text(role="standfirst", value=text)] if text else []


def _note(note: str) -> list[Text]:
    html = body.clean(note)
    if not html:
        return []
    words = body.count_words(html)
    return [Text(role="main", content_type="text/html", value=html, word_count=words)]


def _uris(picks: list[Story]) -> dict[str, str]:
    """Of the addresses among these that are the paper's own: whose they are."""
    wanted = {_path(pick.uri) for pick in picks}
    return dict(Address.objects.filter(path__in=wanted).values_list("path", "uri"))


def _path(url: str) -> str:
    """The path of an address of this paper, else nothing."""
    own = settings.NEWSROOM.settings.address.rstrip("/")
    return unquote(url.removeprefix(own)) if url.startswith(f"{own}/") else ""


def _owned(pick: Story, known: dict[str, str]) -> Story:
    path = _path(pick.uri)
    if path in known:
        pick.uri = known[path]
        pick.alt_ids = [AltId(role="path", value=path)]
    return pick


def _picture(issue: Issue, content: Content) -> Iterator[Story]:
    """The picture of the week where readers got one, with all of its files."""
    if issue.picture and content.picture:
        yield stories.photo_item(
            issue.picture,
            content.picture.caption,
            content.picture.alt,
            language=content.language,
            rel="lead-photo",
        )
