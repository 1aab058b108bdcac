# SPDX-License-Identifier: AGPL-3.0-or-later
"""Bad input is refused with words or told as left out; it never runs, hangs or fills memory."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamizdat.edition.body import clean
from tamizdat.importers import FORMATS, ImportingError, Left, Taken, open_importer
from tamizdat.importers.canon import canonical
from tamizdat.importers.port import Result
from tests.importers.samples import ghost, item, wxr

LAUGHS = '<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>\n'
SUFFIX = {"wxr": "xml", "ninjs": "json", "ghost": "json", "page": "html"}


def outcome(path: Path, format_: str) -> list[Result] | ImportingError:
    """What an import gives: results, or an error of ours."""
    try:
        return list(open_importer(path, format_))
    except ImportingError as error:
        return error


def nothing_taken(found: list[Result] | ImportingError) -> bool:
    if isinstance(found, ImportingError):
        return len(str(found)) > 20
    return all(isinstance(r, Left) and r.failed for r in found)


BAD = {
    "empty": b"",
    "spaces": b"  \n\n ",
    "binary": bytes(range(256)) * 40,
    "nulls": b"\0" * 5000,
    "half a tag": b"<rss><chan",
    "half json": b'{"db": [{"data": {"posts": [{"id": 1, "ti',
    "deep json": b'{"a":' * 100_000,
    "deep list": b"[" * 200_000,
    "deep xml": b"<a>" * 100_000,
}


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("case", BAD)
def test_what_is_no_source_is_refused_with_words(tmp_path: Path, format_: str, case: str) -> None:
    path = tmp_path / f"bad.{SUFFIX[format_]}"
    path.write_bytes(BAD[case])
    found = outcome(path, format_)
    assert nothing_taken(found), found


def test_entities_are_refused_and_never_expanded(tmp_path: Path) -> None:
    path = tmp_path / "laughs.xml"
    path.write_text(LAUGHS + wxr(item(1, "x").replace("Story 1", "&b;")).split("?>", 1)[1])
    found = outcome(path, "wxr")
    assert isinstance(found, ImportingError)
    assert "document type" in str(found)


def test_an_entity_that_reads_a_file_reads_nothing(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("the secret words")
    stolen = item(1).replace("Story 1", "&s;")
    dtd = f'<!DOCTYPE x [<!ENTITY s SYSTEM "{tmp_path}/secret">]>'
    path = tmp_path / "export.xml"
    path.write_text(wxr(item(0), stolen.replace("<item>", f"<item>{dtd}")))
    assert "secret words" not in str(outcome(path, "wxr"))


@pytest.mark.parametrize("encoding", ["utf-16", "windows-1251", "utf-8"])
def test_other_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "export.xml"
    source = wxr(item(1, "<p>Порт закрыт.</p>", title="Порт"), encoding=encoding)
    path.write_bytes(source.encode(encoding))
    found = outcome(path, "auto")
    assert isinstance(found, list)
    assert isinstance(found[0], Taken)
    assert found[0].story.body_html == "<p>Порт закрыт.</p>"


@pytest.mark.parametrize("encoding", ["utf-16", "cp1251", "utf-8-sig"])
def test_pages_in_other_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    text = (Path(__file__).parent / "pages" / "dozhd.txt").read_text()
    path = tmp_path / "page.txt"
    path.write_bytes(text.replace("₽", "руб").encode(encoding))
    found = outcome(path, "page")
    assert isinstance(found, list)
    assert isinstance(found[0], Taken)
    assert found[0].story.headline.startswith("В Заречье третий день")


@pytest.mark.parametrize("cut", [200, 1200, 2200, 3000])
def test_a_truncated_export_keeps_what_was_whole_and_says_where(tmp_path: Path, cut: int) -> None:
    source = wxr(item(1), item(2))
    path = tmp_path / "export.xml"
    path.write_text(source[:cut])
    found = outcome(path, "wxr")
    whole = source[:cut].count("</item>")
    taken = [] if isinstance(found, ImportingError) else [r for r in found if isinstance(r, Taken)]
    assert len(taken) == whole


def test_one_line_of_a_hundred_megabytes_is_passed_over_in_flat_memory(tmp_path: Path) -> None:
    path = tmp_path / "export.xml"
    head, tail = wxr("@@@", item(2)).split("@@@")
    with path.open("w") as file:
        file.write(head + "<item><title>")
        for _ in range(100):
            file.write("x" * 1_000_000)
        file.write("</title></item>" + tail)
    tracemalloc.start()
    found = outcome(path, "wxr")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(found, list)
    assert [r.story.headline for r in found if isinstance(r, Taken)] == ["Story 2"]
    assert any(isinstance(r, Left) and "larger" in r.why for r in found)
    assert peak < 120 << 20


def test_a_long_line_of_ninjs_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    path.write_text(
        '{"uri": "' + "x" * (17 << 20) + '"}\n{"uri": "x:1", "headlines": [{"value": "A"}]}\n'
    )
    found = outcome(path, "ninjs")
    assert isinstance(found, list)
    assert [type(r) for r in found] == [Left, Taken]


SCRIPTS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '<a href="javascript:alert(1)">x</a>',
    '<a href=" java\tscript:alert(1)">x</a>',
    "<svg><script>alert(1)</script></svg>",
    '<iframe src="javascript:alert(1)"></iframe>',
    '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
    '<p style="background:url(javascript:alert(1))">x</p>',
    "<math><mtext><img src=x onerror=alert(1)></mtext></math>",
    '<object data="javascript:alert(1)"></object>',
    '<video src="javascript:alert(1)"></video>',
    '<form action="javascript:alert(1)"><button>x</button></form>',
    "<figure class=embed>javascript:alert(1)</figure>",
]


@pytest.mark.parametrize("html", SCRIPTS)
def test_nothing_that_runs_comes_through_any_format(tmp_path: Path, html: str) -> None:
    sources = {
        "wxr": wxr(item(1, html + "<p>Safe words stand here.</p>")),
        "ghost": ghost([{"html": html}]),
        "ninjs": json.dumps(
            {
                "uri": "x:1",
                "headlines": [{"value": "A"}],
                "bodies": [{"contentType": "text/html", "role": "main", "value": html}],
            }
        ),
    }
    for format_, source in sources.items():
        path = tmp_path / f"{format_}.{SUFFIX[format_]}"
        path.write_text(source)
        found = outcome(path, format_)
        assert isinstance(found, list)
        for result in found:
            if isinstance(result, Taken):
                body = result.story.body_html
                assert "<script" not in body
                assert "onerror" not in body
                assert "style=" not in body
                assert 'href="javascript' not in body


@given(st.text(st.sampled_from("<>/='\" \n&;abdipuloimgsrctablefigure-![]"), max_size=200))
def test_any_html_becomes_a_canonical_body(html: str) -> None:
    for by_lines in (False, True):
        body = canonical(html, base="https://x.example/", by_lines=by_lines)
        assert clean(body.html) == body.html


def test_nesting_without_end_keeps_its_words() -> None:
    body = canonical("<div><em>" * 3000 + "words" + "</em></div>" * 3000)
    assert len(body.html) < 100_000


def test_a_missing_file_and_a_wrong_media_folder_are_told(tmp_path: Path) -> None:
    with pytest.raises(ImportingError, match="no such file"):
        open_importer(tmp_path / "nothing.xml")
    (tmp_path / "a.txt").write_text("words")
    with pytest.raises(ImportingError, match="media folder"):
        open_importer(tmp_path / "a.txt", media=tmp_path / "a.txt")


def test_what_nobody_knows_is_refused_with_the_formats(tmp_path: Path) -> None:
    path = tmp_path / "thing.bin"
    path.write_bytes(b"PK\x03\x04....")
    with pytest.raises(ImportingError, match="--format"):
        open_importer(path)
