# SPDX-License-Identifier: AGPL-3.0-or-later
"""A newsroom with a vault, its letterbox keys, and a drop's spool on the same machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pyrage
import pytest

from tamizdat import letterbox
from tamizdat.config import DropSettings, Newsroom
from tamizdat.desk.letters import handlers, safe
from tamizdat.desk.letters.collecting import Report, collect
from tamizdat.desk.readers import actions, keyring
from tamizdat.desk.staff.models import User
from tamizdat.desk.staff.roles import READERS_DESK
from tamizdat.drop.envelope import Submission, seal, submission
from tamizdat.drop.spool import Spool
from tests.desk.conftest import make_user

NOW = datetime(2026, 11, 22, 14, 25, tzinfo=UTC)


class Place(NamedTuple):
    """The newsroom, its one drop and that one's spool."""

    newsroom: Newsroom
    drop: DropSettings
    spool: Spool

    def send(self, *sent: Submission, to: Newsroom | None = None) -> None:
        """As a reader's browser does: sealed to the desk, laid into the drop."""
        recipient = pyrage.x25519.Recipient.from_str(letterbox.recipient(to or self.newsroom))
        self.spool.append([seal(one, [recipient]) for one in sent])
        self.spool.close_open()

    def collect(self, now: datetime = NOW) -> Report:
        return collect(self.newsroom, self.drop, clock=lambda: now)

    @property
    def left(self) -> list[str]:
        """The batches that still lie in the drop."""
        return sorted(path.name for path in self.spool.folder.glob("*.batch"))


def message(text: str = "The ferry was late again.", **fields: Any) -> Submission:
    return submission("message", "en", {"text": text, **fields})


@pytest.fixture
def place(db: None, tmp_path: Path, settings: Any) -> Iterator[Place]:
    folder = tmp_path / "newsroom"
    folder.mkdir()
    (folder / "tamizdat.toml").write_text(
        'name = "The Meridian"\naddress = "https://meridian.example"\n'
        f'[[drops]]\nname = "pier"\nfolder = "{tmp_path / "drop"}"\n'
    )
    newsroom = settings.NEWSROOM = Newsroom(folder)
    letterbox.ensure_keys(newsroom)
    keyring.found(newsroom, pyrage.x25519.Identity.generate().to_public())
    actions.begin_vault(newsroom=newsroom)
    spool = Spool(tmp_path / "drop", clock=lambda: NOW)
    yield Place(newsroom, newsroom.settings.drops[0], spool)
    spool.close()
    safe._vault.cache_clear()


@pytest.fixture
def readers_desk(db: None) -> User:
    return make_user("runa", READERS_DESK)


Acted = list[tuple[Submission, datetime]]


@pytest.fixture
def unhandled(monkeypatch: pytest.MonkeyPatch) -> str:
    """A kind that nothing acts upon in this test."""
    monkeypatch.delitem(handlers._handlers, "subscribe", raising=False)
    return "subscribe"


@pytest.fixture
def handle(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Acted]:
    """Has a kind handled in this test; returns what came. ``fail`` is raised for each, if any."""

    def register(kind: str, fail: list[Exception] | None = None) -> Acted:
        acted: Acted = []

        def act(one: Submission, /, *, arrived_hour: datetime) -> None:
            if fail:
                raise fail[-1]
            acted.append((one, arrived_hour))

        monkeypatch.setitem(handlers._handlers, kind, act)
        return acted

    return register
