# SPDX-License-Identifier: AGPL-3.0-or-later
"""The book keeps the rules of EPUB 3.3: by a strict reading of them, by epubcheck where it is."""

from __future__ import annotations

import posixpath
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from lxml import etree

from tamizdat.edition.bundle import Limits, Printed
from tests.bundle.conftest import printed
from tests.reader.copies import Room

OPF = "{http://www.idpf.org/2007/opf}"
DC = "{http://purl.org/dc/elements/1.1/}"
XHTML = "{http://www.w3.org/1999/xhtml}"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
CORE = {
    "application/xhtml+xml",
    "image/svg+xml",
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "text/css",
}
EPUBCHECK = Path("/usr/share/java/epubcheck.jar")


@pytest.fixture
def book(bundles: Mapping[str, Printed]) -> zipfile.ZipFile:
    return zipfile.ZipFile(BytesIO(bundles["epub"].data))


def package(book: zipfile.ZipFile) -> etree._Element:
    return etree.fromstring(book.read("EPUB/book.opf"))


def items(book: zipfile.ZipFile) -> dict[str, etree._Element]:
    """The manifest by the members' names."""
    found = package(book).iter(f"{OPF}item")
    return {posixpath.join("EPUB", item.get("href", "")): item for item in found}


def test_the_type_comes_first_and_is_not_compressed(book: zipfile.ZipFile) -> None:
    first = book.infolist()[0]
    assert (first.filename, first.compress_type) == ("mimetype", zipfile.ZIP_STORED)
    assert not first.extra
    assert book.read("mimetype") == b"application/epub+zip"


def test_the_container_names_the_package(book: zipfile.ZipFile) -> None:
    container = etree.fromstring(book.read("META-INF/container.xml"))
    found = container.find(".//{*}rootfile")
    assert found is not None
    assert found.get("full-path") == "EPUB/book.opf"


def test_every_file_of_the_book_stands_in_the_manifest_and_is_there(book: zipfile.ZipFile) -> None:
    files = {name for name in book.namelist() if name.startswith("EPUB/")} - {"EPUB/book.opf"}
    assert set(items(book)) == files
    ids = [item.get("id") for item in items(book).values()]
    assert len(set(ids)) == len(ids)
    assert {item.get("media-type") for item in items(book).values()} <= CORE
    outside = {name for name in book.namelist() if not name.startswith(("EPUB/", "META-INF/"))}
    assert outside == {"mimetype"}


def test_the_package_says_what_it_must(book: zipfile.ZipFile) -> None:
    found = package(book)
    assert found.get("version") == "3.0"
    identifier = found.find(f".//{DC}identifier")
    assert identifier is not None
    assert identifier.get("id") == found.get("unique-identifier")
    assert found.findtext(f".//{DC}title")
    assert [e.text for e in found.iter(f"{DC}language")] == ["en", "ru", "ar"]
    modified = [e.text for e in found.iter(f"{OPF}meta") if e.get("property") == "dcterms:modified"]
    assert len(modified) == 1
    properties = [item.get("properties") for item in items(book).values() if item.get("properties")]
    assert sorted(properties) == ["cover-image", "nav"]


def test_the_order_of_the_book_is_that_of_its_contents(book: zipfile.ZipFile) -> None:
    by_id = {item.get("id"): name for name, item in items(book).items()}
    spine = [by_id[ref.get("idref")] for ref in package(book).iter(f"{OPF}itemref")]
    contents = etree.fromstring(book.read("EPUB/nav.xhtml"))
    toc = contents.find(f".//{XHTML}nav")
    assert toc is not None
    assert toc.get("{http://www.idpf.org/2007/ops}type") == "toc"
    links = [posixpath.join("EPUB", a.get("href", "")) for a in toc.iter(f"{XHTML}a")]
    assert spine == ["EPUB/nav.xhtml", *links]
    assert len(links) == 4


def test_chapters_are_well_formed_and_lead_nowhere_that_is_not_there(
    book: zipfile.ZipFile,
) -> None:
    known = set(items(book))
    for name in known:
        if not name.endswith(".xhtml"):
            continue
        page = etree.fromstring(book.read(name))
        assert page.tag == f"{XHTML}html"
        assert page.get("lang") == page.get(LANG)
        assert page.findtext(f".//{XHTML}title")
        for element in page.iter():
            for attribute in ("src", "href"):
                target = element.get(attribute, "")
                if target and not urlsplit(target).scheme:
                    assert posixpath.join("EPUB", target) in known, (name, target)
            assert not [key for key in element.keys() if str(key).startswith("on")]  # noqa: SIM118
            assert element.get("lang") in (None, element.get(LANG))
        assert not list(page.iter(f"{XHTML}script"))


def test_a_book_in_arabic_turns_its_pages_the_other_way(room: Room) -> None:
    made = printed(room.desk.folder.path, room, Limits(7, ("ar",)))["epub"]
    book = zipfile.ZipFile(BytesIO(made.data))
    spine = package(book).find(f"{OPF}spine")
    assert spine is not None
    assert spine.get("page-progression-direction") == "rtl"
    chapter = etree.fromstring(book.read("EPUB/s1.xhtml"))
    assert (chapter.get("dir"), chapter.get("lang")) == ("rtl", "ar")


def test_pictures_are_small(bundles: Mapping[str, Printed], book: zipfile.ZipFile) -> None:
    pictures = [name for name in book.namelist() if name.endswith((".png", ".webp"))]
    assert len(pictures) == bundles["epub"].pictures == 3
    assert all(book.getinfo(name).file_size < 400_000 for name in pictures)


@pytest.mark.skipif(
    not (EPUBCHECK.exists() and shutil.which("java")),
    reason="epubcheck is not here (Debian: apt-get install epubcheck)",
)
def test_epubcheck_finds_nothing(bundles: Mapping[str, Printed], tmp_path: Path) -> None:
    file = tmp_path / "book.epub"
    file.write_bytes(bundles["epub"].data)
    command = ["java", "-jar", str(EPUBCHECK), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ERROR" not in done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr
