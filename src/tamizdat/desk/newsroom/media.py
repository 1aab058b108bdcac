# SPDX-License-Identifier: AGPL-3.0-or-later
"""Names and sizes of files that readers get: by sha-256, with the extension of their media type."""

from __future__ import annotations

from babel import UnknownLocaleError
from babel.units import format_unit

EXTENSIONS = {
    "application/pdf": "pdf",
    "application/zip": "zip",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    "text/plain": "txt",
    "text/csv": "csv",
    "audio/flac": "flac",
    "audio/mp4": "m4a",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
    "audio/webm": "weba",
    "video/mp4": "mp4",
    "video/webm": "webm",
    "image/avif": "avif",
    "image/gif": "gif",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
}


def media_path(sha256: str, media_type: str) -> str:
    """The address of a file in the paper: ``/media/ab/abcdef….avif``."""
    return f"/media/{sha256[:2]}/{sha256}.{EXTENSIONS.get(media_type, 'bin')}"


def file_label(media_type: str, size: int, language: str) -> str:
    """What a reader wants to know before a download: “PDF, 1.2 MB”. ``size`` in bytes."""
    kind = EXTENSIONS.get(media_type, "bin").upper()
    unit, amount = ("megabyte", size / 1e6) if size >= 1e6 else ("kilobyte", size / 1e3)
    amount = round(amount, 1) if amount < 10 else round(amount)
    try:
        text = format_unit(amount, f"digital-{unit}", "short", locale=language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        text = format_unit(amount, f"digital-{unit}", "short", locale="en")
    return f"{kind}, {text}"
