# SPDX-License-Identifier: AGPL-3.0-or-later
"""The demo's letterbox: a drop on this machine, and one message's way from it to the desk.

What always holds: its address stands in the demo's settings before the paper is built, so that the
paper's forms lead to it; its folder holds no key that opens anything, as any drop's.
"""

from __future__ import annotations

import http.client
import secrets
import sys
import time
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pyrage

from tamizdat import letterbox
from tamizdat.cli.demo_check import CheckError
from tamizdat.cli.processes import Child, free_port
from tamizdat.config import DropSettings, Newsroom
from tamizdat.drop.envelope import seal, submission

HOST: Final = "127.0.0.1"
NAME: Final = "pier"
FOLDER: Final = "drop"
PATIENCE: Final = 60.0  # seconds for a message's way to the desk


def with_drop(newsroom: Newsroom, first_port: int) -> Newsroom:
    """The newsroom with its drop in the settings, at a port that is free. Raises
    ``ProcessError``."""
    text = newsroom.settings_file.read_text()
    known = _known(newsroom)
    wanted = urlsplit(known.url).port if known else None
    port = free_port(HOST, wanted or first_port, taken=_ports(newsroom))
    url = f"http://{HOST}:{port}"
    if known and known.url == url:
        return newsroom
    if known:
        text = text.replace(f'url = "{known.url}"', f'url = "{url}"')
    else:
        text = f'{text.rstrip()}\n\n[[drops]]\nname = "{NAME}"\nurl = "{url}"\n'
    newsroom.settings_file.write_text(text)
    return Newsroom(newsroom.folder)


def port_of(newsroom: Newsroom) -> int:
    """Where the demo's drop answers."""
    return urlsplit(url_of(newsroom)).port or 0


def url_of(newsroom: Newsroom) -> str:
    known = _known(newsroom)
    return known.url if known else ""


def _known(newsroom: Newsroom) -> DropSettings | None:
    return next((drop for drop in newsroom.settings.drops if drop.name == NAME), None)


def _ports(newsroom: Newsroom) -> list[int]:
    return [newsroom.settings.desk.port, newsroom.settings.paper.port]


def child_of(newsroom: Newsroom, paper_port: int) -> Child:
    """The drop as a process; makes or renews its folder. Django must be ready. The demo's paper is
    not always at the port of its settings: who comes from there is thanked there."""
    from tamizdat.cli.drop_folder import make_drop

    port = port_of(newsroom)
    entries = [f"http://{name}:{paper_port}" for name in (HOST, "localhost")]
    made = make_drop(
        newsroom.folder / FOLDER, newsroom, url=url_of(newsroom), port=port, entries=entries
    )
    return Child("drop", _serve(made.folder, port), address=(HOST, port))


def _serve(folder: Path, port: int) -> list[str]:
    program = [sys.executable, "-m", "tamizdat", "drop", "serve", str(folder)]
    return [*program, "--host", HOST, "--port", str(port)]


def prove(newsroom: Newsroom) -> None:
    """Send a message as a reader's browser does, and see it in the desk's inbox. Raises
    ``CheckError``."""
    text = f"The demo wrote this to itself, to see that letters arrive: {secrets.token_hex(8)}."
    _send(newsroom, text)
    deadline = time.monotonic() + PATIENCE
    while not _arrived(newsroom, text):
        if time.monotonic() > deadline:
            raise CheckError(f"a message to {url_of(newsroom)} did not arrive at the desk")
        time.sleep(0.2)


def _send(newsroom: Newsroom, text: str) -> None:
    recipient = pyrage.x25519.Recipient.from_str(letterbox.recipient(newsroom))
    sealed = seal(submission("message", "en", {"text": text, "name": "The demo"}), [recipient])
    connection = http.client.HTTPConnection(HOST, port_of(newsroom), timeout=30)
    try:
        connection.request("POST", "/v1/sealed", sealed, {"Content-Type": "text/plain"})
        answer = connection.getresponse()
        said = answer.read()
    except OSError as error:
        raise CheckError(f"{url_of(newsroom)} does not answer ({error})") from error
    finally:
        connection.close()
    if answer.status != 200:
        raise CheckError(f"{url_of(newsroom)} answered {answer.status}: {said[:200]!r}")


def _arrived(newsroom: Newsroom, text: str) -> bool:
    """Collect, as the worker does every minute, and look into the inbox."""
    from tamizdat.desk.letters.collecting import collect
    from tamizdat.desk.letters.letter import open_letter
    from tamizdat.desk.letters.models import Message

    collect(newsroom, newsroom.settings.drops[0])
    newest = Message.objects.order_by("-pk")[:20]
    letters = [open_letter(message).written for message in newest]
    return any(written is not None and written.text == text for written in letters)
