# SPDX-License-Identifier: AGPL-3.0-or-later
"""ninjs items of agencies come in as stories; our own export comes back as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamizdat.edition.body import clean
from tamizdat.edition.story import AltId, Story, Text, encode
from tamizdat.importers import open_importer
from tamizdat.importers.ninjs import ExportWriter, NinjsImporter
from tamizdat.importers.port import Left, Result
from tests.edition.newsletters import make_issue
from tests.importers.samples import SHARED, left_of, taken_of

AGENCY: dict[str, Any] = {
    "uri": "https://wire.example/1",
    "type": "composite",
    "versionCreated": "2024-03-01T10:00:00Z",
    "language": "en",
    "by": "Ann Ode and Ben Lark",
    "headlines": [{"value": "Dam holds"}],
    "bodies": [
        {"role": "text", "contentType": "text/plain", "value": "TELL, Meridia (FW) -- It held."},
        {
            "role": "richtext",
            "contentType": "application/xhtml+xml",
            "value": "<p>TELL, Meridia (FW) -- It held.</p><p>Barely.</p><script>x()</script>",
        },
    ],
    "associations": [
        {
            "uri": "https://wire.example/p1",
            "type": "picture",
            "by": "Cy Dorn",
            "descriptions": [{"role": "text", "value": "The dam"}],
            "renditions": [{"name": "main", "href": "https://wire.example/p1.jpg", "width": 400}],
        }
    ],
}


def read(tmp_path: Path, source: object, name: str = "item.json") -> list[Result]:
    path = tmp_path / name
    path.write_text(source if isinstance(source, str) else json.dumps(source))
    return list(open_importer(path, "ninjs"))


def test_an_agencys_item_becomes_a_story_of_ours(tmp_path: Path) -> None:
    taken = taken_of(read(tmp_path, AGENCY))[0]
    story = taken.story
    assert story.headline == "Dam holds"
    assert story.body_html == "<p>TELL, Meridia (FW) -- It held.</p>\n<p>Barely.</p>"
    assert [p.name for p in story.bylines] == ["Ann Ode", "Ben Lark"]
    assert [(s.name, s.role) for s in story.info_sources] == [("FW", "agency")]
    assert story.lead_photo is not None
    assert story.lead_photo.by == "Cy Dorn"
    assert taken.photos[0].caption == "The dam"
    assert any("left out" in note for note in taken.notes)


def test_plain_text_becomes_paragraphs_and_is_told(tmp_path: Path) -> None:
    bodies = [{"value": "One < two.\n\nThree."}]
    taken = taken_of(read(tmp_path, {**AGENCY, "bodies": bodies}))[0]
    assert taken.story.body_html == "<p>One &lt; two.</p>\n<p>Three.</p>"


@pytest.mark.parametrize("kind", ["picture", "event", "planning", "audio"])
def test_what_is_no_story_is_left_out_and_told(tmp_path: Path, kind: str) -> None:
    results = read(tmp_path, {"uri": "x:1", "type": kind, "title": "Thing"})
    assert not taken_of(results)
    assert left_of(results)[0].why
    assert not left_of(results)[0].failed


def test_lines_are_read_one_by_one_and_a_bad_one_is_named(tmp_path: Path) -> None:
    good = json.dumps(AGENCY)
    results = read(tmp_path, f"{good}\n{{broken\n\n{good}\n", "items.jsonl")
    assert len(taken_of(results)) == 2
    bad = left_of(results)[0]
    assert "line 2" in bad.what
    assert bad.failed


def test_a_list_in_one_file_is_read(tmp_path: Path) -> None:
    results = read(tmp_path, [AGENCY, {**AGENCY, "uri": "https://wire.example/2"}, {"title": "?"}])
    assert len(taken_of(results)) == 2
    assert "item 3" in left_of(results)[0].what


def test_an_unknown_property_is_refused_by_name(tmp_path: Path) -> None:
    bad = left_of(read(tmp_path, {**AGENCY, "colour": "red"}))[0]
    assert "colour" in bad.why


def test_the_shared_examples_are_taken_or_told() -> None:
    folder = SHARED / "ninjs" / "examples"
    if not folder.exists():
        pytest.skip("the shared ninjs examples are not beside the checkout")
    results = list(open_importer(folder))
    assert len(results) == len(list(folder.glob("*.json")))
    assert not [r for r in left_of(results) if r.failed]
    for taken in taken_of(results):
        assert taken.story.headline
        assert clean(taken.story.body_html) == taken.story.body_html


def versions(uri: str, count: int) -> list[bytes]:
    return [
        encode(
            Story(
                uri=uri,
                type="text",
                version=str(n),
                language="en",
                pub_status="usable",
                slugline="dam-holds",
                first_created="2024-03-01T10:00:00Z",
                version_created=f"2024-03-0{n}T10:00:00Z",
                headlines=[Text(role="main", value=f"Dam holds {n}")],
                bodies=[Text(role="main", content_type="text/html", value="<p>It held.</p>")],
                alt_ids=[
                    AltId(role="path", value="/en/2024/03/01/dam-holds/"),
                    AltId(role="redirect", value="/old/"),
                ],
            )
        )
        for n in range(1, count + 1)
    ]


def test_an_export_comes_back_byte_for_byte(tmp_path: Path) -> None:
    out = tmp_path / "out"
    writer = ExportWriter(out)
    raws = versions("urn:uuid:1", 3)
    writer.story(raws)
    writer.draft(encode(Story(uri="urn:uuid:2", headlines=[Text(role="main", value="Later")])))
    writer.finish()
    found = taken_of(NinjsImporter(out))
    assert [t.versions for t in found] == [raws, []]
    assert [t.draft for t in found] == [False, True]
    assert all(t.own for t in found)
    assert (out / "redirects").read_text() == "/old/ /en/2024/03/01/dam-holds/\n"


def test_writing_an_export_again_changes_nothing(tmp_path: Path) -> None:
    for _ in range(2):
        writer = ExportWriter(tmp_path / "out")
        writer.story(versions("urn:uuid:1", 2))
        writer.finish()
    assert writer.written == 0
    assert writer.kept == 5


def test_a_hole_in_the_versions_is_told(tmp_path: Path) -> None:
    writer = ExportWriter(tmp_path / "out")
    writer.story(versions("urn:uuid:1", 3))
    writer.finish()
    next((tmp_path / "out").rglob("v0002.json")).unlink()
    bad = left_of(NinjsImporter(tmp_path / "out"))[0]
    assert "version 2" in bad.why
    assert bad.failed


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=60), min_size=1, max_size=5))
def test_no_body_of_text_breaks_the_form(paragraphs: list[str]) -> None:
    from tamizdat.importers.ninjs.foreign import adopt

    story = Story(uri="x:1", bodies=[Text(value="\n\n".join(paragraphs))])
    adopted, _, _ = adopt(story)
    assert clean(adopted.body_html) == adopted.body_html


def test_an_issue_of_a_newsletter_is_no_article(tmp_path: Path) -> None:
    (tmp_path / "issue.json").write_bytes(encode(make_issue(12)))
    [left] = list(NinjsImporter(tmp_path))
    assert isinstance(left, Left)
    assert not left.failed
    assert "made of stories" in left.why
    writer = ExportWriter(tmp_path / "export")
    writer.story([encode(make_issue(12))])
    writer.finish()
    [left] = list(NinjsImporter(tmp_path / "export"))
    assert isinstance(left, Left)
    assert "Week 12" in left.what
