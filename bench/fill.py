# SPDX-License-Identifier: AGPL-3.0-or-later
"""Fill a newsroom's desk with the invented archive, through its real models.

What always holds: what the desk's pages look at is there for every article: the row with its
text, topics, places, bylines and sources, one revision, one story version with its head and
address, an entry in the search index. A few articles are drafts, in review, scheduled, commented.

What is not done here: building the paper. It is filled in bulk, not by the desk's actions: those
are measured one at a time (``desk``) and by importing (``import_wxr``).
"""

from __future__ import annotations

import argparse
import io
import itertools
import json
import sys
import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench import measure
from bench.archive import PEOPLE, PLACES, SECTIONS, SERIES, TOPICS, Archive, Picture
from tamizdat.cli.common import start_django
from tamizdat.edition.paths import MEDIA_EXTENSIONS
from tamizdat.edition.story import Story, encode

BATCH = 500
PASSWORD = "a long invented password"  # noqa: S105 (of an invented newsroom that lives for minutes)
USER, AUTHOR = "publisher", "reporter"
DRAFTS = 40
TERMS = {"topic": TOPICS, "place": PLACES, "series": SERIES}


def fill(size: int) -> None:
    """Fill the newsroom that Django was started for."""
    from django.db import connection, transaction

    archive = Archive(size)
    photos = add_photos(archive)
    archive = replace(archive, own_pictures=tuple(map(_files, photos)))
    with transaction.atomic():
        desk = Desk(archive, photos)
    numbers = iter(range(size))
    while batch := list(itertools.islice(numbers, BATCH)):
        with transaction.atomic():
            desk.add(batch)
        if batch[-1] % 10_000 == BATCH - 1:
            measure.say(f"{batch[-1] + 1} articles")
    with transaction.atomic():
        desk.unsettle()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def add_photos(archive: Archive) -> list[Any]:
    """The archive's photos as an editor would upload them, with their files for readers."""
    from django.core.files.images import ImageFile

    from tamizdat.desk.newsroom.models import Photo

    found = []
    for number, files in enumerate(archive.pictures):
        upload = ImageFile(io.BytesIO(files[-1].data), name=f"bench-{number}.jpg")
        photo = Photo(
            title=f"Photo {number}",
            file=upload,
            description="What is to be seen",
            caption="What it shows, who and where.",
            credit="An invented photographer",
            uri=archive.photo_uri(number),
        )
        photo.save()
        found.append(photo)
    return found


def _files(photo: Any) -> tuple[Picture, ...]:
    from tamizdat.desk.newsroom.photos import file_path, renditions_for

    return tuple(
        Picture(
            row.sha256,
            MEDIA_EXTENSIONS[row.media_type],
            row.media_type,
            row.width,
            row.height,
            file_path(row.sha256).read_bytes(),
        )
        for row in renditions_for(photo)
    )


class Desk:
    """What every article refers to, made once, and the articles themselves."""

    def __init__(self, archive: Archive, photos: Sequence[Any]) -> None:
        from django.contrib.auth.models import Group
        from django.contrib.contenttypes.models import ContentType
        from wagtail.models import Locale

        from tamizdat.desk.newsroom.models import Article, Person, Place, Section, Series, Topic
        from tamizdat.desk.staff.actions import create_account

        self.archive = archive
        self.photos = {photo.uri: photo for photo in photos}
        groups = list(Group.objects.all())
        create_account(
            acting_user=None, username=USER, password=PASSWORD, groups=groups, superuser=True
        )
        self.user = create_account(acting_user=None, username=AUTHOR, groups=groups)
        self.type = ContentType.objects.get_for_model(Article)
        self.locales = {
            code: Locale.objects.get_or_create(language_code=code)[0] for code in archive.languages
        }
        kinds = {"topic": Topic, "place": Place, "series": Series}
        self.terms: dict[tuple[str, str], Any] = {}
        for code in archive.languages:
            for kind, model in kinds.items():
                self._add_terms(code, kind, model)
            for order, slug in enumerate(SECTIONS):
                self.terms[code, slug] = Section.objects.create(
                    locale=self.locales[code],
                    title=archive.section_title(code, slug),
                    slug=slug,
                    order=order,
                )
        self.people = {
            f"person-{n}": Person.objects.create(
                name=archive.term("en", "person", n), slug=f"person-{n}"
            )
            for n in range(PEOPLE)
        }

    def _add_terms(self, code: str, kind: str, model: Any) -> None:
        for number in range(TERMS[kind]):
            slug = f"{kind}-{number}"
            self.terms[code, slug] = model.objects.create(
                locale=self.locales[code], title=self.archive.term(code, kind, number), slug=slug
            )

    def add(self, numbers: Sequence[int]) -> None:
        """Add a batch of published articles."""
        from wagtail.models import Revision

        from tamizdat.desk.newsroom.models import Article

        stories = [self.archive.story(number) for number in numbers]
        articles = [self._article(n, s) for n, s in zip(numbers, stories, strict=True)]
        Article.objects.bulk_create(articles)
        self._add_relations(articles, stories)
        revisions = Revision.objects.bulk_create(
            self._revision(a, s) for a, s in zip(articles, stories, strict=True)
        )
        for article, revision in zip(articles, revisions, strict=True):
            article.latest_revision = article.live_revision = revision
        Article.objects.bulk_update(articles, ["latest_revision", "live_revision"])
        self._add_versions(articles, stories)
        self._add_to_search(articles)

    def _article(self, number: int, story: Story) -> Any:
        from tamizdat.desk.newsroom.body_reader import blocks_from_html
        from tamizdat.desk.newsroom.models import Article

        language = story.language or ""
        series = story.series[0].literal if story.series else None
        blocks = blocks_from_html(story.body_html, photos=self.photos)
        lead = story.lead_photo
        return Article(
            pk=number + 1,
            locale=self.locales[language],
            translation_key=uuid.UUID(int=number),
            kicker=story.kicker,
            headline=story.headline,
            working_headline=story.headline,
            standfirst=story.standfirst,
            body=json.dumps(blocks),
            lead_photo=self.photos[lead.uri] if lead else None,
            section=self.terms[language, story.section.literal if story.section else ""],
            series=self.terms[language, series] if series else None,
            dateline=story.located or "",
            slug=story.slugline or "",
            story_uri=story.uri,
            path=story.path,
            live=not story.withdrawn,
            withdrawn_at=story.updated if story.withdrawn else None,
            withdrawal_reason=story.withdrawal_reason,
            first_published_at=story.published,
            last_published_at=story.updated,
            created_at=story.published,
            updated_at=story.updated,
            created_by=self.user,
            edited_by=self.user,
        )

    def _add_relations(self, articles: Sequence[Any], stories: Sequence[Story]) -> None:
        from tamizdat.desk.newsroom.models import Article, Byline, Source

        pairs = list(zip(articles, stories, strict=True))
        topics, places = Article.topics.through, Article.places.through
        topics.objects.bulk_create(
            topics(article=a, topic=self.terms[s.language or "", t.literal or ""])
            for a, s in pairs
            for t in s.topics
        )
        places.objects.bulk_create(
            places(article=a, place=self.terms[s.language or "", t.literal or ""])
            for a, s in pairs
            for t in s.places
        )
        Byline.objects.bulk_create(
            Byline(article=a, person=self.people[p.literal or ""], sort_order=n)
            for a, s in pairs
            for n, p in enumerate(s.bylines)
        )
        Source.objects.bulk_create(
            Source(
                article=a,
                sort_order=n,
                name=source.name or "",
                kind=source.role or "",
                link=source.uri or "",
                supports=source.literal or "",
            )
            for a, s in pairs
            for n, source in enumerate(s.info_sources)
        )

    def _revision(self, article: Any, story: Story) -> Any:
        from wagtail.models import Revision

        from tamizdat.desk.newsroom.models import Byline, Source

        language = story.language or ""
        article.topics = [self.terms[language, t.literal or ""] for t in story.topics]
        article.places = [self.terms[language, t.literal or ""] for t in story.places]
        article.bylines = [
            Byline(person=self.people[p.literal or ""], sort_order=n)
            for n, p in enumerate(story.bylines)
        ]
        article.sources = [
            Source(name=s.name or "", kind=s.role or "", link=s.uri or "", sort_order=n)
            for n, s in enumerate(story.info_sources)
        ]
        article.corrections = []
        return Revision(
            content_type=self.type,
            base_content_type=self.type,
            object_id=str(article.pk),
            object_str=article.headline,
            created_at=story.updated,
            user=self.user,
            content=article.serializable_data(),
        )

    def _add_versions(self, articles: Sequence[Any], stories: Sequence[Story]) -> None:
        from tamizdat.desk.publishing.models import Address, StoryHead, StoryVersion

        pairs = list(zip(articles, stories, strict=True))
        versions = StoryVersion.objects.bulk_create(
            StoryVersion(
                uri=story.uri,
                version=int(story.version or 1),
                language=story.language or "",
                pub_status=story.pub_status or "",
                item=encode(story).decode(),
                created=story.updated,
                reason="published",
                article=article,
                revision=article.latest_revision_id,
                acting_user=self.user,
            )
            for article, story in pairs
        )
        StoryHead.objects.bulk_create(
            StoryHead(
                uri=version.uri,
                version=version,
                language=version.language,
                path=story.path,
                pub_status=version.pub_status,
            )
            for version, story in zip(versions, stories, strict=True)
        )
        Address.objects.bulk_create(
            Address(path=path, uri=story.uri)
            for story in stories
            for path in (story.path, *story.former_paths)
        )

    def _add_to_search(self, articles: Sequence[Any]) -> None:
        from wagtail.search.backends import get_search_backend

        from tamizdat.desk.newsroom.models import Article

        get_search_backend().get_index_for_model(Article).add_items(Article, articles)

    def unsettle(self) -> None:
        """Make the newest articles what a newsroom has open: drafts, comments, schedules."""
        from tamizdat.desk.newsroom.models import Article, ArticleComment

        newest = list(Article.objects.order_by("-pk")[:DRAFTS])
        for number, article in enumerate(newest):
            article.has_unpublished_changes = True
            if number % 4 == 1:
                article.live, article.path = False, ""
                article.go_live_at = article.updated_at + timedelta(days=90)
            if number % 4 == 2:
                ArticleComment.objects.create(
                    article=article, author=self.user, text="Who says so?"
                )
        Article.objects.bulk_update(
            newest, ["has_unpublished_changes", "live", "path", "go_live_at"]
        )


def main() -> int:
    parser = argparse.ArgumentParser(description="Fill a newsroom with the invented archive.")
    parser.add_argument("--size", type=int, default=1000, help="articles (default 1000)")
    parser.add_argument("--dir", type=Path, required=True, help="a newsroom's folder")
    options = parser.parse_args()
    start_django(options.dir)
    fill(options.size)
    return 0


if __name__ == "__main__":
    sys.exit(main())
