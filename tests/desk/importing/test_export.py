# SPDX-License-Identifier: AGPL-3.0-or-later
"""Nobody is locked in: everything goes out, and comes back as it was."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from tamizdat.desk.newsroom.models import Article, Byline, Person, Photo, Source
from tamizdat.desk.publishing import actions, triggers
from tamizdat.desk.publishing.intake import Options, take_in
from tamizdat.desk.publishing.models import StoryVersion
from tamizdat.desk.publishing.outlet import write_out
from tamizdat.desk.staff.models import User
from tamizdat.importers import open_importer
from tests.desk.publishing.conftest import Paper, make_newsroom
from tests.importers.samples import SHARED


def files(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


def versions() -> list[tuple[str, int, str]]:
    rows = StoryVersion.objects.order_by("uri", "version")
    return list(rows.values_list("uri", "version", "item"))


@pytest.fixture
def filled(paper: Paper, article: Article, photo: Photo, publisher: User, person: Person) -> None:
    """A story with a photo in three versions, one moved and withdrawn, and a draft."""
    draft = article.get_latest_revision_as_object()
    draft.lead_photo = photo
    draft.body = [
        ("text", "<p>The crews <b>went</b> back.</p><ul><li>One</li></ul>"),
        ("photo", {"photo": photo, "caption": "In fog", "alt": ""}),
        ("pull_quote", {"text": "<p>At last.</p>", "attribution": "Ada Orm, pilot"}),
    ]
    draft.save_revision(user=publisher)
    actions.publish_article(article=Article.objects.get(pk=article.pk), acting_user=None)
    live = Article.objects.get(pk=article.pk)
    actions.correct_article(article=live, text="It was Monday.", acting_user=None)
    live = Article.objects.get(pk=article.pk)
    actions.change_slug(article=live, slug="strike-is-over", acting_user=None)
    other = Article(
        locale=article.locale,
        section=article.section,
        headline="Gone",
        slug="gone",
        body=[("text", "<p>Words.</p>")],
    )
    other.bylines.add(Byline(person=person))
    other.save()
    actions.publish_article(article=other, acting_user=None)
    actions.withdraw_article(
        article=Article.objects.get(pk=other.pk), reason="It was wrong.", acting_user=None
    )
    later = Article(
        locale=article.locale,
        section=article.section,
        headline="Later",
        slug="later",
        lead_photo=photo,
        body=[("text", "<p>Not yet.</p>")],
    )
    later.sources.add(Source(name="The harbour", kind="witness", supports="All of it."))
    later.save()
    later.save_revision(user=publisher)


def start_again(folder: Path, settings: Any) -> None:
    """An empty desk in a new folder. The database refuses to delete versions, so for this moment
    it is told not to."""
    models = [
        m for a in ("newsroom", "publishing") for m in apps.get_app_config(a).get_models(True)
    ]
    tables = [m._meta.db_table for m in models if not m._meta.swapped]
    tables += ["wagtailcore_revision", "wagtailcore_modellogentry", "wagtailcore_referenceindex"]
    with connection.cursor() as cursor:
        for statement in triggers.DROP[connection.vendor]:
            cursor.execute(statement)
        for table in tables:
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608
        for statement in triggers.CREATE[connection.vendor]:
            cursor.execute(statement)
    settings.NEWSROOM = make_newsroom(folder, four_eyes=True)
    settings.MEDIA_ROOT = folder / "media"


def test_an_export_comes_back_unchanged_and_goes_out_the_same(
    filled: None, tmp_path: Path, settings: Any
) -> None:
    first = tmp_path / "first"
    report = write_out(first)
    assert (report.stories, report.versions, report.drafts, report.photos) == (2, 5, 1, 1)
    before = versions()
    start_again(tmp_path / "second-room", settings)
    assert not versions()
    taken = take_in(open_importer(first), Options())
    assert (taken.new, taken.failed, taken.left) == (3, 0, 0)
    assert versions() == before
    again = tmp_path / "again"
    write_out(again)
    assert files(again) == files(first)


def test_what_came_back_can_be_worked_on(filled: None, tmp_path: Path, settings: Any) -> None:
    write_out(tmp_path / "out")
    start_again(tmp_path / "second-room", settings)
    take_in(open_importer(tmp_path / "out"), Options())
    live = Article.objects.get(live=True)
    assert live.slug == "strike-is-over"
    assert [b.block_type for b in live.body] == ["text", "photo", "pull_quote"]
    assert live.lead_photo is not None
    assert [c.text for c in live.corrections.all()] == ["It was Monday."]
    actions.correct_article(article=live, text="And in Tell.", acting_user=None)
    newest = StoryVersion.objects.filter(uri=live.story_uri).order_by("-version")[0]
    assert newest.version == 4
    gone = Article.objects.get(headline="Gone")
    assert gone.withdrawn_at is not None
    assert gone.withdrawal_reason == "It was wrong."
    paper = Paper()
    paper.build()
    assert "It was Monday." in paper.read(live.path)


def test_taking_it_back_twice_doubles_nothing(filled: None, tmp_path: Path) -> None:
    write_out(tmp_path / "out")
    before = versions()
    report = take_in(open_importer(tmp_path / "out"), Options())
    assert (report.new, report.unchanged) == (0, 3)
    assert versions() == before


def test_an_export_goes_on_where_it_was(filled: None, tmp_path: Path) -> None:
    first = write_out(tmp_path / "out")
    second = write_out(tmp_path / "out")
    assert first.files > 5
    assert second.files == 0


def test_nothing_that_only_staff_may_know_goes_out(
    filled: None, tmp_path: Path, publisher: User
) -> None:
    Person.objects.update(staff_note="met at the red door", is_pseudonym=True)
    write_out(tmp_path / "out")
    for name, data in files(tmp_path / "out").items():
        for secret in (b"red door", publisher.username.encode(), b'meridian.example"'):
            assert secret not in data or name.startswith(("photos/", "media/"))


def test_all_that_goes_out_validates_against_the_standard(
    filled: None, tmp_path: Path, ninjs: Callable[[dict[str, Any]], None]
) -> None:
    write_out(tmp_path / "out")
    found = list((tmp_path / "out").rglob("*.json"))
    assert len(found) == 6
    for path in found:
        ninjs(json.loads(path.read_bytes()))


@pytest.fixture
def ninjs() -> Callable[[dict[str, Any]], None]:
    """Checks an item against the official schema, with a stand-in for the GeoJSON it refers to."""
    path = SHARED / "ninjs" / "ninjs-schema_3.1.json"
    if not path.exists():
        pytest.skip("the official schema is not beside the checkout")
    from jsonschema import Draft202012Validator
    from referencing import Registry, Resource
    from referencing.jsonschema import DRAFT202012

    schema = json.loads(path.read_text())
    anything = Resource.from_contents({}, default_specification=DRAFT202012)
    registry: Any = Registry(retrieve=lambda uri: anything)  # type: ignore[call-arg]  # attrs
    return Draft202012Validator(schema, registry=registry).validate
