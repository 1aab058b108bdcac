# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a browser test starts from, prepared through the desk's own actions (see ``backstage``)."""

from __future__ import annotations

import io
import json
import os
from datetime import time, timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.utils import timezone
from PIL import Image
from wagtail.models import Locale

from tamizdat.desk.newsletter.models import Issue, Newsletter, NewsletterSection, Subscription
from tamizdat.desk.newsroom import actions as newsroom_actions
from tamizdat.desk.newsroom import photos
from tamizdat.desk.newsroom.models import (
    Article,
    Byline,
    FrontPin,
    Person,
    Photo,
    Place,
    Section,
    SitePage,
    Source,
    Topic,
)
from tamizdat.desk.publishing import actions, services, state
from tamizdat.desk.publishing.models import BuildRequest, StoryVersion
from tamizdat.desk.staff.actions import create_account, invitation
from tamizdat.desk.staff.models import Session, User
from tests.desk.contributions.pages.numbers.scene import Years, approve_message

TERMS = {"section": Section, "topic": Topic, "place": Place}


def account(username: str, role: str, password: str | None, name: str) -> str:
    """An account in a role; its invitation where it has no password."""
    user = create_account(
        acting_user=None,
        username=username,
        name=name,
        email=f"{username}@meridian.example",
        groups=[Group.objects.get(name=role)],
        password=password,
    )
    return "" if password else invitation(user=user)


def term(kind: str, language: str, title: str, slug: str, translates: str = "") -> int:
    """A section, topic or place; ``translates`` is the slug it is a translation of."""
    model = TERMS[kind]
    key = {}
    if translates:
        key = {"translation_key": model.objects.get(slug=translates).translation_key}
    row, _ = model.objects.get_or_create(
        locale=_locale(language), slug=slug, defaults={"title": title, **key}
    )
    return int(row.pk)


def person(name: str, slug: str, note: str = "") -> int:
    """Somebody who signs; with a note it is a pseudonym."""
    row, _ = Person.objects.get_or_create(
        slug=slug, defaults={"name": name, "is_pseudonym": bool(note), "staff_note": note}
    )
    return int(row.pk)


def article(
    headline: str,
    *,
    by: str = "rita",
    language: str = "en",
    section: str = "news",
    topic: str = "",
    text: str = "<p>The harbour opened at six, and nobody was there to see it.</p>",
    publish_by: str = "",
) -> dict[str, Any]:
    """An article that somebody wrote; published by somebody else where they are named."""
    writer = User.objects.get(username=by)
    locale = _locale(language)
    row = Article(
        locale=locale,
        headline=headline,
        standfirst="What happened, in a sentence.",
        body=json.dumps([{"type": "text", "value": text}]),
        section=Section.objects.get(locale=locale, slug=section),
        created_by=writer,
    )
    row.full_clean()
    row.bylines = [Byline(person=Person.objects.order_by("pk").first())]
    row.sources = [Source(name="Meridian reporters", kind="own-reporting")]
    if topic:
        row.topics = [Topic.objects.get(locale=locale, slug=topic)]
    row.save()
    row.save_revision(user=writer)
    if publish_by:
        publish(row.pk, publish_by)
    return about(row.pk)


def publish(pk: int, by: str) -> None:
    """Publish the newest text."""
    actions.publish_article(
        article=Article.objects.get(pk=pk), acting_user=User.objects.get(username=by)
    )


def about(pk: int) -> dict[str, Any]:
    """What the desk knows of an article."""
    row = Article.objects.get(pk=pk)
    newest = row.get_latest_revision_as_object()
    where = state.of(row)
    return {
        "pk": row.pk,
        "uri": row.story_uri,
        "path": row.path,
        "live": row.live,
        "headline": newest.headline,
        "language": row.language,
        "state": where.kind,
        "edition": where.edition,
        "error": where.error,
        "versions": StoryVersion.objects.filter(article=row).count(),
        "in_review": row.workflow_in_progress,
        "revisions": row.revisions.count(),
        "lead_photo": newest.lead_photo_id,
        "body": list(newest.body.raw_data),
    }


def find(headline: str) -> dict[str, Any] | None:
    """The article whose newest headline this is."""
    row = Article.objects.filter(working_headline=headline).order_by("-pk").first()
    return about(row.pk) if row else None


def how_many(headline: str) -> int:
    """How many articles have this headline in their newest text."""
    return Article.objects.filter(working_headline=headline).count()


def kept(pk: int) -> dict[str, Any]:
    """What is kept of an article's newest text, field by field."""
    row = Article.objects.get(pk=pk).get_latest_revision_as_object()
    return {
        "kicker": row.kicker,
        "headline": row.headline,
        "standfirst": row.standfirst,
        "dateline": row.dateline,
        "section": row.section.title if row.section else "",
        "topics": [topic.title for topic in row.topics.all()],
        "places": [place.title for place in row.places.all()],
        "bylines": [byline.person.name for byline in row.bylines.all()],
        "sources": [[s.name, s.kind, s.link, s.supports] for s in row.sources.all()],
        "corrections": [correction.text for correction in row.corrections.all()],
        "text": str(row.body),
    }


def photo_of(pk: int) -> dict[str, Any]:
    """Where an article's lead photo lies, with the files made of it for readers."""
    photo = Photo.objects.get(pk=about(pk)["lead_photo"])
    return {"file": photo.file.path, "files": [f.sha256 for f in photo.files.all()]}


def lead_photo(pk: int, by: str, title: str = "Harbour") -> None:
    """Give an article a lead photo."""
    out = io.BytesIO()
    pixels = Image.frombytes("RGB", (90, 60), os.urandom(90 * 60 * 3))
    pixels.resize((900, 600)).save(out, "JPEG")
    made = newsroom_actions.add_photo(
        data=out.getvalue(),
        title=title,
        description="Cranes at dusk",
        credit="A. Rook",
        caption="The harbour",
    )
    row = Article.objects.get(pk=pk).get_latest_revision_as_object()
    row.lead_photo = made
    row.save_revision(user=User.objects.get(username=by))


def lose_photo(pk: int) -> int:
    """Make the files of an article's photo for readers unreadable, as a broken disk does."""
    files = [photos.file_path(sha256) for sha256 in photo_of(pk)["files"]]
    for file in files:
        file.rename(file.with_suffix(".lost"))
    return len(files)


def find_photo(pk: int) -> None:
    """Undo ``lose_photo``."""
    for sha256 in photo_of(pk)["files"]:
        file = photos.file_path(sha256)
        if not file.exists():
            file.with_suffix(".lost").rename(file)


def embargo(pk: int, by: str, hours: float) -> None:
    """Set an embargo that ends in some hours."""
    row = Article.objects.get(pk=pk).get_latest_revision_as_object()
    row.embargoed_until = timezone.now() + timedelta(hours=hours)
    row.save_revision(user=User.objects.get(username=by))


def let_time_pass(pk: int) -> None:
    """Make due now what an article waits for."""
    now = timezone.now()
    for revision in Article.objects.get(pk=pk).revisions.filter(approved_go_live_at__isnull=False):
        revision.approved_go_live_at = now
        for name in ("go_live_at", "embargoed_until"):
            if revision.content.get(name):
                revision.content[name] = now.isoformat()
        revision.save()


def weekly(slug: str, language: str = "en", title: str = "The Meridian Weekly") -> int:
    """A newsletter with three headings, every Friday at five."""
    row, made = Newsletter.objects.get_or_create(
        slug=slug,
        defaults={
            "language": language,
            "title": title,
            "sender_name": "The Meridian",
            "sender_address": "weekly@meridian.example",
            "postal": "Harbour Street 1, Westering",
            "hour": time(17),
            "zone": "Europe/Berlin",
        },
    )
    if made:
        for order, name in enumerate(("News", "Features", "Analysis")):
            NewsletterSection.objects.create(newsletter=row, title=name, order=order)
    return int(row.pk)


def issue_of(slug: str) -> dict[str, Any]:
    """The newest issue of a newsletter as the desk keeps it."""
    row = Issue.objects.filter(newsletter__slug=slug).order_by("-number")[0]
    return {
        "pk": row.pk,
        "subject": row.subject,
        "note": row.note,
        "state": row.state,
        "scheduled_for": row.scheduled_for,
        "stories": {
            section.title: [item.article.headline for item in section.items.all()]
            for section in row.sections.all()
        },
    }


def put_issue(slug: str, state: str) -> None:
    """The newest issue of a newsletter stands so now, as time and other people bring it about."""
    row = Issue.objects.filter(newsletter__slug=slug).order_by("-number")[0]
    now = timezone.now()
    started = None if state == "scheduled" else now
    later = now + timedelta(days=1)
    Issue.objects.filter(pk=row.pk).update(state=state, started=started, scheduled_for=later)


def has_account(username: str) -> bool:
    return bool(User.objects.filter(username=username).exists())


def pins(language: str) -> list[str]:
    """Headlines on a language's front, in their order."""
    rows = FrontPin.objects.filter(locale=_locale(language), section=None).order_by("order")
    return [pin.article.headline for pin in rows.select_related("article")]


def unpin(language: str) -> None:
    """Take everything off a language's front."""
    FrontPin.objects.filter(locale=_locale(language)).delete()


def waiting() -> int:
    """How much waits to be built or is being built."""
    return BuildRequest.objects.filter(state__in=["queued", "building"]).count()


def refresh() -> None:
    """Have fronts, sections and pages built anew."""
    actions.refresh_fronts(acting_user=None)


def newsletter(slug: str, language: str, title: str) -> None:
    """A newsletter that readers may sign up for, under a privacy policy."""
    locale = _locale(language)
    policy, new = SitePage.objects.get_or_create(
        locale=locale,
        kind=SitePage.Kind.PRIVACY,
        defaults={"title": "Privacy", "slug": "privacy", "body": "<p>We keep an address.</p>"},
    )
    if new:
        newsroom_actions.publish_page(page=policy, acting_user=None)
    Newsletter.objects.create(
        slug=slug,
        language=language,
        title=title,
        about="What our reporters would tell you first.",
        often="Every Friday.",
        sender_name="The Meridian",
        sender_address="week@meridian.example",
        hour=time(17),
        zone="Europe/Berlin",
    )


def subscriptions() -> list[list[str]]:
    """Of each: its newsletter, where it stands, its reader's language."""
    rows = Subscription.objects.order_by("newsletter__slug")
    return [list(r) for r in rows.values_list("newsletter__slug", "state", "reader__language")]


def build() -> int:
    """Build what waits, here and now."""
    return services.run_pending()


def sign_out_everybody() -> int:
    """End every session, as time does."""
    return Session.objects.all().delete()[0]


def sign_out(username: str) -> int:
    """Somebody's sessions end; how many."""
    return Session.objects.filter(user__username=username).delete()[0]


def later(seconds: float) -> str:
    """A moment from now, in the newsroom's zone, as a browser's field wants it."""
    moment = timezone.localtime(timezone.now() + timedelta(seconds=seconds))
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


def years_of_giving(months: int, currencies: dict[str, int]) -> None:
    """What readers gave up to today, in each currency from so many new givers a month, asked by a
    message with two variants."""
    for number, (currency, each) in enumerate(currencies.items()):
        years = Years(timezone.localdate(), months, each=each, currency=currency, seed=number)
        years.write()
    approve_message(plain=1, story=1)


def _locale(language: str) -> Locale:
    return Locale.objects.get(language_code=language)


ACTIONS = {
    f.__name__: f
    for f in (
        account,
        term,
        person,
        article,
        publish,
        about,
        find,
        how_many,
        kept,
        photo_of,
        lead_photo,
        lose_photo,
        find_photo,
        embargo,
        let_time_pass,
        weekly,
        issue_of,
        put_issue,
        has_account,
        pins,
        unpin,
        waiting,
        refresh,
        newsletter,
        subscriptions,
        build,
        sign_out_everybody,
        sign_out,
        later,
        years_of_giving,
    )
}
