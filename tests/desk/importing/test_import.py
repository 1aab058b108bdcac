# SPDX-License-Identifier: AGPL-3.0-or-later
"""What others wrote, in the desk and in the paper."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from wagtail.models import Locale

from tamizdat.desk.newsroom.models import Article, Person, Photo, Section, SitePage, Topic
from tamizdat.desk.publishing import actions, services
from tamizdat.desk.publishing.intake import Options, Report, take_in
from tamizdat.desk.publishing.models import StoryVersion
from tamizdat.desk.publishing.versions import stored
from tamizdat.desk.staff.models import User
from tamizdat.importers import open_importer
from tests.desk.conftest import jpeg
from tests.desk.publishing.conftest import Paper
from tests.importers.samples import PAGES, SHARED, attachment, item, meta, wxr

FILED = '<category domain="category" nicename="sea"><![CDATA[Sea]]></category>'


def bring_in(path: Path, media: Path | None = None, **options: bool) -> Report:
    return take_in(open_importer(path, media=media), Options(**options))


def export(folder: Path, *items: str) -> Path:
    path = folder / "export.xml"
    path.write_text(wxr(*items))
    return path


def rows() -> list[int]:
    models = (Article, Person, Photo, Section, Topic, SitePage, StoryVersion)
    return [model.objects.count() for model in models]


def test_posts_come_in_as_drafts_with_people_filing_and_dates(paper: Paper, tmp_path: Path) -> None:
    report = bring_in(export(tmp_path, item(1, extra=FILED), item(2)))
    assert (report.items, report.taken, report.drafts, report.left) == (2, 2, 2, 0)
    article = Article.objects.get(import_key="wxr:old.example:1")
    assert article.headline == "Story 1"
    assert not article.live
    assert [b.person.name for b in article.bylines.all()] == ["Ines Marrow"]
    assert article.section is not None
    assert article.section.slug == "sea"
    assert article.created_at.isoformat() == "2015-01-02T09:00:00+00:00"
    assert article.original_url == "https://old.example/2015/01/story-1/"
    assert article.get_latest_revision_as_object().headline == "Story 1"
    assert Person.objects.count() == 1


def test_sections_that_come_in_stand_behind_the_newsrooms_own(paper: Paper, tmp_path: Path) -> None:
    english = Locale.objects.get(language_code="en")
    Section.objects.create(locale=english, title="Ours", slug="ours", order=4)
    bring_in(export(tmp_path, item(1, extra=FILED)))
    assert [s.slug for s in Section.objects.filter(locale=english)] == ["ours", "sea"]


def test_published_posts_are_in_the_paper_and_old_addresses_lead_there(
    paper: Paper, tmp_path: Path
) -> None:
    path = export(tmp_path, item(1, extra=FILED), item(2, wp__status="draft", extra=FILED))
    report = bring_in(path, publish=True)
    assert (report.published, report.drafts) == (1, 1)
    paper.build()
    article = Article.objects.get(import_key="wxr:old.example:1")
    assert article.path == "/en/2015/01/02/story-1/"
    assert "Words." in paper.read(article.path)
    assert article.path in paper.read("/2015/01/story-1/")
    assert article.path in paper.read("/en/sea/")


def test_addresses_told_apart_by_their_query_alone_are_counted_with_the_reason(
    paper: Paper, tmp_path: Path
) -> None:
    report = bring_in(export(tmp_path, item(1), item(2)))
    told = next(row for row in report.as_json()["left"] if row["what"].endswith("addresses"))
    assert told["what"] == "2 × former addresses"
    assert "question mark" in told["why"]
    assert report.left == 0, "they are no items"
    assert any("/?p=7" in line for line in report.lines())


def test_a_draft_published_later_by_an_editor_answers_its_old_address(
    paper: Paper, tmp_path: Path, publisher: User
) -> None:
    bring_in(export(tmp_path, item(1, extra=FILED)))
    actions.publish_article(article=Article.objects.get(), acting_user=publisher)
    paper.build()
    assert Article.objects.get().path in paper.read("/2015/01/story-1/")


def test_running_it_twice_doubles_nothing(paper: Paper, tmp_path: Path) -> None:
    path = export(
        tmp_path,
        item(1, extra=FILED),
        item(2, wp__post_type="page"),
        item(3, wp__status="draft"),
    )
    bring_in(path, publish=True)
    before = rows()
    report = bring_in(path, publish=True)
    assert rows() == before
    assert (report.new, report.updated, report.unchanged) == (0, 0, 3)
    assert report.taken == 3


def test_drafts_of_a_first_run_are_published_by_a_second(paper: Paper, tmp_path: Path) -> None:
    path = export(tmp_path, item(1, extra=FILED))
    bring_in(path)
    report = bring_in(path, publish=True)
    assert report.updated == 1
    article = Article.objects.get()
    assert article.live
    assert article.path == "/en/2015/01/02/story-1/"


def test_a_change_in_the_source_comes_through(paper: Paper, tmp_path: Path) -> None:
    bring_in(export(tmp_path, item(1, extra=FILED)))
    report = bring_in(export(tmp_path, item(1, "<p>Better words.</p>", extra=FILED)))
    assert report.updated == 1
    newest = Article.objects.get().get_latest_revision_as_object()
    assert "Better words." in str(newest.body[0].value)


def test_what_an_editor_touched_is_never_overwritten(
    paper: Paper, tmp_path: Path, editor: User
) -> None:
    bring_in(export(tmp_path, item(1, extra=FILED)))
    article = Article.objects.get()
    article.headline = "As the editor wants it"
    article.save_revision(user=editor)
    report = bring_in(export(tmp_path, item(1, "<p>Other.</p>", extra=FILED)))
    assert Article.objects.get().get_latest_revision_as_object().headline == article.headline
    assert (report.updated, report.unchanged) == (0, 1)
    assert any("editor" in row["why"] for row in report.as_json()["changed"])


def test_a_dry_run_writes_nothing_and_tells_the_same(paper: Paper, tmp_path: Path) -> None:
    path = export(tmp_path, item(1, extra=FILED), item(2, wp__post_password="x"))
    before = rows()
    dry = bring_in(path, publish=True, dry_run=True)
    assert rows() == before
    wet = bring_in(path, publish=True)
    assert (dry.items, dry.taken, dry.left, dry.published) == (
        wet.items,
        wet.taken,
        wet.left,
        wet.published,
    )


def test_photos_come_in_once_and_cleaned(paper: Paper, tmp_path: Path) -> None:
    media = tmp_path / "uploads"
    (media / "2015/01").mkdir(parents=True)
    (media / "2015/01/boat.jpg").write_bytes(jpeg(64, 40))
    image = '<img src="https://old.example/wp-content/uploads/2015/01/boat.jpg" alt="A boat">'
    path = export(
        tmp_path,
        item(1, image, extra=FILED + meta("_thumbnail_id", "9")),
        item(2, image, extra=FILED),
        attachment(9, "boat.jpg", excerpt__encoded="At sea"),
    )
    report = bring_in(path, media, publish=True)
    photo = Photo.objects.get()
    assert (photo.caption, photo.description) == ("At sea", "A boat")
    assert report.photos == 1
    article = Article.objects.get(import_key="wxr:old.example:1")
    assert article.lead_photo == photo
    paper.build()
    assert "<picture>" in paper.read(article.path)


def test_a_photo_that_cannot_be_read_costs_only_itself(paper: Paper, tmp_path: Path) -> None:
    media = tmp_path / "uploads"
    (media / "2015/01").mkdir(parents=True)
    (media / "2015/01/boat.jpg").write_bytes(b"no picture")
    image = '<p>Words.</p><img src="https://old.example/wp-content/uploads/2015/01/boat.jpg">'
    report = bring_in(export(tmp_path, item(1, image, extra=FILED)), media)
    assert report.taken == 1
    assert any("boat.jpg" in row["why"] for row in report.as_json()["changed"])


def test_an_item_that_cannot_be_written_costs_only_itself(
    paper: Paper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tamizdat.desk.publishing.errors import PublishingError
    from tamizdat.desk.publishing.intake import articles

    whole = articles.build

    def build(taken: Any, *args: Any, **kwargs: Any) -> Any:
        if taken.key.endswith(":2"):
            raise PublishingError("This one is cursed.")
        return whole(taken, *args, **kwargs)

    monkeypatch.setattr(articles, "build", build)
    report = bring_in(export(tmp_path, item(1), item(2), item(3)))
    assert (report.taken, report.left, report.failed, report.exit_code) == (2, 1, 1, 3)
    assert Article.objects.count() == 2


def test_stories_of_one_topic_lead_to_each_other(paper: Paper, tmp_path: Path) -> None:
    tag = '<category domain="post_tag" nicename="boats"><![CDATA[Boats]]></category>'
    bring_in(export(tmp_path, *(item(n, extra=FILED + tag) for n in (1, 2))), publish=True)
    newest = json.loads(StoryVersion.objects.order_by("-pk")[0].item)
    related = [a for a in newest["associations"] if a["rel"] == "related"]
    assert [a["name"] for a in related] == ["Story 1"]


def test_two_posts_of_one_name_and_day_get_two_addresses(paper: Paper, tmp_path: Path) -> None:
    same = {"wp__post_name": "rain", "extra": FILED}
    bring_in(export(tmp_path, item(1, **same), item(2, **same)), publish=True)
    paths = set(Article.objects.values_list("path", flat=True))
    assert paths == {"/en/2015/01/02/rain/", "/en/2015/01/02/rain-2/"}


def test_pages_of_the_old_site_become_pages(paper: Paper, tmp_path: Path) -> None:
    about = item(
        1, "<p>Who we are.</p>", title="About", wp__post_name="about", wp__post_type="page"
    )
    report = bring_in(export(tmp_path, about), publish=True)
    assert report.pages == 1
    page = SitePage.objects.get()
    assert page.published is not None
    assert "Who we are." in page.published.html


def test_a_saved_page_comes_in_with_its_sources_and_caption(paper: Paper) -> None:
    report = bring_in(PAGES / "harbour.txt")
    assert report.taken == 1
    article = Article.objects.get()
    assert {(s.kind, s.name) for s in article.sources.all()} >= {("agency", "Northern Wire")}
    assert article.lead_caption.startswith("Pilots stand on the quay")
    assert article.dateline == "Port Ostrava"
    bring_in(PAGES / "harbour.txt", publish=True)
    story = stored(StoryVersion.objects.get())
    assert story.lead_photo is not None
    assert story.lead_photo.descriptions[0].value == article.lead_caption
    paper.build()
    assert "The harbour pilots of Port Ostrava" in paper.read(story.path)


def test_a_language_the_paper_has_not_falls_back_and_is_told(paper: Paper, tmp_path: Path) -> None:
    path = tmp_path / "item.json"
    path.write_text(json.dumps({"uri": "x:1", "language": "fr", "headlines": [{"value": "Pluie"}]}))
    report = bring_in(path)
    assert Article.objects.get().language == "en"
    assert any("“fr”" in row["why"] for row in report.as_json()["changed"])


def test_the_shared_export_is_published_whole(paper: Paper) -> None:
    path = SHARED / "wxr" / "themeunittestdata.wordpress.xml"
    if not path.exists():
        pytest.skip("the shared WordPress export is not beside the checkout")
    report = bring_in(path, publish=True)
    assert report.items == 186
    assert (report.taken, report.parts, report.left, report.failed) == (78, 35, 73, 0)
    services.run_pending()
    for article in Article.objects.filter(live=True):
        assert paper.edition.read(article.path) is not None
