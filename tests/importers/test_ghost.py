# SPDX-License-Identifier: AGPL-3.0-or-later
"""A Ghost export becomes stories, whichever of its editors wrote them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tamizdat.edition.body import clean
from tamizdat.importers import open_importer
from tamizdat.importers.port import Result, Taken
from tests.importers.samples import ghost, left_of, taken_of


def read(tmp_path: Path, source: str, media: Path | None = None) -> list[Result]:
    path = tmp_path / "ghost.json"
    path.write_text(source)
    importer = open_importer(path, media=media)
    assert importer.format == "ghost"
    return list(importer)


def only(tmp_path: Path, **post: Any) -> Taken:
    found = taken_of(read(tmp_path, ghost([post])))
    assert len(found) == 1
    return found[0]


def lexical(*children: dict[str, Any]) -> str:
    return json.dumps({"root": {"type": "root", "children": list(children)}})


def text(words: str, mask: int = 0) -> dict[str, Any]:
    return {"type": "extended-text", "text": words, "format": mask}


def test_a_post_keeps_tags_authors_dates_and_address(tmp_path: Path) -> None:
    source = ghost(
        [{"custom_excerpt": "Why."}],
        tags=[
            {"id": "t1", "name": "Region", "slug": "region"},
            {"id": "t2", "name": "#internal", "slug": "hash-internal", "visibility": "internal"},
            {"id": "t3", "name": "Bridges", "slug": "bridges"},
        ],
        posts_tags=[
            {"id": "1", "post_id": "p1", "tag_id": "t3", "sort_order": 2},
            {"id": "2", "post_id": "p1", "tag_id": "t1", "sort_order": 0},
            {"id": "3", "post_id": "p1", "tag_id": "t2", "sort_order": 1},
        ],
        posts_authors=[{"id": "1", "post_id": "p1", "author_id": "u1", "sort_order": 0}],
    )
    taken = taken_of(read(tmp_path, source))[0]
    story = taken.story
    assert story.section is not None
    assert story.section.literal == "region"
    assert [t.literal for t in story.topics] == ["bridges"]
    assert (story.by, story.standfirst) == ("Oda Kern", "Why.")
    assert story.first_created == "2021-05-06T07:08:09Z"
    assert taken.old_paths == ["/post-1/"]
    assert any("#internal" in note for note in taken.notes)


def test_the_older_form_without_db_is_read(tmp_path: Path) -> None:
    data = json.loads(ghost([{"published_at": 1420193289000, "page": 1, "author_id": "u1"}]))
    source = json.dumps({"meta": {"version": "003"}, "data": data["db"][0]["data"]})
    taken = taken_of(read(tmp_path, source))[0]
    assert taken.kind == "page"
    assert taken.story.first_created == "2015-01-02T10:08:09Z"
    assert taken.story.by == "Oda Kern"


def test_lexical_is_rendered_where_there_is_no_html(tmp_path: Path) -> None:
    document = lexical(
        {"type": "extended-heading", "tag": "h2", "children": [text("Title")]},
        {"type": "paragraph", "children": [text("A "), text("b", 3), text(" c", 8)]},
        {
            "type": "list",
            "listType": "bullet",
            "children": [{"type": "listitem", "children": [text("x")]}],
        },
        {"type": "image", "src": "__GHOST_URL__/content/images/2021/05/a.jpg", "alt": "Boat"},
        {"type": "bookmark", "url": "https://far.example/", "metadata": {"title": "Far"}},
        {"type": "markdown", "markdown": "some *words*"},
        {"type": "toggle", "heading": "More", "content": "<p>inside</p>"},
        {"type": "signup"},
    )
    taken = only(tmp_path, html=None, lexical=document)
    html = taken.story.body_html
    assert clean(html) == html
    assert "<h2>Title</h2>\n<p>A <em><strong>b</strong></em> c</p>\n<ul><li>x</li></ul>" in html
    assert taken.photos[0].alt == "Boat"
    assert "__GHOST_URL__" not in html
    assert '<aside class="link"><a href="https://far.example/"' in html
    assert "<em>words</em>" in html
    assert "<h3>More</h3>\n<p>inside</p>" in html
    assert any("sign-up" in note for note in taken.notes)


def test_mobiledoc_is_rendered_where_there_is_no_html(tmp_path: Path) -> None:
    document = {
        "version": "0.3.1",
        "markups": [["strong"], ["a", ["href", "https://far.example/"]]],
        "atoms": [["soft-return", "", {}]],
        "cards": [["hr", {}], ["html", {"html": "<p>raw</p>"}]],
        "sections": [
            [1, "p", [[0, [0], 1, "Bold"], [1, [], 0, 0], [0, [1], 1, "link"]]],
            [3, "ol", [[[0, [], 0, "one"]]]],
            [10, 1],
        ],
    }
    html = only(tmp_path, html=None, mobiledoc=json.dumps(document)).story.body_html
    assert html.startswith("<p><strong>Bold</strong><br><a ")
    assert "<ol><li>one</li></ol>\n<p>raw</p>" in html


def test_pictures_are_found_in_the_media_folder(tmp_path: Path) -> None:
    images = tmp_path / "images"
    (images / "2021/05").mkdir(parents=True)
    (images / "2021/05/a.jpg").write_bytes(b"x")
    source = ghost(
        [{"feature_image": "__GHOST_URL__/content/images/size/w600/2021/05/a.jpg"}],
        posts_meta=[
            {"post_id": "p1", "feature_image_alt": "Pier", "feature_image_caption": "<b>At</b>"}
        ],
    )
    photo = taken_of(read(tmp_path, source, images))[0].photos[0]
    assert photo.path == images / "2021/05/a.jpg"
    assert (photo.alt, photo.caption) == ("Pier", "At")


STATES = [
    ({"status": "draft"}, True),
    ({"status": "scheduled"}, True),
    ({"visibility": "members"}, True),
    ({}, False),
]


@pytest.mark.parametrize(("post", "draft"), STATES)
def test_what_was_not_public_stays_a_draft(
    tmp_path: Path, post: dict[str, str], draft: bool
) -> None:
    assert only(tmp_path, **post).draft is draft


def test_what_was_only_mail_is_left_out_and_told(tmp_path: Path) -> None:
    results = read(tmp_path, ghost([{"status": "sent"}, {}]))
    assert len(taken_of(results)) == 1
    assert "mail" in left_of(results)[0].why


def test_a_broken_document_costs_no_other_post(tmp_path: Path) -> None:
    results = read(tmp_path, ghost([{"html": None, "lexical": "{broken"}, {"id": [1]}, {}]))
    assert len(taken_of(results)) == 2
    assert [r.failed for r in left_of(results)] == [True]
