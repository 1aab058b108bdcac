# SPDX-License-Identifier: AGPL-3.0-or-later
"""No upload is ever handed out as it came, and none runs in anybody's browser."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import pytest
from django.test import Client
from PIL import Image, PngImagePlugin

from tamizdat.desk.newsroom import actions
from tamizdat.desk.newsroom.errors import FileError, PhotoError
from tamizdat.desk.newsroom.photo_cleaning import clean_photo
from tamizdat.desk.staff.models import User
from tests.desk.conftest import jpeg, pdf

SECRET = b"Wilhelmina Sorrow"


def picture(form: str, mode: str = "RGB", **options: object) -> bytes:
    out = io.BytesIO()
    image = Image.linear_gradient("L").resize((64, 48)).convert(mode)
    image.save(out, form, **options)
    return out.getvalue()


def notes() -> PngImagePlugin.PngInfo:
    told = PngImagePlugin.PngInfo()
    told.add_text("Author", SECRET.decode())
    told.add_itxt("XML:com.adobe.xmp", f"<x>{SECRET.decode()}</x>", zip=False)
    return told


def animated(form: str) -> bytes:
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "green", "blue")]
    out = io.BytesIO()
    frames[0].save(out, form, save_all=True, append_images=frames[1:], duration=90)
    return out.getvalue()


def archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("run.html", b"<script>" + SECRET)
    return out.getvalue()


EXIF = Image.Exif()
EXIF[0x013B] = EXIF[0x010E] = SECRET.decode()
TELLING: dict[str, bytes] = {
    "a JPEG in four inks": picture("JPEG", "CMYK", exif=EXIF),
    "a grey JPEG": picture("JPEG", "L", exif=EXIF, comment=SECRET),
    "a PNG with notes": picture("PNG", "RGBA", pnginfo=notes(), exif=EXIF),
    "a PNG of 16 bits": picture("PNG", "I;16", pnginfo=notes()),
    "a WebP": picture("WEBP", exif=EXIF, xmp=SECRET),
    "an AVIF": picture("AVIF", exif=EXIF),
    "a GIF with a comment": picture("GIF", "P", comment=SECRET),
    "an animated GIF": animated("GIF") + SECRET,
    "an animated WebP": animated("WEBP"),
    "an animated PNG": animated("PNG"),
    "a picture that is an archive, too": jpeg(40, 30) + archive(),
    "a picture that is a page, too": jpeg(40, 30, comment=b"<script>" + SECRET + b"</script>"),
    "a picture that is a PDF, too": jpeg(40, 30) + pdf(Author=SECRET.decode()),
}


@pytest.mark.parametrize("name", TELLING)
def test_a_picture_is_made_anew_and_only_shows(name: str) -> None:
    cleaned = clean_photo(TELLING[name])
    image = Image.open(io.BytesIO(cleaned.data))
    assert cleaned.data != TELLING[name]
    assert image.format in ("JPEG", "PNG")
    assert image.mode in ("RGB", "RGBA")
    assert getattr(image, "n_frames", 1) == 1
    for hidden in (SECRET, b"<script", b"PK\x03\x04", b"%PDF", b"Exif", b"xmp", b"tEXt", b"acTL"):
        assert hidden not in cleaned.data


@pytest.mark.parametrize(
    "data",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\xef\xbb\xbf<svg/>",
        b"<!doctype html><script>1</script>",
        b"GIF89a<script>1</script>",
        b"\x89PNG\r\n\x1a\n<svg onload='x'/>",
        b"\0\0\1\0",
        b"II*\0",
        b"8BPS\0\1",
        jpeg(40, 30)[:200],
        b"",
    ],
)
def test_what_is_no_whole_picture_is_refused(data: bytes) -> None:
    with pytest.raises(PhotoError):
        clean_photo(data)


@pytest.mark.parametrize("name", ["a.svg", "a.html", "a.xhtml", "a.pdf", "a.txt", "a.mp4"])
@pytest.mark.parametrize(
    "data",
    [b"<svg onload='x'/>", b"<html><script>1</script>", b"  <!doctype html>", b"<?xml?><svg/>"],
)
@pytest.mark.django_db
def test_what_a_browser_would_run_is_no_attachment(data: bytes, name: str) -> None:
    with pytest.raises(FileError):
        actions.add_attachment(file=io.BytesIO(data), name=name, title=name)


def test_what_staff_fetch_is_saved_or_shown_and_never_run(
    signed_in: Callable[[User], Client], media: None, reporter: User
) -> None:
    made = actions.add_attachment(
        file=io.BytesIO(b"just words, <script>and more</script>\n"), name="a.html.txt", title="T"
    )
    client = signed_in(reporter)
    served = client.get(made.url)
    assert served["Content-Disposition"].startswith("attachment")
    assert served["X-Content-Type-Options"] == "nosniff"
    photo = actions.add_photo(data=TELLING["a PNG with notes"], title="P")
    shown = client.get(f"/desk/newsroom/media/{photo.file.name}")
    assert shown["Content-Type"] == "image/png"
    assert shown["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in shown["Content-Security-Policy"]
    assert SECRET not in b"".join(shown.streaming_content)
