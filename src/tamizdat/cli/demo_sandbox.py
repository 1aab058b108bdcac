# SPDX-License-Identifier: AGPL-3.0-or-later
"""The demo's payment provider as a process, and its tables in the demo's settings.

What always holds: its address and its keys stand there before the paper is built, so that the
paper's support page leads to it; it starts for a demo alone.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from tamizdat.cli.processes import Child, die_with_parent, follow_supervisor, free_port
from tamizdat.config import ConfigError, Newsroom, ProviderSettings
from tamizdat.giving.sandbox.app import Sandbox, make_app

HOST: Final = "127.0.0.1"
KIND: Final = "sandbox"
KEYS: Final = ("sandbox-till", "sandbox-desk", "sandbox-webhook")
FOLDER: Final = "TAMIZDAT_DIR"
_TABLES: Final = """
[[giving.providers]]
kind = "sandbox"
till = "sandbox-till"
credentials = "sandbox-desk"
webhook = "sandbox-webhook"
url = "{url}"
account = "demo"

[[giving.offers]]
kind = "once"
currency = "USD"
amounts = ["10", "25", "50"]
recommended = "25"
least = "2"
most = "5000"

[[giving.offers]]
kind = "monthly"
currency = "USD"
amounts = ["5", "10", "20"]
recommended = "10"
least = "2"
most = "1000"

[[giving.offers]]
kind = "annual"
currency = "USD"
amounts = ["50", "100", "200"]
recommended = "100"
least = "20"
most = "5000"
"""


def with_sandbox(newsroom: Newsroom, first_port: int) -> Newsroom:
    """The newsroom with its provider in the settings, at a port that is free. Raises
    ``ProcessError``."""
    for name in KEYS:
        newsroom.secret(name, create=True)
    known = provider_of(newsroom)
    settings = newsroom.settings
    drops = [urlsplit(drop.url).port or 0 for drop in settings.drops]
    taken = [settings.desk.port, settings.paper.port, *drops]
    wanted = urlsplit(known.url).port if known else None
    url = f"http://{HOST}:{free_port(HOST, wanted or first_port, taken=taken)}"
    if known and known.url == url:
        return newsroom
    text = newsroom.settings_file.read_text().rstrip()
    if known:
        text = text.replace(f'url = "{known.url}"', f'url = "{url}"')
    else:
        text += "\n" + _TABLES.format(url=url)
    newsroom.settings_file.write_text(f"{text.rstrip()}\n")
    return Newsroom(newsroom.folder)


def provider_of(newsroom: Newsroom) -> ProviderSettings | None:
    return next((one for one in newsroom.settings.giving.providers if one.kind == KIND), None)


def port_of(newsroom: Newsroom) -> int:
    """Where it answers; 0 where there is none."""
    known = provider_of(newsroom)
    return urlsplit(known.url).port or 0 if known else 0


def child_of(newsroom: Newsroom) -> Child:
    """The sandbox as a process."""
    # -P: whatever lies in the present folder is not ours to run.
    program = [sys.executable, "-P", "-m", "tamizdat.cli.demo_sandbox", str(newsroom.folder)]
    return Child("sandbox", program, address=(HOST, port_of(newsroom)))


def sandbox_of(newsroom: Newsroom) -> Sandbox:
    """What it is made with. Raises ``ConfigError``."""
    known = provider_of(newsroom)
    if known is None:
        raise ConfigError(f"{newsroom.settings_file} names no sandbox: run the demo")
    drop = next(iter(newsroom.settings.letterboxes), "")
    till, desk, secret = (newsroom.secret(name) for name in KEYS)
    return Sandbox(
        file=newsroom.run / "sandbox.sqlite3",
        url=known.url,
        webhook=f"{drop}/v1/webhook/{KIND}" if drop else "",
        till=till,
        desk=desk,
        secret=secret,
        demo=newsroom.settings.demo,
        account=known.account,
    )


def application() -> Callable[..., Any]:
    """Made in granian's own worker process."""
    die_with_parent()
    made: Callable[..., Any] = make_app(sandbox_of(Newsroom(Path(os.environ[FOLDER]))))
    return made


def serve(folder: Path) -> None:
    """Serve the sandbox of a demo until a signal ends it."""
    newsroom = Newsroom(folder)
    newsroom.run.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ[FOLDER] = str(newsroom.folder)
    os.umask(0o077)
    follow_supervisor()
    Granian(
        KIND,
        address=HOST,
        port=port_of(newsroom),
        interface=Interfaces.ASGI,
        websockets=False,
        log_access=False,
        log_level=LogLevels.warning,
    ).serve(target_loader=application, wrap_loader=False)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
