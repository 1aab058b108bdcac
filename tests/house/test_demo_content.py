# SPDX-License-Identifier: AGPL-3.0-or-later
"""The demo's content is whole: what a story names is there, in its language."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest
from PIL import Image

from tamizdat.desk.demo import content, pictures

STORIES = {story.key: story for story in content.stories()}
NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)


def _slugs(kind: str, language: str) -> set[str]:
    place = 0 if language == "en" else 1
    return {term.slug[place] for term in getattr(content.newsroom(), kind)}


@pytest.mark.parametrize("key", STORIES)
def test_everything_that_a_story_names_is_there(key: str) -> None:
    story = STORIES[key]
    assert story.section in _slugs("sections", story.language)
    assert set(story.topics) <= _slugs("topics", story.language)
    assert set(story.places) <= _slugs("places", story.language)
    assert not story.series or story.series in _slugs("series", story.language)
    assert {person for person, _ in story.bylines} <= {p.slug for p in content.newsroom().people}
    assert not story.translation_of or story.translation_of in STORIES
    photos = {
        story.photo,
        *(k for b in story.body if b.kind in ("photo", "gallery") for k in b.keys),
    }
    assert photos - {""} <= set(content.photos())
    assert story.body
    assert story.standfirst


@pytest.mark.parametrize("key", STORIES)
def test_a_box_leads_only_to_stories_that_were_published_before(key: str) -> None:
    story = STORIES[key]
    for block in story.body:
        if block.kind == "box":
            for other in block.keys:
                before = content.moment(STORIES[other].ago, NOW)
                assert before < content.moment(story.ago, NOW), other


def test_the_newsroom_is_as_busy_as_promised() -> None:
    published = [s for s in STORIES.values() if s.state == "published" and not s.withdrawn]
    assert len(published) >= 40
    ages = [NOW - content.moment(story.ago, NOW) for story in published]
    assert max(ages).days >= 18
    assert min(ages).total_seconds() > 0
    for want in ("scheduled", "review", "draft"):
        assert any(story.state == want for story in STORIES.values()), want
    assert any(story.correction for story in STORIES.values())
    assert any(story.withdrawn for story in STORIES.values())
    assert any(person.pseudonym for person in content.newsroom().people)


def test_the_sums_of_the_bridge_add_up() -> None:
    rows = list(csv.DictReader(io.StringIO((content.FOLDER / "bridge-accounts.csv").read_text())))
    assert len(rows) == 31
    assert sum(round(float(row["millions"]) * 100) for row in rows) == 4180
    assert max(float(row["millions"]) for row in rows) == 1.49
    assert sum(datetime.fromisoformat(row["date"]).weekday() == 3 for row in rows) == 22


@pytest.mark.parametrize("scene", pictures.SCENES)
def test_every_scene_can_be_drawn_and_is_the_same_again(scene: str) -> None:
    first = pictures.picture(scene, "cold", "a seed")
    assert first == pictures.picture(scene, "cold", "a seed")
    assert Image.open(io.BytesIO(first)).size == pictures.SIZE


def test_every_photo_says_what_it_shows_in_both_languages() -> None:
    for key, photo in content.photos().items():
        assert photo.scene in pictures.SCENES, key
        assert photo.palette in pictures.PALETTES, key
        assert all((*photo.en, *photo.ru, photo.credit)), key


def test_moments_are_read_as_they_are_written() -> None:
    assert content.moment("3h", NOW) == NOW.replace(hour=12)
    assert content.moment("2d 07:40", NOW) == NOW.replace(day=20, hour=7, minute=40)
    assert content.moment("1d 07:00", NOW, ahead=True) == NOW.replace(day=23, hour=7)
