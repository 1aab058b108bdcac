# SPDX-License-Identifier: AGPL-3.0-or-later
"""A mirror in memory: a real implementation of the port, which can be made to fail."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from tamizdat.edition.signed.errors import MissingError, TooLongError
from tamizdat.mirrors.errors import MirrorError, UnreachableError
from tamizdat.mirrors.ports import Held, Outgoing


class MemoryTarget:
    """``files`` by name. ``before`` is called before each single operation, with its kind and the
    name of the file; what it raises is what the operation raises."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.before: Callable[[str, str], None] = lambda kind, name: None
        self.done: list[tuple[str, str]] = []

    def prepare(self) -> None:
        self._begin("prepare", "")

    def put(self, files: Sequence[Outgoing]) -> None:
        for file in files:
            self._begin("put", file.name)
            self.files[file.name] = file.read()

    def remove(self, names: Sequence[str]) -> None:
        for name in names:
            self._begin("remove", name)
            self.files.pop(name, None)

    def read(self, name: str, limit: int) -> bytes | None:
        self._begin("read", name)
        data = self.files.get(name)
        return None if data is None else data[:limit]

    def names(self, folders: Iterable[str]) -> Iterator[Held]:
        for folder in folders:
            self._begin("names", folder)
            for name, data in sorted(self.files.items()):
                if name.startswith(f"{folder}/"):
                    yield Held(name, len(data))

    def close(self) -> None:
        """Nothing is kept open."""

    # As a copy for readers

    def fetch(self, name: str, limit: int) -> bytes:
        data = self.files.get(name)
        if data is None:
            raise MissingError(f"{name} is not there")
        if len(data) > limit:
            raise TooLongError(f"{name} is longer than {limit} bytes")
        return data

    def _begin(self, kind: str, name: str) -> None:
        self.before(kind, name)
        self.done.append((kind, name))


def failing_at(count: int, error: type[MirrorError] = UnreachableError) -> Callable[..., None]:
    """For ``before``: the operation number ``count``, from 1 on, and all later ones fail."""
    left = [count]

    def before(kind: str, name: str) -> None:
        left[0] -= 1
        if left[0] <= 0:
            raise error(f"cut off before {kind} {name}")

    return before
