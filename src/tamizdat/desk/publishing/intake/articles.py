# SPDX-License-Identifier: AGPL-3.0-or-later
"""A taken story as an article of the desk, in memory, and many of them written together.

What always holds: an article is written with its bylines, sources, filing, one revision, one
audit row and its entry in the search index, as if an editor had saved it; nobody's account is on
it. Its dates are those of the original.

What is not done here: publishing (``publish``), photos' files (``pictures``).
"""

from __future__ import annotations

import datetime
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import OuterRef, Subquery
from django.db.models.functions import Cast
from django.utils import timezone
from wagtail.models import Locale, Revision

from tamizdat.desk.newsroom.bodies import blocks_from_html
from tamizdat.desk.newsroom.models import Article, Byline, Correction, Source
from tamizdat.desk.newsroom.text import new_uri, slug_from
from tamizdat.desk.publishing.intake import records
from tamizdat.desk.publishing.intake.pictures import Media, missing_words
from tamizdat.desk.publishing.intake.terms import Terms, known_stories
from tamizdat.desk.publishing.models import Address
from tamizdat.edition.story import BYLINE_RELS, SOURCE_ROLES, Story, parse_date
from tamizdat.importers import Taken

_CHILDREN = (Byline, Source, Correction)


@dataclass(slots=True)
class Draft:
    """An article on its way in. ``notes`` are what was changed on the way."""

    taken: Taken
    article: Article
    fingerprint: str
    media: Media
    notes: list[str] = field(default_factory=list)


def fingerprint(taken: Taken, format_: str) -> str:
    """What ``Article.imported_from`` keeps: the format and what the source was like."""
    return f"{format_} {taken.fingerprint}"[:38]


def locale_of(taken: Taken, terms: Terms, default: str, notes: list[str]) -> Locale:
    """The paper's language for a story; the first one where the paper has not the story's."""
    language = (taken.story.language or "").lower()
    found = terms.locale(language) or terms.locale(language.split("-")[0])
    if found is not None:
        return found
    fallback = terms.locale(default)
    if fallback is None:
        raise LookupError(f"the desk has no language “{default}”: run tamizdat desk migrate")
    if language:
        notes.append(f"the paper has no language “{language}”: it stands under “{default}”")
    return fallback


def build(taken: Taken, terms: Terms, media: Media, *, format_: str, default: str) -> Draft:
    """The article of a story, in memory."""
    notes = [*taken.notes, *missing_words(media.missing), *media.refused]
    locale = locale_of(taken, terms, default, notes)
    article = Article(locale=locale, import_key=taken.key[:255])
    fill(article, taken, terms, media, notes)
    article.imported_from = fingerprint(taken, format_)
    article.original_url = taken.url[:1000]
    article.translation_key = _translation_key(taken.story)
    article.story_uri = taken.story.uri if len(taken.story.uri) <= 255 else new_uri()
    first = _moment(taken.story.first_created, taken.story)
    updated = _moment(taken.story.version_created, taken.story) or first
    article.created_at = first or timezone.now()
    article.updated_at = updated or article.created_at
    article.first_published_at = None if taken.draft else first
    return Draft(taken, article, article.imported_from, media, notes)


def fill(article: Article, taken: Taken, terms: Terms, media: Media, notes: list[str]) -> None:
    """Put the story's words, people and filing into the article."""
    story = taken.story
    locale = article.locale
    article.headline = _fit(story.headline or "Untitled", 255, "headline", notes)
    article.working_headline = article.headline
    article.kicker = _fit(story.kicker, 80, "kicker", notes)
    article.standfirst = story.standfirst
    article.dateline = _fit(story.located or "", 120, "dateline", notes)
    article.slug = (story.slugline or slug_from(article.headline))[:100]
    article.sensitive = story.sensitive
    article.section = terms.section(story, locale)
    if article.section is None and not taken.own:
        article.section = terms.default_section(locale)
        notes.append(f"it was in no section: it stands in “{article.section.title}”")
    article.series = terms.series(story, locale)
    article.topics = terms.topics(story, locale)
    article.places = terms.places(story, locale)
    article.bylines.set(
        [
            Byline(person=terms.person(p, own=taken.own), role=p.rel or "author", sort_order=n)
            for n, p in enumerate(story.people)
            if p.rel in BYLINE_RELS and (p.name or p.literal)
        ]
    )
    article.sources.set(_sources(story, notes))
    article.corrections.set(_corrections(story))
    article.body = json.dumps(_blocks(story, media, notes))
    _lead(article, story, media)


def _fit(text: str, longest: int, what: str, notes: list[str]) -> str:
    if len(text) <= longest:
        return text
    notes.append(f"its {what} was longer than {longest} letters and was cut")
    return text[: longest - 2].rsplit(" ", 1)[0][: longest - 2] + " …"


def _moment(value: str | None, story: Story) -> datetime.datetime | None:
    return parse_date(value, story.uri) if value else None


def _translation_key(story: Story) -> uuid.UUID:
    try:
        return uuid.UUID(story.translation_key)
    except ValueError:
        return uuid.uuid4()


def _sources(story: Story, notes: list[str]) -> list[Source]:
    made = []
    for number, source in enumerate(story.info_sources):
        kind = source.role if source.role in SOURCE_ROLES else "agency"
        link = source.uri or ""
        made.append(
            Source(
                name=(source.name or source.uri or "")[:255],
                kind=kind,
                link=link if link.startswith(("http://", "https://")) and len(link) < 1000 else "",
                supports=_fit(source.literal or "", 500, "source's note", notes),
                sort_order=number,
            )
        )
    return [s for s in made if s.name]


def _corrections(story: Story) -> list[Correction]:
    made = []
    for number, item in enumerate(story.corrections):
        date = _moment(item.version_created, story) or story.updated
        text = item.bodies[0].value if item.bodies else ""
        made.append(Correction(date=date, text=text, sort_order=number))
    return made


def _blocks(story: Story, media: Media, notes: list[str]) -> list[dict[str, Any]]:
    lost: list[str] = []
    stories = known_stories([i.uri for i in story.associations if i.rel == "related"])
    missing = {p.uri for p in media.missing}
    blocks = blocks_from_html(
        story.body_html,
        photos=media.photos,
        files=media.files,
        stories=stories,
        on_loss=lost.append,
    )
    notes += [words for words in lost if not any(uri in words for uri in missing)]
    return blocks


def _lead(article: Article, story: Story, media: Media) -> None:
    """The lead photo. Where its file was not given its words wait in the article for it."""
    lead = story.lead_photo
    if lead is None:
        return
    caption = next((d.value for d in lead.descriptions if d.role == "caption"), "")
    alt = next((d.value for d in lead.descriptions if d.role == "alt"), "")
    photo = media.photos.get(lead.uri)
    article.lead_photo = photo
    article.lead_caption = "" if photo and caption == photo.caption else caption
    article.lead_alt = "" if photo and alt == photo.description else alt[:255]


def write(drafts: Sequence[Draft]) -> None:
    """Write new articles with all that belongs to them. Call it in a transaction."""
    articles = [draft.article for draft in drafts]
    Article.objects.bulk_create(articles)
    for child in _CHILDREN:
        name = f"{child.__name__.lower()}s"
        rows = []
        for article in articles:
            for row in getattr(article, name).all():
                row.article = article
                rows.append(row)
        child.objects.bulk_create(rows)
    for name in ("topics", "places"):
        _link(articles, name)
    _revisions(articles)
    _addresses(drafts)
    keys = [{"import": draft.taken.key} for draft in drafts]
    records.log_many(articles, "wagtail.create", keys)
    records.index(articles)


def _link(articles: Sequence[Article], name: str) -> None:
    through: Any = getattr(Article, name).through
    field_name = next(
        f.name
        for f in through._meta.fields
        if isinstance(f, models.ForeignKey) and f.related_model is not Article
    )
    through.objects.bulk_create(
        through(article_id=article.pk, **{f"{field_name}_id": term.pk})
        for article in articles
        for term in getattr(article, name).all()
    )


def _revisions(articles: Sequence[Article]) -> None:
    kind = ContentType.objects.get_for_model(Article)
    for article in articles:
        article.has_unpublished_changes = True
    revisions = Revision.objects.bulk_create(
        Revision(
            content_type=kind,
            base_content_type=kind,
            object_id=str(article.pk),
            created_at=article.updated_at,
            object_str=str(article)[:255],
            content=article.serializable_data(),
        )
        for article in articles
    )
    for article, revision in zip(articles, revisions, strict=True):
        article.latest_revision = revision
    newest = Revision.objects.filter(
        base_content_type=kind, object_id=Cast(OuterRef("pk"), models.CharField())
    )
    Article.objects.filter(pk__in=[a.pk for a in articles]).update(
        has_unpublished_changes=True, latest_revision=Subquery(newest.values("pk")[:1])
    )


def _addresses(drafts: Sequence[Draft]) -> None:
    """Keep the old addresses for the story: they lead to it from its first publication on."""
    Address.objects.bulk_create(
        [
            Address(path=path, uri=draft.article.story_uri)
            for draft in drafts
            for path in draft.taken.old_paths
            if len(path) <= 500
        ],
        ignore_conflicts=True,
    )
