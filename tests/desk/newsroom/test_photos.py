# SPDX-License-Identifier: AGPL-3.0-or-later
from __future__ import annotations

import hashlib
import io
import struct
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from tamizdat.desk.newsroom import photos
from tamizdat.desk.newsroom.errors import PhotoError
from tamizdat.desk.newsroom.models import Photo, PhotoFile
from tamizdat.desk.newsroom.photo_cleaning import clean_photo
from tamizdat.desk.staff.models import User
from tests.desk.conftest import jpeg

SECRETS = (b"Kamera-Werk", b"Ivan Owner", b"SN-99887", b"GPSLatitude", b"55.7522", b"hidden-tail")
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    b'xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    b'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" exif:GPSLatitude="55.7522" '
    b'photoshop:Credit="Far Agency"><dc:creator><rdf:Seq><rdf:li>Lena Orr</rdf:li></rdf:Seq>'
    b"</dc:creator></rdf:Description></rdf:RDF></x:xmpmeta>"
)


def telling_jpeg(orientation: int = 1) -> bytes:
    """A photo as a phone makes it: place, device, owner, serial number, and a hidden tail."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Kamera-Werk"
    exif[0x013B] = "Lena Orr"
    inner = exif.get_ifd(0x8769)
    inner[0xA430] = "Ivan Owner"
    inner[0xA431] = "SN-99887"
    place = exif.get_ifd(0x8825)
    place[1], place[2] = "N", (55.0, 45.0, 7.92)
    image = Image.linear_gradient("L").resize((640, 400)).convert("RGB")
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif, xmp=XMP, comment=b"Ivan Owner")
    return out.getvalue() + b"<html>hidden-tail</html>"


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is huge."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + body + chunk(b"IEND", b"")


def test_nothing_but_the_picture_is_left() -> None:
    raw = telling_jpeg()
    assert all(secret in raw for secret in SECRETS)
    clean = clean_photo(raw)
    assert not any(secret in clean.data for secret in SECRETS)
    image = Image.open(io.BytesIO(clean.data))
    assert not image.getexif()
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_who_made_it_is_read_before_the_rest_is_thrown_away() -> None:
    assert clean_photo(telling_jpeg()).credit == "Lena Orr / Far Agency"


@pytest.mark.parametrize(
    ("tag", "credit"), [(0x013B, "Photo: Żółw"), (0x8298, "© 2026 Far Agency")]
)
def test_a_credit_in_exif_is_enough(tag: int, credit: str) -> None:
    exif = Image.Exif()
    exif[tag] = credit.encode()
    assert clean_photo(jpeg(40, 30, exif=exif)).credit == credit


def test_a_photo_lying_on_its_side_is_put_upright() -> None:
    clean = clean_photo(telling_jpeg(orientation=6))
    assert (clean.width, clean.height) == (400, 640)


def test_colours_of_a_wide_profile_are_brought_to_srgb() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    clean = clean_photo(jpeg(40, 30, icc_profile=profile))
    assert "icc_profile" not in Image.open(io.BytesIO(clean.data)).info


def test_a_broken_profile_does_not_stop_a_photo() -> None:
    assert clean_photo(jpeg(40, 30, icc_profile=b"broken" * 40)).width == 40


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a picture"),
        (b"<html><script>alert(1)</script></html>", "not a picture"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "not a picture"),
        (b"%PDF-1.7 ...", "not a picture"),
        (b"GIF89a" + b"\xff" * 30, "not a picture"),
        (jpeg()[: len(jpeg()) // 2], "ends too early"),
        (bomb(25_000, 25_000), "million points"),
        (bomb(60_000, 1), "million points"),
        (bomb(500, 500), "damaged"),
    ],
    ids=["empty", "html", "svg", "pdf", "gif", "truncated", "bomb", "thin-bomb", "cut-png"],
)
def test_what_is_no_good_picture_is_refused_in_plain_words(data: bytes, words: str) -> None:
    with pytest.raises(PhotoError, match=words):
        clean_photo(data)


def test_a_huge_file_is_refused_before_it_is_read() -> None:
    with pytest.raises(PhotoError, match="60 MB is the most"):
        clean_photo(b"\xff" * 60_000_001)


@given(cut=st.integers(0, 3000), noise=st.binary(max_size=40))
def test_no_damage_makes_anything_but_a_picture_or_a_clear_refusal(cut: int, noise: bytes) -> None:
    raw = telling_jpeg()
    try:
        clean = clean_photo(raw[:cut] + noise + raw[cut + len(noise) :])
    except PhotoError:
        return
    assert not any(secret in clean.data for secret in SECRETS)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF", "GIF"])
def test_other_formats_come_out_as_jpeg_or_png(kind: str) -> None:
    out = io.BytesIO()
    Image.new("RGB", (60, 40), "teal").save(out, kind)
    assert clean_photo(out.getvalue()).media_type in ("image/jpeg", "image/png")


@pytest.fixture
def upload(media: Path, signed_in: Callable[[User], Client], reporter: User) -> Callable[..., Any]:
    """Upload a file as an editor does, in the desk's own form."""

    def send(data: bytes, name: str = "IMG_2041.jpg", **fields: str) -> Any:
        form = {"title": "A photo", "file": SimpleUploadedFile(name, data), "collection": "1"}
        return signed_in(reporter).post("/desk/images/add/", form | {"tags": ""} | fields)

    return send


@pytest.mark.django_db
def test_an_uploaded_photo_is_clean_on_disk_and_keeps_its_credit(
    upload: Callable[..., Any], media: Path
) -> None:
    response = upload(telling_jpeg(), "Ivan Owner phone.jpg")
    assert response.status_code == 302, response.content.decode()
    photo = Photo.objects.get()
    assert photo.credit == "Lena Orr / Far Agency"
    assert "Ivan" not in photo.file.name
    written = [path for path in media.rglob("*") if path.is_file()]
    assert written
    for path in written:
        assert not any(secret in path.read_bytes() for secret in SECRETS)


@pytest.mark.django_db
def test_a_credit_that_was_typed_is_not_overwritten(upload: Callable[..., Any]) -> None:
    upload(telling_jpeg(), credit="Our own")
    assert Photo.objects.get().credit == "Our own"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.svg"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.jpg"),
        (jpeg()[:9000], "cut.jpg"),
        (bomb(25_000, 25_000), "bomb.png"),
        (b"", "empty.jpg"),
    ],
    ids=["svg", "svg-named-jpg", "cut", "bomb", "empty"],
)
def test_a_bad_upload_is_told_in_the_form_and_leaves_nothing(
    upload: Callable[..., Any], media: Path, data: bytes, name: str
) -> None:
    response = upload(data, name)
    assert response.status_code == 200
    assert "error" in response.content.decode()
    assert not Photo.objects.exists()
    assert not [path for path in media.rglob("*") if path.is_file()]


@pytest.mark.django_db
def test_files_for_readers_are_made_once_in_three_formats_and_never_upscaled(
    photo: Photo,
) -> None:
    files = photos.renditions_for(photo)
    assert [(f.media_type, f.width) for f in files] == [
        (media_type, width)
        for media_type in ("image/avif", "image/webp", "image/jpeg")
        for width in (400, 800, 1200, 1600)
    ]
    for file in files:
        data = photos.file_path(file.sha256).read_bytes()
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (file.sha256, file.size)
        with Image.open(io.BytesIO(data)) as image:
            assert image.size == (file.width, file.height)
            assert Image.MIME[image.format or ""] == file.media_type
    before = {f.pk: photos.file_path(f.sha256).stat().st_mtime_ns for f in files}
    again = photos.renditions_for(Photo.objects.get(pk=photo.pk))
    assert {f.pk: photos.file_path(f.sha256).stat().st_mtime_ns for f in again} == before


def test_a_small_photo_keeps_its_own_width() -> None:
    assert photos.widths_for(300) == [300]
    assert photos.widths_for(400) == [400]
    assert photos.widths_for(1000) == [400, 800, 1000]
    assert photos.widths_for(9000) == [400, 800, 1200, 1600]


@pytest.mark.django_db
def test_files_that_were_lost_are_made_again(photo: Photo) -> None:
    first = photos.renditions_for(photo)
    photos.file_path(first[0].sha256).unlink()
    photos.file_path(first[5].sha256).write_bytes(b"cut")
    again = photos.renditions_for(Photo.objects.get(pk=photo.pk))
    assert len(again) == len(first)
    for file in again:
        data = photos.file_path(file.sha256).read_bytes()
        assert hashlib.sha256(data).hexdigest() == file.sha256


@pytest.mark.django_db
def test_work_that_was_cut_short_goes_on_where_it_stopped(photo: Photo) -> None:
    photos.renditions_for(photo)
    PhotoFile.objects.filter(photo=photo, width__gt=400).delete()
    assert len(photos.renditions_for(Photo.objects.get(pk=photo.pk))) == 12
    assert PhotoFile.objects.count() == 12


@pytest.mark.django_db
def test_two_at_once_write_the_same_files(photo: Photo) -> None:
    wanted = [("image/jpeg", 400), ("image/webp", 400)]

    def make(photo: Photo) -> list[str]:
        return [file.sha256 for file in photos._make(photo, wanted)]

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(make, [Photo.objects.get(pk=photo.pk) for _ in range(2)])
    assert one == other


@pytest.mark.django_db
def test_a_photo_whose_file_was_replaced_gets_new_files(
    photo: Photo, signed_in: Callable[[User], Client], editor: User
) -> None:
    old = {file.sha256 for file in photos.renditions_for(photo)}
    out = io.BytesIO()
    Image.new("RGB", (900, 500), "navy").save(out, "JPEG")
    form = {
        "title": photo.title,
        "file": SimpleUploadedFile("other.jpg", out.getvalue()),
        "collection": "1",
        "tags": "",
    }
    response = signed_in(editor).post(f"/desk/images/{photo.pk}/", form)
    assert response.status_code == 302, response.content.decode()
    new = photos.renditions_for(Photo.objects.get(pk=photo.pk))
    assert {file.width for file in new} == {400, 800, 900}
    assert not old & {file.sha256 for file in new}
