# SPDX-License-Identifier: AGPL-3.0-or-later
"""Copies in memory, for tests: a real ``Fetcher`` without a disk or a network."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from tamizdat.edition.signed.errors import MissingError, TooLongError


class MemoryFetcher:
    """Files by name; those in ``endless`` never end. ``asked`` are the names that were."""

    def __init__(self, files: Mapping[str, bytes], endless: Collection[str] = ()) -> None:
        self.files = files
        self.endless = endless
        self.asked: list[str] = []

    def fetch(self, name: str, limit: int) -> bytes:
        self.asked.append(name)
        if name in self.endless:
            raise TooLongError(f"{name} is longer than {limit} bytes")
        if name not in self.files:
            raise MissingError(f"{name} is not there")
        if len(self.files[name]) > limit:
            raise TooLongError(f"{name} is longer than {limit} bytes")
        return self.files[name]
