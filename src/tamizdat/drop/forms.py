# SPDX-License-Identifier: AGPL-3.0-or-later
"""A form's bytes as the fields of a kind.

What always holds: everything stays in memory; no more than ``MOST_FIELDS`` fields; what is not
whole is refused. Nothing is decided here but what was written where.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartState, parse_options_header

from tamizdat.drop.errors import SubmissionError
from tamizdat.drop.kinds import Kind

MOST_FIELDS = 100
MOST_FORM = 256 * 1024
# What a form has beside the fields of its kind: the trap, that somebody was asked twice, and who
# the form is for.
TRAP, SURE = "website", "sure"
BESIDE = (TRAP, SURE, "language", "List-Unsubscribe")

Values = dict[str, list[str]]

# The parser says what it stumbled over: that is a reader's and nobody's to log.
logging.getLogger("python_multipart").disabled = True
logging.getLogger("python_multipart.multipart").disabled = True


def read_form(content_type: str, body: bytes | bytearray) -> Values:
    """The values of each field, in their order. Raises ``SubmissionError``."""
    name, options = parse_options_header(content_type)
    try:
        if name == b"multipart/form-data":
            return _gathered(_parts(options.get(b"boundary", b""), bytes(body)))
        if name in (b"application/x-www-form-urlencoded", b""):
            return _gathered(
                parse_qsl(
                    bytes(body).decode(),
                    keep_blank_values=True,
                    errors="strict",
                    max_num_fields=MOST_FIELDS,
                )
            )
    except (ValueError, FormParserError):
        raise SubmissionError("the form is not whole") from None
    raise SubmissionError("it is no form")


def fields(kind: Kind, values: Mapping[str, list[str]], token: str | None) -> dict[str, Any]:
    """What ``kinds.fields_of`` is to check."""
    found: dict[str, Any] = {}
    for name, given in values.items():
        if name in BESIDE:
            continue
        field = kind.fields.get(name)
        if field is not None and field.many:
            found[name] = [one for one in given if one]
        else:
            found[name] = given[0] if len(given) == 1 else given
    if token is not None:
        found["token"] = token
    return found


def _gathered(pairs: list[tuple[str, str]]) -> Values:
    if len(pairs) > MOST_FIELDS:
        raise ValueError("too many fields")
    found: Values = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def _parts(boundary: bytes, body: bytes) -> list[tuple[str, str]]:
    if not 0 < len(boundary) <= 200:
        raise ValueError("no boundary")
    reader = _Reader()
    parser = MultipartParser(boundary, reader.callbacks())  # type: ignore[arg-type] # its TypedDict is private
    parser.write(body)
    parser.finalize()
    if parser.state != MultipartState.END:
        raise ValueError("cut off")
    return reader.pairs


class _Reader:
    """Takes what the parser finds; the name of a part stands in its Content-Disposition."""

    def __init__(self) -> None:
        self.pairs: list[tuple[str, str]] = []
        self._start()

    def _start(self) -> None:
        self._header, self._value, self._data = bytearray(), bytearray(), bytearray()
        self._name = b""

    def callbacks(self) -> dict[str, Any]:
        return {
            "on_part_begin": self._start,
            "on_header_field": self._on_header_field,
            "on_header_value": self._on_header_value,
            "on_header_end": self._on_header_end,
            "on_part_data": self._on_part_data,
            "on_part_end": self._on_part_end,
        }

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._name = parse_options_header(bytes(self._value))[1].get(b"name", b"")
        self._header, self._value = bytearray(), bytearray()

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        self._data += data[start:end]

    def _on_part_end(self) -> None:
        if len(self.pairs) >= MOST_FIELDS:
            raise ValueError("too many fields")
        self.pairs.append((self._name.decode(), self._data.decode()))
