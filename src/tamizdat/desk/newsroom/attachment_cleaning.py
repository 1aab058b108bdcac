# SPDX-License-Identifier: AGPL-3.0-or-later
"""Recordings, films and documents made into ones that do not tell who made them, where, with what.

What always holds of what ``clean`` returns: names, dates, programs, places, serial numbers, covers,
thumbnails and attached files that its format keeps beside the content are gone; pictures inside
documents have lost their metadata; a PDF runs nothing when it is opened and has no earlier state
of itself in it. Sound, picture and text are untouched.

What cannot be cleaned (broken, locked with a password, a film with a track of places) is refused
in words an editor understands.

What is not done here: what stands in the content itself (a name on a page, a voice). Where the
bytes lie in each format is in ``attachment_containers``.
"""

from __future__ import annotations

import lzma
import re
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import mutagen
import mutagen.apev2
import mutagen.id3
import pikepdf

from tamizdat.desk.newsroom import attachment_containers as containers
from tamizdat.desk.newsroom.errors import FileError, PhotoError
from tamizdat.desk.newsroom.photo_cleaning import clean_photo

MOST_UNPACKED = 1_000_000_000
_BROKEN = "This file is damaged. Ask for it again, or open it in its program and save it anew."


def clean(file: BinaryIO, media_type: str) -> BinaryIO:
    """A cleaned copy of the file, at its start. Raises ``FileError`` that says what to do."""
    copy = containers.fresh()
    try:
        file.seek(0)
        shutil.copyfileobj(file, copy, 1 << 20)
        copy.seek(0)
        cleaned = _CLEANERS.get(media_type, _as_it_is)(copy)
        cleaned.seek(0)
    except BaseException:
        copy.close()
        raise
    if cleaned is not copy:
        copy.close()
    return cleaned


def _as_it_is(file: BinaryIO) -> BinaryIO:
    """Plain text has nothing beside its content."""
    return file


def _pdf(file: BinaryIO) -> BinaryIO:
    out = containers.fresh()
    try:
        with pikepdf.open(file) as document:
            _strip_pdf(document)
            document.save(out, deterministic_id=True, linearize=False)
    except pikepdf.PasswordError as error:
        raise FileError(
            "This PDF is locked with a password. Print it to a new PDF and try again."
        ) from error
    except (pikepdf.PdfError, ValueError, TypeError, KeyError, RuntimeError) as error:
        raise FileError(_BROKEN) from error
    return out


_RUNS = ("/OpenAction", "/AA", "/Perms", "/PieceInfo", "/Metadata", "/AF", "/Collection")
_TELLS = ("/Metadata", "/PieceInfo", "/LastModified", "/Thumb", "/AA", "/AF")


def _strip_pdf(document: pikepdf.Pdf) -> None:
    for name in _RUNS:
        _drop(document.Root, name)
    for name in ("/JavaScript", "/EmbeddedFiles"):
        _drop(document.Root.get("/Names", pikepdf.Dictionary()), name)
    if "/Info" in document.trailer:
        del document.trailer["/Info"]
    for one in document.objects:
        for inner in _nested(one, 0):
            _strip_pdf_object(inner)


def _nested(one: Any, depth: int) -> Iterator[Any]:
    """An object of a PDF and those that stand inside of it, but for those it only points to."""
    if depth > 50:
        raise FileError(_BROKEN)
    if isinstance(one, pikepdf.Dictionary | pikepdf.Stream):
        yield one
        inside = [value for _, value in one.items()]
    else:
        inside = list(one.as_list()) if isinstance(one, pikepdf.Array) else []
    for value in inside:
        if isinstance(value, pikepdf.Object) and not value.is_indirect:
            yield from _nested(value, depth + 1)


def _strip_pdf_object(one: Any) -> None:
    for name in _TELLS:
        _drop(one, name)
    if one.get("/Type") == "/Annot" or ("/Subtype" in one and "/Rect" in one):
        for name in ("/T", "/M", "/CreationDate", "/FS", "/NM"):
            if not (name == "/T" and one.get("/Subtype") == "/Widget"):
                _drop(one, name)
    if one.get("/S") in ("/JavaScript", "/Launch", "/SubmitForm", "/ImportData"):
        one["/S"] = pikepdf.Name("/Nothing")
        _drop(one, "/JS")
    if isinstance(one, pikepdf.Stream) and one.get("/Filter") == pikepdf.Name.DCTDecode:
        one.write(containers.bare_jpeg(one.read_raw_bytes()), filter=pikepdf.Name.DCTDecode)


def _drop(one: Any, name: str) -> None:
    if name in one:
        del one[name]


def _tagged(file: BinaryIO) -> BinaryIO:
    """MP3, Ogg and FLAC: without tags, covers and what stands before and after the sound."""
    for drop in (mutagen.id3.delete, mutagen.apev2.delete):
        file.seek(0)
        if _head(file) not in (b"OggS",):
            _quietly(drop, file)
    file.seek(0)
    try:
        found = mutagen.File(file)
        if found is not None and found.tags is not None:
            file.seek(0)
            found.delete(file)
    except (mutagen.MutagenError, ValueError, EOFError) as error:
        raise FileError(_BROKEN) from error
    file.seek(0)
    if _head(file) == b"fLaC":
        return containers.bare_flac(file)
    return file


def _quietly(drop: Callable[[Any], None], file: BinaryIO) -> None:
    """Take one kind of tag out; where the file has none of it there is nothing to do."""
    try:
        drop(file)
    except mutagen.apev2.APENoHeaderError:
        return
    except (mutagen.MutagenError, ValueError) as error:
        raise FileError(_BROKEN) from error


def _head(file: BinaryIO) -> bytes:
    head = file.read(4)
    file.seek(0)
    return head


_AUTHOR = re.compile(
    rb"""\b((?:\w+:)?(?:author|initials|userId|providerId|lastModifiedBy|creator|dateUtc))="[^"]*\""""
)
_NAMED = re.compile(
    rb"<((?:dc|meta|loext|cp|dcterms|x):?(?:creator|initial-creator|creator-initials|sender-initials"
    rb"|printed-by|lastModifiedBy|author))(\s[^>]*)?>[^<]*</\1>"
)
_EMPTIED = re.compile(r"(docProps/(core|app|custom)\.xml|meta\.xml)\Z")
_BESIDE = re.compile(
    r"(docProps/thumbnail\.\w+|Thumbnails/.+|customXml/.+\.xml|word/people\.xml)\Z"
)
_ROOT = re.compile(rb"\A(.*?<[A-Za-z][^>]*?)/?>", re.DOTALL)
_TAG = re.compile(rb"<([A-Za-z][\w:.-]*)")
_PICTURE = re.compile(r".+\.(jpe?g|png|gif|webp)\Z", re.IGNORECASE)


_ARCHIVE_FAILS = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError),
    *(NotImplementedError, ValueError, RuntimeError, OSError),
)


def _office(file: BinaryIO) -> BinaryIO:
    out = containers.fresh()
    try:
        with zipfile.ZipFile(file) as source, zipfile.ZipFile(out, "w") as target:
            if sum(part.file_size for part in source.infolist()) > MOST_UNPACKED:
                raise FileError("This document unfolds to more than 1 GB. Make it smaller.")
            for part, data in _parts(source):
                bare = zipfile.ZipInfo(part.filename, (1980, 1, 1, 0, 0, 0))
                bare.compress_type = part.compress_type
                target.writestr(bare, data)
    except _ARCHIVE_FAILS as error:
        raise FileError(_BROKEN) from error
    return out


def _parts(source: zipfile.ZipFile) -> Iterator[tuple[zipfile.ZipInfo, bytes]]:
    for part in source.infolist():
        data = source.read(part)
        if _EMPTIED.match(part.filename):
            data = _only_root(data)
        elif _BESIDE.match(part.filename):
            data = _only_root(data) if part.filename.endswith(".xml") else b""
        elif _PICTURE.match(part.filename):
            data = _bare_picture(data)
        elif part.filename.endswith((".xml", ".rels")):
            data = _NAMED.sub(rb"<\1\2></\1>", _AUTHOR.sub(rb'\1=""', data))
        yield part, data


def _only_root(xml: bytes) -> bytes:
    """The document's first element with its namespaces, and nothing in it."""
    start = _ROOT.match(re.sub(rb"<\?.*?\?>|<!--.*?-->", b"", xml, flags=re.DOTALL).lstrip())
    name = _TAG.search(start[1]) if start else None
    if start is None or name is None:
        raise FileError(_BROKEN)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + start[1] + b"></" + name[1] + b">"


def _bare_picture(data: bytes) -> bytes:
    if not data:
        return data
    if data.startswith(b"\xff\xd8"):
        return containers.bare_jpeg(data)
    try:
        return clean_photo(data).data
    except PhotoError as error:
        raise FileError(f"A picture in this document: {error}") from error


def _boxed(file: BinaryIO) -> BinaryIO:
    containers.blank_boxes(file)
    return file


def _ebml(file: BinaryIO) -> BinaryIO:
    containers.blank_ebml(file)
    return file


_OFFICE = "application/vnd.openxmlformats-officedocument"
_ODF = "application/vnd.oasis.opendocument"
_CLEANERS: dict[str, Callable[[BinaryIO], BinaryIO]] = {
    "application/pdf": _pdf,
    "audio/mpeg": _tagged,
    "audio/ogg": _tagged,
    "audio/flac": _tagged,
    "audio/wav": containers.bare_wav,
    "audio/mp4": _boxed,
    "video/mp4": _boxed,
    "video/webm": _ebml,
    f"{_OFFICE}.wordprocessingml.document": _office,
    f"{_OFFICE}.spreadsheetml.sheet": _office,
    f"{_ODF}.text": _office,
    f"{_ODF}.spreadsheet": _office,
}
