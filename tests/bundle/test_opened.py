# SPDX-License-Identifier: AGPL-3.0-or-later
"""A bundle as somebody opens it who has a browser and nothing else, from the disk."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import tamizdat.theme
from tamizdat.edition.bundle import Printed
from tests.browsers import chromium, until

LOCALES = Path(tamizdat.theme.__file__).parent / "locales" / "bundle"


def test_every_language_has_the_same_words() -> None:
    found = {file.stem: set(json.loads(file.read_text())) for file in LOCALES.glob("*.json")}
    assert set(found) == {"en", "ru", "ar"}
    assert len(set(map(frozenset, found.values()))) == 1


@pytest.fixture
def page() -> Iterator[Any]:
    with chromium() as browser:
        yield browser.new_page(viewport={"width": 360, "height": 740}, color_scheme="dark")


@pytest.mark.browser
@pytest.mark.parametrize("form", ["zip", "html"])
def test_it_is_read_from_the_disk_without_a_network(
    form: str, bundles: Mapping[str, Printed], page: Any, tmp_path: Path
) -> None:
    file = tmp_path / f"week.{form}"
    file.write_bytes(bundles[form].data)
    if form == "zip":
        with zipfile.ZipFile(file) as unzipped:
            unzipped.extractall(tmp_path)
        file = tmp_path / "index.html"
    asked: list[str] = []
    faults: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: faults.append(message.text))
    page.goto(file.as_uri())
    page.click("nav >> text=الجسر مغلق")
    page.wait_for_url("**#s4")
    shown = "[...document.images].every((image) => image.naturalWidth > 0)"
    until(page, lambda: page.evaluate(shown), "the pictures are shown")
    assert page.evaluate("document.images.length") == 3
    assert page.evaluate("getComputedStyle(document.querySelector('#s4')).direction") == "rtl"
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert faults == []
    assert all(url.startswith(("file:", "data:")) for url in asked)
    page.click("#s4 .top a")
    page.wait_for_url("**#c-ar")
