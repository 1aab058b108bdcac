# SPDX-License-Identifier: AGPL-3.0-or-later
"""The lines of docs/operating/mail.md in a real Postfix: mails leave, failures come back."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyrage
import pytest
from django.db import transaction

from bench.postfix import Instance, missing
from tamizdat.config import Newsroom
from tamizdat.desk.newsletter.engine import relay_log
from tamizdat.desk.newsletter.engine.relay_log import Fate
from tamizdat.desk.outgoing import lanes, links, maildir, reports, suppression
from tamizdat.desk.outgoing.models import Mail, Suppression
from tamizdat.desk.outgoing.post import Post
from tamizdat.desk.readers import actions, keyring
from tamizdat.desk.readers.vault import Vault
from tamizdat.mail import lmtp
from tamizdat.mail.content import Notice
from tests.desk.newsletter.engine import house

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.slow,
    pytest.mark.timeout(200),
    pytest.mark.skipif(bool(missing()), reason=missing() or "all is there"),
]
PAGE = Path(__file__).parents[3] / "docs" / "operating" / "mail.md"
NOBODY = 65534
GOOD, GONE = "vera@post.example", "refused@post.example"  # The sink refuses the second.
NOTICE = Notice(subject="Please confirm", language="en", paper="The Meridian", lines=("Yes?",))


def documented() -> list[list[str]]:
    """The lines of each main.cf of the page: to send, then for a Maildir, then for LMTP."""
    found = re.findall(r"^```\n# /etc/postfix/main.cf\n(.*?)^```$", PAGE.read_text(), re.M | re.S)
    return [block.splitlines() for block in found]


def here(lines: list[str], **places: object) -> list[str]:
    """With what this machine calls otherwise. Each has to stand there."""
    text = "\n".join(lines)
    for said, place in places.items():
        named = {"address": "192.0.2.7", "mail": "/var/mail", "user": "1000", "port": "2424"}[said]
        assert named in text
        text = text.replace(named, str(place))
    return [line for line in text.splitlines() if not line.startswith("maillog_file")]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


@pytest.fixture
def sink(stack: ExitStack, tmp_path: Path) -> house.Sink:
    """The receivers' mail server."""
    made = house.Sink(tmp_path, "choosy")
    stack.callback(made.kill)
    return made


@pytest.fixture
def box(stack: ExitStack) -> Path:
    """A Maildir of the desk's user, as the page has it made."""
    root = Path(tempfile.mkdtemp(prefix="mail-"))
    stack.callback(shutil.rmtree, root)
    root.chmod(0o755)
    for name in ("", "new", "cur", "tmp"):
        (root / "tamizdat" / name).mkdir(mode=0o700)
        os.chown(root / "tamizdat" / name, NOBODY, NOBODY)
    return root


def open_newsroom(folder: Path, settings: Any, port: int, more: str = "") -> Newsroom:
    folder.mkdir()
    (folder / "tamizdat.toml").write_text(
        'name = "The Meridian"\naddress = "https://paper.example"\n[mail]\n'
        f'sender = "letters@paper.example"\nbounces = "bounces.paper.example"\n{more}\n'
        f'[[relays]]\nname = "main"\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\n'
    )
    made = settings.NEWSROOM = Newsroom(folder)
    keyring.found(made, pyrage.x25519.Identity.generate().to_public())
    actions.begin_vault(newsroom=made)
    links.ensure_key(made)
    return made


def send(newsroom: Newsroom) -> dict[str, str]:
    """One mail to each; their Message-IDs, by address."""
    names = {}
    for address in (GOOD, GONE):
        with transaction.atomic():
            reader = Vault(newsroom).add(address, "en")
            mail = lanes.send(purpose="test", reader=reader, notice=NOTICE)
        assert mail
        names[address] = lanes.opened(mail).message_id
    post = Post(newsroom)
    assert post.run() == 2
    post.close()
    assert set(Mail.objects.values_list("state", flat=True)) == {"sent"}, "Postfix has them"
    return names


def wait_for(what: Callable[[], bool], log: Path) -> None:
    until = time.monotonic() + 60
    while not what():
        assert time.monotonic() < until, log.read_text()[-3000:]
        time.sleep(0.1)


def came_back(newsroom: Newsroom) -> bool:
    """Whether exactly the one who does not exist is not written to any more."""
    vault = Vault(newsroom)
    good, gone = vault.find(GOOD), vault.find(GONE)
    assert good
    assert gone
    found = suppression.in_force(gone)
    assert suppression.in_force(good) is None
    return found is not None and found.reason == Suppression.Reason.HARD


def test_the_page_has_lines_to_send_and_for_both_ways_back() -> None:
    sending, by_maildir, by_lmtp = documented()
    assert "maillog_file = /var/log/postfix.log" in sending
    assert any("static:tamizdat/" in line for line in by_maildir)
    assert any("lmtp:inet" in line for line in by_lmtp)


def test_what_fails_comes_back_by_the_maildir_and_the_log_tells_of_each(
    sink: house.Sink, box: Path, stack: ExitStack, tmp_path: Path, settings: Any
) -> None:
    sending, by_maildir, _ = documented()
    lines = [
        *here(sending, address="127.0.0.1"),
        *here(by_maildir, mail=box, user=NOBODY),
        f"relayhost = [127.0.0.1]:{sink.port}",
    ]
    postfix = stack.enter_context(Instance(lines))
    reports_in = f'reports = "{box / "tamizdat"}"'
    newsroom = open_newsroom(tmp_path / "newsroom", settings, postfix.port, reports_in)
    names = send(newsroom)
    wait_for(lambda: any((box / "tamizdat" / "new").iterdir()), postfix.log)
    assert maildir.empty(newsroom) == 1
    assert came_back(newsroom)
    wait_for(lambda: bool(sink.accepted()), postfix.log)
    assert set(sink.accepted()) == {names[GOOD]}
    found = relay_log.look_up(postfix.log, set(names.values()))
    assert found.fates[names[GOOD]].bounced is False
    assert found.fates[names[GONE]] == Fate(True, "5.1.1")
    assert found.begins is not None


def test_what_fails_comes_back_by_lmtp(
    sink: house.Sink, stack: ExitStack, tmp_path: Path, settings: Any
) -> None:
    taken: list[tuple[bytes, str]] = []
    server = lmtp.Server(lambda data, recipient: taken.append((data, recipient)), 0)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    stack.callback(thread.join)
    stack.callback(server.server_close)
    stack.callback(server.shutdown)
    sending, _, by_lmtp = documented()
    lines = [
        *here(sending, address="127.0.0.1"),
        *here(by_lmtp, port=server.port),
        f"relayhost = [127.0.0.1]:{sink.port}",
    ]
    postfix = stack.enter_context(Instance(lines))
    newsroom = open_newsroom(tmp_path / "newsroom", settings, postfix.port)
    send(newsroom)
    wait_for(lambda: bool(taken), postfix.log)
    [(data, recipient)] = taken
    assert recipient.endswith("@bounces.paper.example")
    reports.take(newsroom, data, recipient=recipient)
    assert came_back(newsroom)
