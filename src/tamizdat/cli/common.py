# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the commands share: options, the newsroom's folder, reports, errors.

What always holds: standard output carries the result and nothing else; with ``--json`` it is
exactly one JSON object, also where the work failed.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from tamizdat.config import Newsroom
from tamizdat.edition.signed.plain import plain

_Command = TypeVar("_Command", bound=Callable[..., Any])

SETTINGS = "tamizdat.desk.settings.newsroom"


def dir_option(command: _Command) -> _Command:
    """``--dir DIR``: the newsroom's folder; ``TAMIZDAT_DIR``, else the present folder."""
    return click.option(
        "--dir",
        "folder",
        type=click.Path(path_type=Path, file_okay=False),
        envvar="TAMIZDAT_DIR",
        default=Path(),
        show_default="TAMIZDAT_DIR, else the present folder",
        help="The newsroom's folder.",
    )(command)


def json_option(command: _Command) -> _Command:
    """``--json``: one JSON object on standard output instead of sentences."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print one JSON object for a machine to read."
    )(command)


def open_newsroom(folder: Path) -> Newsroom:
    """The newsroom in a folder, which everything in this process then works in.

    Raises ``ConfigError`` where the folder is none.
    """
    newsroom = Newsroom(folder)
    os.environ["TAMIZDAT_DIR"] = str(newsroom.folder)
    return newsroom


def start_django(folder: Path) -> Newsroom:
    """The newsroom in a folder, with Django ready to work in it.

    This process leaves no core file: the vault's keys are in its memory.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    newsroom = open_newsroom(folder)
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    import django

    django.setup()
    return newsroom


def say(message: str) -> None:
    """Tell the person at the keyboard what is going on."""
    click.echo(message, err=True)


def print_json(report: object) -> None:
    """Print the one JSON object of a command."""
    click.echo(msgspec.json.encode(report).decode())


def is_ours(error: Exception) -> bool:
    """Whether an exception's message was written for the person who reads it."""
    return type(error).__module__.startswith("tamizdat.") or isinstance(error, OSError)


def print_failure(error: Exception, *, as_json: bool) -> None:
    """Say on standard error what went wrong; for a machine also on standard output."""
    message = "\n".join(plain(line) for line in _sentence(error).split("\n"))
    if as_json:
        print_json({"ok": False, "error": message})
    click.echo(f"tamizdat: {message}", err=True)


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and not type(error).__module__.startswith("tamizdat."):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}"
    return str(error)
