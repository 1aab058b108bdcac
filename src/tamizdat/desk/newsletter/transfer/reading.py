# SPDX-License-Identifier: AGPL-3.0-or-later
"""A CSV file as it was written: whatever its encoding and separator are, row by row.

What always holds: memory does not grow with the file; a file that cannot be read to its end says
at which row; no cell is quoted in an error.

What is not done here: what columns mean (``formats``).
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from tamizdat.desk.newsletter.transfer.errors import TableError

CHUNK = 1 << 20
LONGEST_CELL = 131_072
MOST_COLUMNS = 500
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Table(NamedTuple):
    """``header`` are the cells of the first row, ``rows`` give number (the header is 1) and cells.
    ``encoding`` and ``separator`` are what it was read with."""

    header: list[str]
    rows: Iterator[tuple[int, list[str]]]
    encoding: str
    separator: str


@contextmanager
def opened(path: Path) -> Iterator[Table]:
    """The table in a file. Raises ``TableError`` and ``OSError``; reading its rows may too."""
    with path.open("rb") as file, table_in(file) as table:
        yield table


@contextmanager
def table_in(file: BinaryIO) -> Iterator[Table]:
    """The table in an open file, which stays open. Raises as ``opened`` does."""
    encoding = encoding_of(file)
    file.seek(0)
    text = io.TextIOWrapper(file, encoding, newline="")
    try:
        separator = separator_of(_first_line(text))
        text.detach().seek(0)
        text = io.TextIOWrapper(file, encoding, newline="")
        rows = _rows(text, separator)
        try:
            _, header = next(rows)
        except StopIteration:
            raise TableError("the file is empty") from None
        yield Table([cell.strip() for cell in header], rows, encoding, separator)
    finally:
        text.detach()


def encoding_of(file: BinaryIO) -> str:
    """By its mark, by its zeros, UTF-8 where all of it is, else Windows-1251.

    Raises ``TableError`` where it is none of these.
    """
    start = file.read(4096)
    for mark, name in _MARKS:
        if start.startswith(mark):
            return name
    if start.count(b"\0") > len(start) // 4:
        return "utf-16-le" if start[1::2].count(0) > start[::2].count(0) else "utf-16-be"
    if b"\0" in start:
        raise TableError("the file is no text: export it as CSV")
    for name in ("utf-8", "cp1251"):
        if _decodes(file, name):
            return name
    raise TableError("the file is neither UTF-8 nor Windows-1251: save it as UTF-8")


def _decodes(file: BinaryIO, name: str) -> bool:
    file.seek(0)
    decoder = codecs.getincrementaldecoder(name)()
    try:
        while chunk := file.read(CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _first_line(text: io.TextIOWrapper) -> str:
    try:
        for _ in range(100):
            line = text.readline(LONGEST_CELL)
            if line.strip() or not line:
                return line
    except UnicodeError:
        raise TableError("the file cannot be read: save it as UTF-8") from None
    return ""


def separator_of(line: str) -> str:
    """The one that stands most often outside of quotes; a comma where none does."""
    bare, quoted = [], False
    for letter in line:
        quoted ^= letter == '"'
        if not quoted:
            bare.append(letter)
    counts = {mark: bare.count(mark) for mark in ",;\t|"}
    best = max(counts, key=lambda mark: counts[mark])
    return best if counts[best] else ","


def _rows(text: io.TextIOWrapper, separator: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(text, delimiter=separator)
    number = 0
    try:
        for cells in reader:
            number += 1  # Empty ones too: a spreadsheet counts them.
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) > MOST_COLUMNS:
                raise TableError(f"row {number} has more than {MOST_COLUMNS} columns")
            yield number, cells
    except csv.Error:
        raise TableError(
            f"after row {number} the file cannot be read: is there a quotation mark without its "
            "other half?"
        ) from None
    except UnicodeError:
        raise TableError(f"after row {number} the file is cut off, or of two encodings") from None
