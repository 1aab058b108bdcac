# SPDX-License-Identifier: AGPL-3.0-or-later
"""A picture as somebody sent it, made into one that tells nothing but what it shows.

What always holds of what ``clean_photo`` returns:

- The pixels were decoded whole and written anew, so nothing else of the file is left: no EXIF,
  XMP, IPTC, colour profile, thumbnail, comment or what hides behind the picture's end.
- It stands upright, in sRGB.
- Only the names of those who made it were read from the metadata, to be credited.

Refused, with words an editor understands: what is not a picture of ``FORMATS``, is broken, ends
too early, is larger than ``MAX_BYTES`` or would unfold to more than ``MAX_PIXELS``.

What is not done here: files and the database (``photos``).
"""

from __future__ import annotations

import io
import re
import warnings
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageCms, ImageOps, IptcImagePlugin, UnidentifiedImageError
from PIL.ImageFile import ImageFile

from tamizdat.desk.newsroom.errors import PhotoError

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF")
MAX_BYTES = 60_000_000
MAX_PIXELS = 120_000_000
MAX_SIDE = 30_000

_IPTC_BYLINE, _IPTC_CREDIT, _IPTC_COPYRIGHT = (2, 80), (2, 110), (2, 116)
_EXIF_ARTIST, _EXIF_COPYRIGHT = 0x013B, 0x8298
_PILLOW_FAILS = (OSError, ValueError, SyntaxError, IndexError, KeyError, TypeError, EOFError)


@dataclass(frozen=True)
class CleanPhoto:
    """Bytes of a picture, its media type and size in pixels, and who is to be credited."""

    data: bytes
    media_type: str
    width: int
    height: int
    credit: str

    @property
    def extension(self) -> str:
        return "png" if self.media_type == "image/png" else "jpg"


def clean_photo(data: bytes) -> CleanPhoto:
    """Clean a picture. Raises ``PhotoError`` that says what to do."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of damage that we judge ourselves.
        image = _opened(data)
        credit = _credit(image)
        pixels = _pixels(image)
    as_png = pixels.mode == "RGBA" or image.format in ("PNG", "GIF")
    out = io.BytesIO()
    if as_png:
        pixels.save(out, "PNG", optimize=False, compress_level=6)
    else:
        pixels.save(out, "JPEG", quality=93, subsampling=0, optimize=True)
    kind = "image/png" if as_png else "image/jpeg"
    return CleanPhoto(out.getvalue(), kind, *pixels.size, credit)


def _opened(data: bytes) -> ImageFile:
    """Look at the head of the file: what it is and how large it would become."""
    if len(data) > MAX_BYTES:
        raise PhotoError(
            f"This file has {len(data) // 1_000_000} MB; {MAX_BYTES // 1_000_000} MB is the most. "
            "Save the picture as a JPEG and try again."
        )
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise _too_large() from error
    except (UnidentifiedImageError, *_PILLOW_FAILS) as error:
        raise PhotoError(
            "This is not a picture we can read. Save it as JPEG, PNG, WebP or AVIF and try again."
        ) from error
    if image.width * image.height > MAX_PIXELS or max(image.size) > MAX_SIDE:
        raise _too_large()
    return image


def _too_large() -> PhotoError:
    return PhotoError(
        f"This picture has more than {MAX_PIXELS // 1_000_000} million points. "
        "Make it smaller and try again."
    )


def _pixels(image: ImageFile) -> Image.Image:
    """The picture itself, upright, in RGB or RGBA, without anything that came with it."""
    try:
        image.load()
        plain = _in_srgb(ImageOps.exif_transpose(image))
    except (Image.DecompressionBombError, MemoryError) as error:
        raise _too_large() from error
    except _PILLOW_FAILS as error:
        raise PhotoError(
            "This picture is damaged or ends too early. Ask for the file again, or open it in a "
            "picture program and save it anew."
        ) from error
    bare = Image.new(plain.mode, plain.size)
    bare.paste(plain)
    return bare


def _in_srgb(image: Image.Image) -> Image.Image:
    transparent = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
    mode = "RGBA" if transparent else "RGB"
    profile = image.info.get("icc_profile")
    if profile and image.mode in ("RGB", "RGBA", "CMYK", "L"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            out = "RGBA" if image.mode == "RGBA" else "RGB"
            image = (
                ImageCms.profileToProfile(
                    image, source, ImageCms.createProfile("sRGB"), outputMode=out
                )
                or image
            )
        except (ImageCms.PyCMSError, OSError, ValueError):
            # A broken profile: its colours are taken as they are.
            pass
    return image.convert(mode)


def _credit(image: ImageFile) -> str:
    """Who made it, from IPTC, XMP or EXIF: “Photographer / Agency”, or the copyright line."""
    makers: list[str] = []
    rights: list[str] = []
    for maker, agency, right in (_from_iptc(image), _from_xmp(image), _from_exif(image)):
        makers += [maker, agency]
        rights.append(right)
    names = list(dict.fromkeys(name for name in makers if name))
    unlike = [n for n in names if not any(n != m and n.lower() in m.lower() for m in names)]
    credit = " / ".join(unlike[:2]) or next(filter(None, rights), "")
    return credit[:255]


def _from_iptc(image: ImageFile) -> tuple[str, str, str]:
    try:
        info: dict[Any, Any] = IptcImagePlugin.getiptcinfo(image) or {}
    except _PILLOW_FAILS:
        return "", "", ""
    return tuple(_text(info.get(k)) for k in (_IPTC_BYLINE, _IPTC_CREDIT, _IPTC_COPYRIGHT))  # type: ignore[return-value]  # three keys, three texts


def _from_exif(image: Image.Image) -> tuple[str, str, str]:
    try:
        exif = image.getexif()
        return _text(exif.get(_EXIF_ARTIST)), "", _text(exif.get(_EXIF_COPYRIGHT))
    except _PILLOW_FAILS:
        return "", "", ""


_XMP_VALUE = {
    name: re.compile(
        rf'<{name}\b[^>]*>\s*(?:<rdf:(?:Seq|Bag|Alt)\b[^>]*>\s*<rdf:li\b[^>]*>)?([^<]+)|\b{name}="([^"]+)"'
    )
    for name in ("dc:creator", "photoshop:Credit", "dc:rights")
}


def _from_xmp(image: Image.Image) -> tuple[str, str, str]:
    raw = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or ""
    xmp = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
    found = [pattern.search(xmp[:500_000]) for pattern in _XMP_VALUE.values()]
    texts = [_unescape(match[1] or match[2]) if match else "" for match in found]
    return texts[0], texts[1], texts[2]


_LATIN = re.compile("[\x00-\xff]*")


def _unescape(text: str) -> str:
    for code, letter in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
        text = text.replace(code, letter)
    return _text(text)


def _text(value: Any) -> str:
    """One line of text from what a metadata block holds, whatever its encoding."""
    if isinstance(value, list):
        return ", ".join(filter(None, map(_text, value)))
    if isinstance(value, str):
        # Pillow reads EXIF as Latin-1, and most write it in UTF-8.
        value = value.encode("latin-1", "ignore") if _LATIN.fullmatch(value) else value
    if isinstance(value, bytes):
        try:
            value = value.decode("utf-8")
        except UnicodeDecodeError:
            value = value.decode("latin-1")
    text = "" if value is None else str(value)
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\ufffd]", " ", text).split())
