# SPDX-License-Identifier: AGPL-3.0-or-later
"""Addresses are readable, safe, and the same everywhere."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamizdat.edition import article_path, media_path, paths

EVENING = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)


def test_the_day_is_the_papers_own() -> None:
    assert article_path("en", EVENING, "ice", "Europe/Berlin") == "/en/2026/11/22/ice/"
    assert article_path("en", EVENING, "ice", "UTC") == "/en/2026/11/21/ice/"


@pytest.mark.parametrize(
    ("words", "slug"),
    [
        ("Ice on the  river!", "ice-on-the-river"),
        ("Порт открыт", "порт-открыт"),
        ("الميناء مفتوح", "الميناء-مفتوح"),
        ("हिन्दी समाचार", "हिन्दी-समाचार"),
        ("../../etc/passwd", "etc-passwd"),
        ("…", ""),
    ],
)
def test_slugs_keep_their_script(words: str, slug: str) -> None:
    assert paths.slugify(words) == slug


@given(st.text(max_size=300))
def test_any_words_make_a_safe_address(words: str) -> None:
    path = article_path("en", EVENING, words, "UTC")
    assert paths.is_safe(path)
    assert paths.is_article(path)
    assert paths.slugify(path.split("/")[-2]) == path.split("/")[-2]
    assert len(path.split("/")[-2].encode()) <= 200
    assert paths.url(path).isascii()


@given(st.text(max_size=80))
def test_a_former_address_is_safe_or_none(address: str) -> None:
    try:
        path = paths.former(address)
    except ValueError:
        pytest.fail("an address is never an error")
    assert path is None or (paths.is_safe(path) and path == unicodedata.normalize("NFC", path))


def test_files_lie_by_their_sha256() -> None:
    sha256 = "ab" * 32
    assert media_path(sha256, "image/avif") == f"/media/ab/{sha256}.avif"
    assert media_path(sha256, "text/html") == f"/media/ab/{sha256}.bin"
    assert paths.media_type(media_path(sha256, "application/pdf")) == "application/pdf"


@pytest.mark.parametrize(
    "path", ["", "en/", "//", "/a//b/", "/../x/", "/a/./b/", "/a\x00/", "/a?b", "/" + "x" * 300]
)
def test_what_cannot_be_an_address_is_refused(path: str) -> None:
    assert not paths.is_safe(path)
