# SPDX-License-Identifier: AGPL-3.0-or-later
"""A newsroom, its entry and three mirrors, each a host with a name, behind a censor."""

from __future__ import annotations

import random
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
# Stories: the one in English was read before, the one in Russian and the long one were not.
READ, UNREAD, LONG = 1, 2, 6
TEXTS = {
    READ: "The bridge at Pier 9 was closed",
    UNREAD: "Мост у девятого причала закрыли",
    LONG: "And that is how the inquiry ended.",
}


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
def network(folder: Path, *, http2: bool = True, requests: int = 1_000) -> Iterator[Network]:
    authority = Authority(folder / "certificates")
    right = authority.certify(ENTRY, *MIRRORS, NOTICE)
    wrong = self_signed(folder / "wrong.pem", ENTRY, *MIRRORS)
    room = Room(folder / "room", [f"https://{host}/" for host in MIRRORS]).open_paper()
    room.publish_story(LONG, headline="The inquiry", body=_long())
    edition = room.desk.folder.path
    copies = dict.fromkeys(MIRRORS, edition)
    with (
        paper(edition, folder) as port,
        hosts(
            folder / "nginx", authority, copies, {ENTRY: port}, http2=http2, requests=requests
        ) as upstream,
        Censor(upstream, right, wrong) as censor,
    ):
        yield Network(room, censor, authority.fingerprints)


def _long() -> str:
    """Some 80 kB that do not compress to less than two walls of 16 kB."""
    draw = random.Random(6)
    words = [
        "".join(draw.choices("abcdefghiklmnoprstuvwy", k=draw.randint(3, 9))) for _ in range(6_000)
    ]
    lines = [" ".join(words[at : at + 60]) for at in range(0, len(words), 60)]
    text = "".join(f"<p>{line.capitalize()}.</p>" for line in lines)
    return f"{text}<p>{TEXTS[LONG]}</p>"
