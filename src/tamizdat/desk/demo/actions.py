# SPDX-License-Identifier: AGPL-3.0-or-later
"""Fills an invented newsroom: its stories, as reporters write and publishers publish them.

What always holds: each story is made in one transaction, once, and known again by its
``import_key``; one that somebody edited, moved or withdrew since is left as it is. Stories go the
way of all stories (``desk.publishing.actions``): nothing is published around four eyes.

What is not done here: building (the worker, or ``services.publish_all``).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from tamizdat.desk.demo import content
from tamizdat.desk.demo.content import Block, StoryText
from tamizdat.desk.demo.world import World, make_accounts, make_world
from tamizdat.desk.newsroom import actions as newsroom
from tamizdat.desk.newsroom.models import Article, Byline, FrontPin, Source
from tamizdat.desk.publishing import actions as publishing
from tamizdat.desk.staff.models import User

Progress = Callable[[int, int], None]
TOGETHER = 6
# A story and its translation are the same to Wagtail by this key, whichever is made first.
_DEMO = uuid.UUID("3d0e7b52-6a1c-4d0e-9f39-5d1f0a1b7c26")


def fill_newsroom(
    *,
    passwords: dict[str, str],
    pictures: Progress,
    stories: Progress,
    build: Callable[[], object],
    now: datetime | None = None,
) -> None:
    """Make what is missing of the demo. ``passwords`` are for accounts that are new.

    ``build`` is called after every few stories, oldest first, as a worker would have built them:
    what a story recommends to read next is chosen among those that readers can find.
    """
    now = timezone.localtime(now)
    users = make_accounts(passwords=passwords)
    world = make_world(acting_user=users["operator"], users=users, now=now, progress=pictures)
    wanted = sorted(content.stories(), key=lambda text: _when(text, now))
    for done, text in enumerate(wanted):
        stories(done, len(wanted))
        world.articles[text.key] = add_story(text=text, world=world)
        if done % TOGETHER == 0:
            build()
    pin_stories(stories=wanted, world=world)
    build()


@transaction.atomic
def add_story(*, text: StoryText, world: World) -> Article:
    """Write a story and take it as far as the content says; one that is there is left alone."""
    key = f"demo:{text.key}"
    existing = Article.objects.filter(import_key=key).first()
    if existing is not None:
        return existing
    reporter, publisher = world.users["reporter"], world.users["publisher"]
    article = _written(text, world)
    article.import_key = key
    article.created_by = article.edited_by = reporter
    article.save()
    article.save_revision(user=reporter, clean=False)
    _comment(article, text.comments, world)
    _STEPS[text.state](article, text, world, publisher)
    _date(article, min(_when(text, world.now), world.now))
    return Article.objects.get(pk=article.pk)


def _published(article: Article, text: StoryText, world: World, publisher: User) -> None:
    when = _when(text, world.now)
    Article.objects.filter(pk=article.pk).update(first_published_at=when)
    article.refresh_from_db()
    publishing.publish_article(article=article, acting_user=publisher, now=when)
    if text.correction:
        ago, words = text.correction
        article = Article.objects.get(pk=article.pk)
        date = content.moment(ago, world.now)
        publishing.correct_article(
            article=article, text=words, acting_user=publisher, date=date, now=date
        )
    if text.withdrawn:
        article = Article.objects.get(pk=article.pk)
        ago, words = text.withdrawn
        publishing.withdraw_article(
            article=article,
            reason=words,
            acting_user=publisher,
            now=content.moment(ago, world.now),
        )


def _scheduled(article: Article, text: StoryText, world: World, publisher: User) -> None:
    when = content.moment(text.ahead, world.now, ahead=True)
    if text.embargo:
        article.embargoed_until = when
        article.save_revision(user=world.users["reporter"], clean=False)
    publishing.schedule_article(article=article, when=when, acting_user=publisher)


def _in_review(article: Article, text: StoryText, world: World, publisher: User) -> None:
    article.get_workflow().start(article, world.users["reporter"])


def _draft(article: Article, text: StoryText, world: World, publisher: User) -> None:
    """It stays where it is."""


_STEPS = {
    "published": _published,
    "scheduled": _scheduled,
    "review": _in_review,
    "draft": _draft,
}


def _when(text: StoryText, now: datetime) -> datetime:
    return content.moment(text.ago, now) if text.ago else now


def _written(text: StoryText, world: World) -> Article:
    language = text.language
    article = Article(
        locale=world.locales[language],
        headline=text.headline,
        kicker=text.kicker,
        standfirst=text.standfirst,
        dateline=text.dateline,
        sensitive=text.sensitive,
        section=world.sections[text.section, language],
        series=world.series[text.series, language] if text.series else None,
        created_at=_when(text, world.now),
        translation_key=uuid.uuid5(_DEMO, text.translation_of or text.key),
    )
    if text.photo:
        article.lead_photo = world.photos[text.photo]
        article.lead_caption, article.lead_alt = _translated(text.photo, language)
    article.body = json.dumps([_block(block, language, world) for block in text.body])
    article.topics.set(world.topics[topic, language] for topic in text.topics)
    article.places.set(world.places[place, language] for place in text.places)
    for order, (person, role) in enumerate(text.bylines):
        article.bylines.add(Byline(person=world.people[person], role=role, sort_order=order))
    for order, (name, kind, link, supports) in enumerate(text.sources):
        article.sources.add(
            Source(name=name, kind=kind, link=link, supports=supports, sort_order=order)
        )
    article.clean()
    return article


def _translated(photo: str, language: str) -> tuple[str, str]:
    """Caption and alternative text where they differ from the photo's own, which are English."""
    return content.photos()[photo].ru if language == "ru" else ("", "")


def _block(block: Block, language: str, world: World) -> dict[str, Any]:
    return {"type": block.kind, "value": _VALUES[block.kind](block, language, world)}


def _photo_value(key: str, language: str, world: World) -> dict[str, Any]:
    caption, alt = _translated(key, language)
    return {"photo": world.photos[key].pk, "caption": caption, "alt": alt}


def _items(values: Sequence[Any]) -> list[dict[str, Any]]:
    return [{"type": "item", "value": value, "id": str(uuid.uuid4())} for value in values]


def _table_value(block: Block, language: str, world: World) -> dict[str, Any]:
    return {
        "data": block.rows,
        "table_caption": block.title,
        "table_header_choice": "both",
        "first_row_is_table_header": True,
        "first_col_is_header": True,
        "cell": [],
        "mergeCells": [],
    }


_VALUES: dict[str, Callable[[Block, str, World], Any]] = {
    "text": lambda b, language, w: b.text,
    "heading": lambda b, language, w: {"level": "h2", "text": b.text},
    "pull_quote": lambda b, language, w: {"text": b.text, "attribution": b.title},
    "photo": lambda b, language, w: _photo_value(b.keys[0], language, w),
    "gallery": lambda b, language, w: {
        "photos": _items([_photo_value(key, language, w) for key in b.keys]),
        "caption": b.text,
    },
    "table": _table_value,
    "document": lambda b, language, w: {"file": w.attachments[b.keys[0]].pk, "title": ""},
    "box": lambda b, language, w: {
        "title": b.title,
        "stories": _items([w.articles[key].pk for key in b.keys if key in w.articles]),
    },
}


def _comment(article: Article, comments: Sequence[str], world: World) -> None:
    authors = (world.users["editor"], world.users["publisher"])
    thread = None
    for number, text in enumerate(comments):
        made = newsroom.comment(
            article=article, acting_user=authors[number % 2], text=text, reply_to=thread
        )
        thread = thread or made


def _date(article: Article, when: datetime) -> None:
    """Let the desk's own lists show it as if it had been worked on then."""
    Article.objects.filter(pk=article.pk).update(updated_at=when, last_published_at=when)
    article.revisions.update(created_at=when)


def pin_stories(*, stories: Sequence[StoryText], world: World) -> None:
    """Put the pinned ones at the top of their language's front, unless somebody pinned there."""
    for code, locale in world.locales.items():
        if FrontPin.objects.filter(locale=locale, section=None).exists():
            continue
        pinned = sorted((t for t in stories if t.pin and t.language == code), key=lambda t: t.pin)
        newsroom.set_pins(
            locale=locale,
            section=None,
            articles=[world.articles[text.key].pk for text in pinned],
            acting_user=world.users["publisher"],
        )
