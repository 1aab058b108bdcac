# SPDX-License-Identifier: AGPL-3.0-or-later
"""A WordPress export becomes stories as its readers knew them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tamizdat.edition.body import clean
from tamizdat.importers import Left, Part, open_importer
from tamizdat.importers.port import Result, Taken
from tests.importers.samples import (
    SHARED,
    attachment,
    count,
    item,
    left_of,
    meta,
    taken_of,
    wxr,
)


def read(tmp_path: Path, source: str, media: Path | None = None) -> list[Result]:
    path = tmp_path / "export.xml"
    path.write_text(source)
    return list(open_importer(path, media=media))


def only(tmp_path: Path, content: str, *others: str, **fields: str) -> Taken:
    """The story made of one post with this content."""
    found = taken_of(read(tmp_path, wxr(item(1, content, **fields), *others)))
    assert len(found) == 1
    return found[0]


def test_a_post_keeps_its_words_author_date_and_address(tmp_path: Path) -> None:
    taken = only(tmp_path, "<p>The <b>boats</b> came.</p>", excerpt__encoded="Why it matters.")
    story = taken.story
    assert story.headline == "Story 1"
    assert story.standfirst == "Why it matters."
    assert story.by == "Ines Marrow"
    assert story.first_created == "2015-01-02T09:00:00Z"
    assert story.body_html == "<p>The <strong>boats</strong> came.</p>"
    assert story.language == "en"
    assert taken.old_paths == ["/2015/01/story-1/", "/?p=1"]
    assert taken.key == "wxr:old.example:1"


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2"])
def test_every_version_of_the_format_is_read(tmp_path: Path, version: str) -> None:
    found = taken_of(read(tmp_path, wxr(item(1), version=version)))
    assert [t.story.headline for t in found] == ["Story 1"]


def test_a_nested_category_is_a_topic_in_its_section(tmp_path: Path) -> None:
    extra = (
        '<category domain="category" nicename="ports"><![CDATA[Ports]]></category>'
        '<category domain="post_tag" nicename="boats"><![CDATA[Boats]]></category>'
    )
    story = only(tmp_path, "<p>x</p>", extra=extra).story
    assert story.section is not None
    assert (story.section.literal, story.section.name) == ("sea", "Sea")
    assert [t.literal for t in story.topics] == ["ports", "boats"]


def test_several_authors_of_a_plug_in_are_all_named(tmp_path: Path) -> None:
    extra = "".join(
        f'<category domain="author" nicename="{n}"><![CDATA[{name}]]></category>'
        for n, name in (("a", "Ada Orm"), ("b", "Bo Lind"))
    )
    assert only(tmp_path, "<p>x</p>", extra=extra).story.by == "Ada Orm, Bo Lind"


def test_photos_are_found_by_address_in_the_media_folder(tmp_path: Path) -> None:
    media = tmp_path / "uploads"
    (media / "2015/01").mkdir(parents=True)
    (media / "2015/01/boat.jpg").write_bytes(b"bytes")
    content = (
        '<p>Before</p><img class="wp-image-9" alt="A boat" '
        'src="https://old.example/wp-content/uploads/2015/01/boat-300x200.jpg">'
    )
    results = read(
        tmp_path, wxr(item(1, content), attachment(9, "boat.jpg", excerpt__encoded="At sea")), media
    )
    taken = taken_of(results)[0]
    photo = taken.photos[0]
    assert photo.path == (media / "2015/01/boat.jpg")
    assert (photo.caption, photo.alt) == ("At sea", "A boat")
    assert f'data-photo="{photo.uri}"' in taken.story.body_html
    assert any(isinstance(r, Part) for r in results)


def test_no_file_outside_the_media_folder_is_ever_named(tmp_path: Path) -> None:
    (tmp_path / "secret.jpg").write_bytes(b"x")
    media = tmp_path / "uploads"
    media.mkdir()
    content = '<img src="https://old.example/wp-content/uploads/../../secret.jpg">'
    taken = taken_of(read(tmp_path, wxr(item(1, content)), media))[0]
    assert all(p.path is None for p in taken.photos)


def test_the_featured_image_leads_with_its_own_words(tmp_path: Path) -> None:
    lead = attachment(7, "lead.jpg", extra=meta("_wp_attachment_image_alt", "The pier"))
    taken = only(tmp_path, "<p>x</p>", lead, extra=meta("_thumbnail_id", "7"))
    assert taken.story.lead_photo is not None
    assert taken.photos[0].alt == "The pier"


CONTENT = {
    "lines become paragraphs": ("One\ntwo\n\nThree", "<p>One<br>two</p>\n<p>Three</p>"),
    "blocks keep their paragraphs": (
        "<!-- wp:paragraph -->\n<p>A\nb</p>\n<!-- /wp:paragraph -->",
        "<p>A b</p>",
    ),
    "unknown shortcodes go, their words stay": ("[box x=1]Hi[/box]", "<p>Hi</p>"),
    "brackets of people stay": ("He said [sic] it […]", "<p>He said [sic] it […]</p>"),
    "escaped shortcodes stay": ("Write [[gallery]]", "<p>Write [gallery]</p>"),
    "code stays code": ("[code]a < b[/code]", "<p><code>a &lt; b</code></p>"),
    "quotations of the block editor": (
        '<!-- wp:pullquote --><figure class="wp-block-pullquote"><blockquote><p>Wise</p>'
        "<cite>Ann</cite></blockquote></figure><!-- /wp:pullquote -->",
        '<blockquote class="pull"><p>Wise</p><cite>Ann</cite></blockquote>',
    ),
    "scripts are gone": ("<script>alert(1)</script>Safe", "<p>Safe</p>"),
}


@pytest.mark.parametrize("case", CONTENT)
def test_content_becomes_canonical(tmp_path: Path, case: str) -> None:
    source, wanted = CONTENT[case]
    html = only(tmp_path, source).story.body_html
    assert html == wanted
    assert clean(html) == html


def test_what_was_embedded_is_a_card_and_nothing_is_loaded(tmp_path: Path) -> None:
    html = only(tmp_path, "https://www.youtube.com/watch?v=abc\n\nWords").story.body_html
    assert '<aside class="link"><a href="https://www.youtube.com/watch?v=abc"' in html
    assert "iframe" not in html


def test_galleries_and_captions_keep_their_photos(tmp_path: Path) -> None:
    content = (
        '[gallery ids="7,8"]\n\n[caption id="x" width="9"]<img src="https://old.example/'
        'wp-content/uploads/2015/01/c.jpg" /> Under it[/caption]'
    )
    others = (attachment(7, "a.jpg"), attachment(8, "b.jpg"), attachment(9, "c.jpg"))
    taken = only(tmp_path, content, *others)
    assert taken.story.body_html.count('class="photo"') == 3
    assert '<div class="gallery">' in taken.story.body_html
    assert taken.photos[2].caption == "Under it"


STATES = [
    ("draft", {"wp__status": "draft"}, True),
    ("future", {"wp__status": "future"}, True),
    ("private", {"wp__status": "private"}, True),
    ("published", {}, False),
]


@pytest.mark.parametrize(("name", "fields", "draft"), STATES)
def test_what_was_not_public_stays_a_draft(
    tmp_path: Path, name: str, fields: dict[str, str], draft: bool
) -> None:
    taken = only(tmp_path, "<p>x</p>", **fields)
    assert taken.draft is draft
    assert bool(taken.notes) is draft


LEFT_OUT = [
    {"wp__post_password": "enter"},
    {"wp__status": "trash"},
    {"wp__post_type": "revision", "wp__status": "inherit"},
    {"wp__post_type": "product"},
    {"wp__post_type": "nav_menu_item"},
]


@pytest.mark.parametrize("fields", LEFT_OUT)
def test_what_is_left_out_is_told_with_the_reason(tmp_path: Path, fields: dict[str, str]) -> None:
    results = read(tmp_path, wxr(item(1, **fields)))
    assert not taken_of(results)
    assert left_of(results)[0].why


def test_comments_are_counted_and_told(tmp_path: Path) -> None:
    comment = "<wp:comment><wp:comment_id>1</wp:comment_id></wp:comment>"
    results = read(tmp_path, wxr(item(1, extra=comment * 3)))
    told = [r for r in left_of(results) if r.what == "comments"]
    assert [r.count for r in told] == [3]
    assert told[0].inside


@pytest.mark.parametrize("gmt", ["0000-00-00 00:00:00", "", "next week"])
def test_a_broken_date_falls_back_and_is_told(tmp_path: Path, gmt: str) -> None:
    taken = only(tmp_path, "<p>x</p>", wp__post_date_gmt=gmt)
    assert taken.story.first_created == "2015-01-02T10:00:00Z"
    assert any("date" in note for note in taken.notes)


def test_unicode_slugs_and_former_slugs_lead_on(tmp_path: Path) -> None:
    name = "%d0%bf%d0%be%d1%80%d1%82"
    taken = only(
        tmp_path,
        "<p>x</p>",
        wp__post_name=name,
        link=f"https://old.example/2015/01/{name}/",
        extra=meta("_wp_old_slug", "harbour"),
    )
    assert taken.story.slugline == "порт"
    assert taken.old_paths == ["/2015/01/порт/", "/2015/01/harbour/", "/?p=1"]


def test_reusable_blocks_stand_where_a_post_shows_them(tmp_path: Path) -> None:
    block = item(50, "<p>Shared words.</p>", wp__post_type="wp_block")
    content = '<!-- wp:paragraph --><p>A</p><!-- /wp:paragraph --><!-- wp:block {"ref":50} /-->'
    found = taken_of(read(tmp_path, wxr(item(1, content), block)))
    assert found[0].story.body_html == "<p>A</p>\n<p>Shared words.</p>"


def test_one_broken_item_costs_only_itself(tmp_path: Path) -> None:
    broken = "<item><title>Half</title><content:encoded><![CDATA[never closed\n"
    results = read(tmp_path, wxr(item(1), item(2), broken, item(3), end="x"))
    titles = [t.story.headline for t in taken_of(results)]
    assert titles == ["Story 1", "Story 2", "Story 3"]
    assert any(r.failed and "line" in r.why for r in left_of(results))


def test_an_item_with_a_stray_entity_is_repaired_and_told(tmp_path: Path) -> None:
    bad = item(2).replace("Story 2", "Story&nbsp;2")
    found = taken_of(read(tmp_path, wxr(item(1), bad, item(3))))
    assert [t.key[-1] for t in found] == ["1", "2", "3"]
    assert any("repaired" in n for n in found[1].notes)


def test_reading_twice_gives_the_same(tmp_path: Path) -> None:
    path = tmp_path / "export.xml"
    path.write_text(wxr(item(1), item(2), attachment(3, "a.jpg")))
    importer = open_importer(path)
    prints = [[t.fingerprint for t in taken_of(importer)] for _ in range(2)]
    assert prints[0] == prints[1]
    assert importer.done == importer.total


def test_the_shared_export_comes_in_whole() -> None:
    path = SHARED / "wxr" / "themeunittestdata.wordpress.xml"
    if not path.exists():
        pytest.skip("the shared WordPress export is not beside the checkout")
    results = list(open_importer(path))
    assert count(results) == path.read_text().count("<item>")
    found = taken_of(results)
    assert len(found) == 78
    assert not [r for r in left_of(results) if r.failed]
    for taken in found:
        assert clean(taken.story.body_html) == taken.story.body_html
        named = {p.uri for p in taken.photos}
        for association in taken.story.associations:
            assert association.uri in named
    assert not isinstance(results[0], Left)
