# SPDX-License-Identifier: AGPL-3.0-or-later
"""What readers get as a file does not tell who made it, where, and with what."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from contextlib import suppress

import mutagen.id3
import mutagen.ogg
import pikepdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tamizdat.desk.newsroom.attachment_cleaning import clean
from tamizdat.desk.newsroom.attachments import sniff
from tamizdat.desk.newsroom.errors import FileError
from tests.desk.conftest import pdf
from tests.desk.newsroom.test_photos import telling_jpeg

SECRET = "Wilhelmina Sorrow"
FRAME = b"\xff\xfb\x90\x00" + bytes(range(200)) + b"\0" * 213


def washed(data: bytes, name: str) -> bytes:
    kind = sniff(io.BytesIO(data), name)
    with clean(io.BytesIO(data), kind) as cleaned:
        found = cleaned.read()
    assert sniff(io.BytesIO(found), name) == kind, "it is still what it was"
    return found


def a_pdf() -> bytes:
    with pikepdf.open(io.BytesIO(pdf(Author=SECRET, Producer="Kamera-Werk"))) as document:
        with document.open_metadata() as notes:
            notes["dc:creator"] = [SECRET]
        document.attachments["notes.txt"] = SECRET.encode()
        document.Root.OpenAction = pikepdf.Dictionary(
            S=pikepdf.Name.JavaScript, JS=f"app.alert('{SECRET}')"
        )
        page = document.pages[0]
        page.Annots = document.make_indirect(
            pikepdf.Array([pikepdf.Dictionary(
                Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Text, Rect=[0, 0, 9, 9],
                Contents="the words stay", T=SECRET)])
        )  # fmt: skip
        photo = pikepdf.Stream(document, b"")
        photo.write(telling_jpeg(), filter=pikepdf.Name.DCTDecode)
        photo.Type, photo.Subtype = pikepdf.Name.XObject, pikepdf.Name.Image
        page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im=photo))
        out = io.BytesIO()
        document.save(out, compress_streams=False)
    return out.getvalue()


def an_mp3() -> bytes:
    out = io.BytesIO(FRAME * 8)
    tags = mutagen.id3.ID3()
    tags.add(mutagen.id3.TPE1(encoding=3, text=[SECRET]))
    tags.save(out, v1=2)
    return out.getvalue()


def a_flac() -> bytes:
    info = struct.pack(">HH", 4096, 4096) + b"\0" * 6 + b"\x0a\xc4\x42\xf0" + b"\0" * 20
    said = f"ARTIST={SECRET}".encode()
    notes = struct.pack("<I", 4) + b"Werk" + struct.pack("<II", 1, len(said)) + said
    blocks = b"\0" + len(info).to_bytes(3, "big") + info
    blocks += b"\x84" + len(notes).to_bytes(3, "big") + notes
    return b"fLaC" + blocks + b"\xff\xf8the sound itself"


def an_ogg() -> bytes:
    said = f"ARTIST={SECRET}".encode()
    head = b"\x01vorbis" + struct.pack("<IBIIIIBB", 0, 1, 44100, 0, 128000, 0, 0xB8, 1)
    notes = b"\x03vorbis" + struct.pack("<I", 4) + b"Werk" + struct.pack("<II", 1, len(said)) + said
    out = b""
    for number, packets in enumerate(([head], [notes + b"\1", b"\x05vorbis" + b"\0" * 40],
                                      [b"the sound itself"])):  # fmt: skip
        page = mutagen.ogg.OggPage()
        page.packets, page.sequence, page.serial = packets, number, 7
        page.first, page.last = number == 0, number == 2
        page.position = 44100 if number == 2 else 0
        out += page.write()
    return out


def a_wav() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)

    body = b"WAVE" + chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16))
    body += chunk(b"LIST", b"INFOIART" + struct.pack("<I", 18) + SECRET.encode() + b"\0")
    body += chunk(b"data", b"the sound itself") + chunk(b"bext", SECRET.encode())
    return b"RIFF" + struct.pack("<I", len(body)) + body + SECRET.encode()


def box(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data) + 8) + kind + data


def an_mp4(name: bytes = b"M4A ", extra: bytes = b"") -> bytes:
    tags = box(b"meta", b"\0\0\0\0" + box(b"ilst", box(b"\xa9ART", SECRET.encode())))
    dated = b"\0\0\0\0" + b"\x11\x22\x33\x44" * 2 + b"\0\0\x03\xe8" + b"\0\0\0\1" + b"\0" * 80
    track = box(b"trak", box(b"mdia", box(b"hdlr", b"\0" * 8 + b"soun" + b"\0" * 12
                                          + SECRET.encode() + b"\0") + extra))  # fmt: skip
    moov = box(b"moov", box(b"mvhd", dated) + track + box(b"udta", tags))
    return box(b"ftyp", name + b"\0\0\0\0") + moov + box(b"mdat", b"the sound itself")


def a_webm() -> bytes:
    def element(kind: str, data: bytes) -> bytes:
        return bytes.fromhex(kind) + b"\x01" + len(data).to_bytes(7, "big") + data

    head = element("1A45DFA3", element("4282", b"webm"))
    info = element(
        "1549A966", element("2AD7B1", b"\x0f\x42\x40") + element("5741", SECRET.encode())
    )
    tags = element("1254C367", element("7373", SECRET.encode()))
    return head + element("18538067", info + tags + element("1F43B675", b"the sound itself"))


def a_docx() -> bytes:
    out = io.BytesIO()
    word = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("docProps/core.xml", '<cp:coreProperties xmlns:cp="x" xmlns:dc="y">'
                         f"<dc:creator>{SECRET}</dc:creator></cp:coreProperties>")  # fmt: skip
        archive.writestr(
            "docProps/app.xml", f"<Properties><Company>{SECRET}</Company></Properties>"
        )
        archive.writestr("word/document.xml", f'<w:document {word}><w:ins w:author="{SECRET}" '
                         'w:id="1"><w:t>the words stay</w:t></w:ins></w:document>')  # fmt: skip
        archive.writestr("word/media/image1.jpeg", telling_jpeg())
        archive.writestr("word/people.xml", f"<w15:people xmlns:w15='z'><w15:person/>{SECRET}"
                         "</w15:people>")  # fmt: skip
    return out.getvalue()


def an_odt() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        archive.writestr("meta.xml", '<?xml version="1.0"?><office:document-meta xmlns:office="x">'
                         f"<office:meta>{SECRET}</office:meta></office:document-meta>")  # fmt: skip
        archive.writestr("content.xml", f'<a xmlns:dc="d"><dc:creator>{SECRET}</dc:creator>'
                         "the words stay</a>")  # fmt: skip
    return out.getvalue()


FILES: dict[str, tuple[Callable[[], bytes], bytes]] = {
    "a.pdf": (a_pdf, b"the words stay"),
    "a.mp3": (an_mp3, FRAME * 8),
    "a.flac": (a_flac, b"\xff\xf8the sound itself"),
    "a.ogg": (an_ogg, b"the sound itself"),
    "a.wav": (a_wav, b"the sound itself"),
    "a.m4a": (an_mp4, b"the sound itself"),
    "a.mp4": (lambda: an_mp4(b"isom"), b"the sound itself"),
    "a.webm": (a_webm, b"the sound itself"),
    "a.docx": (a_docx, b"the words stay"),
    "a.odt": (an_odt, b"the words stay"),
}


def unfolded(data: bytes) -> bytes:
    """With what is compressed in it."""
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return data + b"".join(archive.read(part) for part in archive.namelist())
    if data.startswith(b"%PDF"):
        out = io.BytesIO()
        with pikepdf.open(io.BytesIO(data)) as document:
            document.save(
                out,
                compress_streams=False,
                stream_decode_level=pikepdf.StreamDecodeLevel.specialized,
                object_stream_mode=pikepdf.ObjectStreamMode.disable,
            )
        return data + out.getvalue()
    return data


@pytest.mark.parametrize("name", FILES)
def test_what_tells_is_gone_and_the_content_stays(name: str) -> None:
    make, content = FILES[name]
    before, after = unfolded(make()), unfolded(washed(make(), name))
    assert SECRET.encode() in before
    assert content in after
    for secret in (SECRET.encode(), b"Ivan Owner", b"SN-99887", b"Kamera-Werk", b"Werk\1"):
        assert secret not in after
    assert b"\x11\x22\x33\x44" not in after, "when a film was made"
    assert b"JavaScript" not in after


def test_a_film_with_a_track_of_places_is_refused() -> None:
    places = box(b"hdlr", b"\0" * 8 + b"meta" + b"\0" * 13)
    with pytest.raises(FileError, match="track beside sound and picture"):
        washed(an_mp4(b"isom", extra=places), "a.mp4")


@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_short_is_cleaned_or_refused_in_words(name: str) -> None:
    whole = FILES[name][0]()
    for end in range(16, len(whole), max(1, len(whole) // 25)):
        with suppress(FileError):
            assert SECRET.encode() not in washed(whole[:end], name)


@given(
    name=st.sampled_from(sorted(FILES)), at=st.floats(0, 1), byte=st.binary(min_size=1, max_size=9)
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_file_with_junk_in_it_breaks_nothing(name: str, at: float, byte: bytes) -> None:
    whole = bytearray(_MADE[name])
    place = int(at * (len(whole) - len(byte)))
    whole[place : place + len(byte)] = byte
    with suppress(FileError):
        clean(io.BytesIO(whole), sniff(io.BytesIO(whole), name)).close()


_MADE = {name: make() for name, (make, _) in FILES.items()}
