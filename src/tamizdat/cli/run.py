# SPDX-License-Identifier: AGPL-3.0-or-later
"""``tamizdat run``: desk, worker and paper in one process tree, for a small newsroom."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tamizdat.cli.common import dir_option, open_newsroom, say
from tamizdat.cli.processes import Child, Supervisor
from tamizdat.config import Newsroom


def children(newsroom: Newsroom, *, desk_port: int, paper_port: int) -> list[Child]:
    """The three processes of a newsroom: desk, worker, paper."""
    program = [sys.executable, "-m", "tamizdat"]
    folder = ["--dir", str(newsroom.folder)]
    desk, paper = newsroom.settings.desk, newsroom.settings.paper
    return [
        Child(
            "desk",
            [*program, "desk", *folder, "serve", "--port", str(desk_port)],
            address=(_reachable(desk.host), desk_port),
        ),
        Child("worker", [*program, "worker", *folder]),
        Child(
            "paper",
            [*program, "edition", "serve", *folder, "--port", str(paper_port)],
            address=(_reachable(paper.host), paper_port),
        ),
    ]


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - it is compared


@click.command()
@dir_option
def run(folder: Path) -> None:
    """Run desk, worker and paper in one process tree.

    What ends by itself is started again. Stop all of it with Ctrl-C or SIGTERM.
    """
    newsroom = open_newsroom(folder)
    newsroom.secret("desk-key")
    desk, paper = newsroom.settings.desk, newsroom.settings.paper
    started = children(newsroom, desk_port=desk.port, paper_port=paper.port)
    with Supervisor(started, say=say) as supervisor:
        supervisor.start()
        supervisor.wait_until_ready()
        say(f"Desk:  http://{desk.hosts[0]}:{desk.port}/desk/")
        say(f"Paper: http://{paper.host}:{paper.port}/")
        supervisor.watch()
        say("Stopping.")
