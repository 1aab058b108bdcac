# SPDX-License-Identifier: AGPL-3.0-or-later
"""The builder and the theme together: what readers really get."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote

import msgspec

from tamizdat.edition import Edition, paths
from tamizdat.edition.paper import page_renderer
from tamizdat.edition.story import Text
from tests.edition.papers import NOW, SITE, Stories, built, make_story, tree_of, uri_of, whole

THEMED = {"renderer": page_renderer, "tree": True}


def papers_stories(count: int) -> list:  # type: ignore[type-arg]  # stories
    return [
        make_story(
            n,
            published=NOW - timedelta(hours=9 * (count - n)),
            language="ru" if n % 5 == 0 else "en",
            section=("harbour", "court", "gavan")[n % 3],
            topics=("ferries", f"topic-{n % 4}"),
            related=[uri_of(n - 1), uri_of(n - 3)],
            translation=f"t{n // 5}" if n % 5 in (0, 1) else "",
        )
        for n in range(count)
    ]


def without_numbers(folder: Path) -> dict[str, object]:
    found: dict[str, object] = {}
    for path, (status, to, kind, data) in whole(folder).items():
        front = path in ("/", "/en/", "/ru/")
        found[path] = (status, to, kind, re.sub(rb"\d+", b"", data) if front else data)
    return found


def test_bit_by_bit_or_at_once_it_is_the_same_paper(quick: Path) -> None:
    stories = papers_stories(130)
    paper = built(quick / "bits", stories[:100], **THEMED)
    for start in range(100, 130, 4):
        paper.publish(stories[start : start + 4], SITE)
    reason = [Text(value="It was not so.", role="withdrawal")]
    changed = msgspec.structs.replace(
        stories[7], pub_status="canceled", version="2", descriptions=reason
    )
    paper.publish([changed], SITE)
    stories[7] = changed
    built(quick / "once", stories, **THEMED)
    bits, once = without_numbers(quick / "bits"), without_numbers(quick / "once")
    assert sorted(bits) == sorted(once)
    assert [path for path in bits if bits[path] != once[path]] == []


def test_every_link_inside_the_paper_leads_somewhere(quick: Path) -> None:
    paper = built(quick, papers_stories(130), **THEMED)
    found = whole(quick)
    missing = set()
    for path, (_, _, kind, data) in found.items():
        if kind != paths.HTML:
            continue
        for target in re.findall(r'(?:href|src)="(/[^"#]*)', data.decode()):
            if unquote(target.replace("&amp;", "&")) not in found:
                missing.add((path, target))
    assert missing == set()
    assert paper.read("/en/") is not None


def test_a_reader_of_files_needs_no_renderer(quick: Path) -> None:
    built(quick, papers_stories(3), **THEMED)
    assert Edition(quick).read("/ru/").status == 200  # type: ignore[union-attr]  # it is there
    assert len(tree_of(quick)) == len(whole(quick))
    assert Edition(quick).build(Stories(papers_stories(3)), SITE).edition == 2
