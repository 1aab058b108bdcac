# SPDX-License-Identifier: AGPL-3.0-or-later
"""Comments, the front's editor, translations, the newsroom's own pages, files for staff."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from wagtail.models import Locale

from tamizdat.desk.newsroom import actions, attachments, photos
from tamizdat.desk.newsroom.errors import ActionError, FileError
from tamizdat.desk.newsroom.models import (
    Article,
    ArticleComment,
    Attachment,
    FrontPin,
    Photo,
    Section,
    SitePage,
)
from tamizdat.desk.staff.models import User
from tests.desk.conftest import jpeg, pdf

pytestmark = pytest.mark.django_db
FRONT = "/desk/newsroom/front/"


def comments_url(article: Article) -> str:
    return f"/desk/newsroom/articles/{article.pk}/comments/"


# Comments


def test_colleagues_comment_answer_and_settle(
    signed_in: Callable[[User], Client], article: Article, editor: User, reporter: User
) -> None:
    url = comments_url(article)
    page = signed_in(editor).post(url, {"what": "say", "text": "Who said it?"})
    assert "Who said it?" in page.content.decode()
    thread = ArticleComment.objects.get()
    answer = {"what": "say", "comment": str(thread.pk), "text": "The <b>spokeswoman</b>."}
    page = signed_in(reporter).post(url, answer)
    assert "The &lt;b&gt;spokeswoman&lt;/b&gt;." in page.content.decode()
    page = signed_in(editor).post(url, {"what": "resolve", "comment": str(thread.pk)})
    assert "Settled (1)" in page.content.decode()
    thread.refresh_from_db()
    assert thread.resolved_by == editor


def test_an_answer_opens_a_settled_thread_again(article: Article, editor: User) -> None:
    thread = actions.comment(article=article, acting_user=editor, text="One")
    actions.resolve_comment(thread=thread, acting_user=editor)
    thread.refresh_from_db()
    actions.comment(article=article, acting_user=editor, text="Two", reply_to=thread)
    thread.refresh_from_db()
    assert thread.resolved_at is None


def test_an_empty_comment_is_refused_in_words(
    signed_in: Callable[[User], Client], article: Article, editor: User
) -> None:
    response = signed_in(editor).post(comments_url(article), {"what": "say", "text": "  "})
    assert response.status_code == 422
    assert "Write something first" in response.content.decode()


def test_a_comment_of_another_article_cannot_be_reached(
    signed_in: Callable[[User], Client], article: Article, editor: User, english: Locale
) -> None:
    other = Article.objects.create(headline="Other", locale=english)
    foreign = actions.comment(article=other, acting_user=editor, text="There")
    sent = {"what": "resolve", "comment": str(foreign.pk)}
    assert signed_in(editor).post(comments_url(article), sent).status_code == 404


# The front's editor


@pytest.fixture
def stories(english: Locale) -> list[Article]:
    return [
        Article.objects.create(headline=f"Story {n}", locale=english, live=True) for n in range(4)
    ]


def pinned(section: Section | None = None) -> list[str]:
    pins = FrontPin.objects.filter(section=section).order_by("order")
    return [pin.article.headline for pin in pins]


def test_an_editor_arranges_the_front_and_a_section(
    signed_in: Callable[[User], Client], editor: User, stories: list[Article], news: Section
) -> None:
    client = signed_in(editor)
    keys = [str(stories[i].pk) for i in (2, 0, 1)]
    assert client.post(f"{FRONT}?language=en", {"article": keys}).status_code == 302
    client.post(f"{FRONT}?language=en&section={news.pk}", {"article": keys[:1]})
    assert pinned() == ["Story 2", "Story 0", "Story 1"]
    assert pinned(news) == ["Story 2"]
    page = client.get(f"{FRONT}?language=en").content.decode()
    assert page.index("Story 2") < page.index("Story 0") < page.index("Story 1")
    client.post(f"{FRONT}?language=en", {})
    assert pinned() == []
    assert pinned(news) == ["Story 2"]


def test_a_story_that_is_gone_is_told_and_the_order_is_not_lost(
    signed_in: Callable[[User], Client], editor: User, stories: list[Article]
) -> None:
    keys = [str(stories[1].pk), "999999"]
    response = signed_in(editor).post(f"{FRONT}?language=en", {"article": keys})
    assert response.status_code == 422
    assert "Story 1" in response.content.decode()
    assert pinned() == []


def test_a_front_takes_no_story_of_another_language_or_section(
    editor: User, stories: list[Article], russian: Locale, english: Locale, novosti: Section
) -> None:
    keys = [stories[0].pk]
    with pytest.raises(ActionError):
        actions.set_pins(locale=russian, section=None, articles=keys, acting_user=editor)
    with pytest.raises(ActionError):
        actions.set_pins(locale=english, section=novosti, articles=keys, acting_user=editor)
    with pytest.raises(ActionError):
        actions.set_pins(locale=english, section=None, articles=keys * 2, acting_user=editor)


def test_only_published_stories_of_the_language_are_offered(
    signed_in: Callable[[User], Client], editor: User, stories: list[Article], article: Article
) -> None:
    found = signed_in(editor).get(f"{FRONT}search/", {"language": "en"}).json()["stories"]
    assert {story["headline"] for story in found} == {f"Story {n}" for n in range(4)}


def test_a_reporter_does_not_arrange_fronts(
    signed_in: Callable[[User], Client], reporter: User, stories: list[Article]
) -> None:
    signed_in(reporter).post(f"{FRONT}?language=en", {"article": [str(stories[0].pk)]})
    assert pinned() == []


def test_saving_a_front_has_it_built(
    editor: User,
    stories: list[Article],
    english: Locale,
    django_capture_on_commit_callbacks: Any,
) -> None:
    from tamizdat.desk.publishing.models import BuildRequest

    with django_capture_on_commit_callbacks(execute=True):
        actions.set_pins(locale=english, section=None, articles=[stories[0].pk], acting_user=editor)
    assert BuildRequest.objects.filter(kind=BuildRequest.Kind.REFRESH).count() == 1


# Translations


def test_translating_makes_a_linked_draft_with_everything_but_the_address(
    signed_in: Callable[[User], Client],
    article: Article,
    reporter: User,
    russian: Locale,
    novosti: Section,
    photo: Photo,
) -> None:
    article.lead_photo = photo
    article.save_revision(user=reporter)
    article.get_latest_revision().publish()
    url = f"/desk/newsroom/articles/{article.pk}/translate/"
    response = signed_in(reporter).post(url, {"language": "ru"})
    copy = Article.objects.get(locale=russian)
    assert str(copy.pk) in response["location"]
    assert copy.translation_key == article.translation_key
    assert copy.story_uri != article.story_uri
    assert (copy.live, copy.path, copy.first_published_at) == (False, "", None)
    assert (copy.section, copy.lead_photo, copy.created_by) == (novosti, photo, reporter)
    assert [line.person for line in copy.bylines.all()] == [
        line.person for line in article.bylines.all()
    ]
    assert [source.name for source in copy.sources.all()] == ["Harbour office"]
    again = signed_in(reporter).post(url, {"language": "ru"})
    assert again["location"] == response["location"]
    assert Article.objects.count() == 2


# The newsroom's own pages


def test_every_published_version_of_a_page_keeps_its_number(
    english: Locale, publisher: User
) -> None:
    page = SitePage.objects.create(
        locale=english, title="Privacy", slug="privacy", kind="privacy", body="<p>One.</p>"
    )
    assert page.published is None
    actions.publish_page(page=page, acting_user=publisher)
    actions.publish_page(page=page, acting_user=publisher)
    page.body = '<p>Two <script>alert(1)</script><a href="javascript:x">x</a></p>'
    page.save()
    actions.publish_page(page=page, acting_user=publisher)
    versions = list(page.versions.order_by("number").values_list("number", "html"))
    assert versions == [(1, "<p>One.</p>"), (2, "<p>Two x</p>")]


def test_an_editor_writes_pages_and_a_publisher_publishes_them(
    signed_in: Callable[[User], Client], editor: User, publisher: User
) -> None:
    add = "/desk/snippets/newsroom/sitepage/add/?locale=en"
    body = (
        '{"blocks":[{"key":"a","text":"Hello.","type":"unstyled","depth":0,'
        '"inlineStyleRanges":[],"entityRanges":[]}],"entityMap":{}}'
    )
    sent = {"title": "About us", "kind": "about", "slug": "", "order": "0", "body": body}
    signed_in(editor).post(add, sent | {"to-publish-page": "1"})
    page = SitePage.objects.get()
    assert page.slug == "about-us"
    assert page.published is None
    edit = f"/desk/snippets/newsroom/sitepage/edit/{page.pk}/"
    sent["slug"] = "about-us"
    signed_in(publisher).post(edit, sent | {"to-publish-page": "1"})
    assert page.published is not None
    assert "Hello." in page.published.html


# Files


def test_a_photo_taken_in_by_an_importer_is_cleaned_like_any_other(media: Path) -> None:
    exif = __import__("PIL.Image", fromlist=["Image"]).Exif()
    exif[0x010F] = "Kamera-Werk"
    photo = actions.add_photo(data=jpeg(80, 60, exif=exif), title="One", import_key="wxr:9")
    assert (photo.width, photo.height) == (80, 60)
    assert b"Kamera-Werk" not in Path(photo.file.path).read_bytes()


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (b"%PDF-1.7\n...", "report.pdf", "application/pdf"),
        (b"ID3\x04" + b"\0" * 100, "talk.mp3", "audio/mpeg"),
        (b"OggS" + b"\0" * 100, "talk.ogg", "audio/ogg"),
        (b"\0\0\0\x18ftypmp42" + b"\0" * 12, "film.mp4", "video/mp4"),
        ("Имя;год\n".encode(), "table.csv", "text/csv"),
    ],
)
def test_files_are_known_by_their_bytes(data: bytes, name: str, kind: str) -> None:
    assert attachments.sniff(BytesIO(data), name) == kind


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"<html><script>1</script></html>", "page.html"),
        (b"<html><script>1</script></html>", "page.txt"),
        (b"<svg onload='x'/>", "drawing.pdf"),
        (b"MZ\x90\0\0\0", "setup.exe"),
        (b"PK\x03\x04broken", "report.docx"),
        (b"", "empty.pdf"),
    ],
)
def test_files_that_a_browser_or_machine_would_run_are_refused(
    media: Path, data: bytes, name: str
) -> None:
    with pytest.raises(FileError, match="cannot take this kind"):
        actions.add_attachment(file=BytesIO(data), name=name, title=name)


def test_a_film_that_tells_where_it_was_made_is_refused(media: Path) -> None:
    place = b"\xa9xyz\x00\x12\x15\xc7+55.7522+037.6156/"
    moov = (len(place) + 8).to_bytes(4, "big") + b"moov" + place
    with pytest.raises(FileError, match="tells where it was recorded"):
        actions.add_attachment(
            file=BytesIO(b"\0\0\0\x18ftypmp42" + b"\0" * 12 + moov), name="a.mp4", title="a"
        )


def test_documents_are_for_staff_and_only_to_save(
    signed_in: Callable[[User], Client], media: Path, reporter: User, client: Client
) -> None:
    made = actions.add_attachment(file=BytesIO(pdf()), name="r.pdf", title="R")
    assert client.get(made.url).status_code == 403
    response = signed_in(reporter).get(made.url)
    assert response["content-disposition"].startswith("attachment")


def test_an_upload_form_tells_why_a_file_is_refused(
    signed_in: Callable[[User], Client], media: Path, reporter: User
) -> None:
    sent = {
        "title": "Page",
        "file": SimpleUploadedFile("page.txt", b"<html></html>"),
        "collection": "1",
        "tags": "",
    }
    page = signed_in(reporter).post("/desk/documents/add/", sent)
    assert "We cannot take this kind of file" in page.content.decode()
    assert not Attachment.objects.exists()


def test_pictures_in_the_desk_are_for_staff(
    signed_in: Callable[[User], Client], photo: Photo, reporter: User, client: Client
) -> None:
    file = photos.renditions_for(photo)[0]
    addresses = [photo.file.url, f"/desk/newsroom/files/{file.sha256}/"]
    for address in addresses:
        assert client.get(address).status_code == 302
        response = signed_in(reporter).get(address)
        assert response.status_code == 200
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response.getvalue()


@pytest.mark.parametrize(
    "path", ["../secrets/desk-key", "..%2Fdesk.sqlite3", "documents/r.pdf", "renditions/x"]
)
def test_nothing_else_of_the_folder_is_served(
    path: str, signed_in: Callable[[User], Client], media: Path, reporter: User
) -> None:
    response = signed_in(reporter).get(f"/desk/newsroom/media/{path}")
    assert response.status_code == 404


def test_the_page_for_translating_shows_what_there_is(
    signed_in: Callable[[User], Client], article: Article, reporter: User, russian: Locale
) -> None:
    url = f"/desk/newsroom/articles/{article.pk}/translate/"
    client = signed_in(reporter)
    assert "Start in Русский" in client.get(url).content.decode()
    client.post(url, {"language": "ru"})
    page = client.get(url).content.decode()
    assert "Start in Русский" not in page
    assert "Start in العربية" in page
