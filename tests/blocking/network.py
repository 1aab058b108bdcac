# SPDX-License-Identifier: AGPL-3.0-or-later
"""A newsroom, its entry and three mirrors, each a host with a name, behind a censor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.blocking.censor import NOTICE, Censor
from tests.blocking.certificates import Authority, self_signed
from tests.blocking.hosts import hosts, paper
from tests.reader.copies import Room

ENTRY = "entry.test"
MIRRORS = ("north.test", "south.test", "west.test")
READ, UNREAD = 1, 2  # stories: the one in English was read before, the one in Russian was not
TEXTS = {READ: "The bridge at Pier 9 was closed", UNREAD: "Мост у девятого причала закрыли"}


@dataclass(frozen=True)
class Network:
    room: Room
    censor: Censor
    fingerprints: list[str]

    @property
    def arguments(self) -> list[str]:
        """What makes a browser live in this network, as it is blocked now."""
        return [
            f"--host-resolver-rules={self.censor.rules()}",
            f"--ignore-certificate-errors-spki-list={','.join(self.fingerprints)}",
        ]

    def address(self, story: int) -> str:
        return f"https://{ENTRY}{self.room.path(story)}"


@contextmanager
def network(folder: Path) -> Iterator[Network]:
    authority = Authority(folder / "certificates")
    right = authority.certify(ENTRY, *MIRRORS, NOTICE)
    wrong = self_signed(folder / "wrong.pem", ENTRY, *MIRRORS)
    room = Room(folder / "room", [f"https://{host}/" for host in MIRRORS]).open_paper()
    edition = room.desk.folder.path
    copies = dict.fromkeys(MIRRORS, edition)
    with (
        paper(edition, folder) as port,
        hosts(folder / "nginx", authority, copies, {ENTRY: port}) as upstream,
        Censor(upstream, right, wrong) as censor,
    ):
        yield Network(room, censor, authority.fingerprints)
