# SPDX-License-Identifier: AGPL-3.0-or-later
"""``tamizdat newsletter withdraw`` and ``restore``: an issue's page out of the paper, and back."""

from __future__ import annotations

from pathlib import Path

import click

from tamizdat.cli.common import dir_option, json_option, print_json, say, start_django
from tamizdat.config import ConfigError


@click.command()
@click.argument("issue", metavar="ISSUE")
@click.option("--reason", required=True, help="Why. Readers of the page will see it.")
@dir_option
@json_option
def withdraw(issue: str, reason: str, folder: Path, as_json: bool) -> None:
    """Take an issue's page out of the paper.

    The page then says that it was withdrawn, and why. Mails that were sent are
    not called back; stories in it stay as they are. Undone by restore.
    """
    start_django(folder)
    from tamizdat.cli.newsletter import find
    from tamizdat.desk.newsletter import paper
    from tamizdat.desk.newsletter.errors import IssueError

    found = find(issue)
    try:
        paper.withdraw_issue(issue=found, reason=reason, acting_user=None)
    except IssueError as error:
        raise ConfigError(str(error)) from error
    if as_json:
        print_json({"ok": True, "issue": str(found), "path": paper.path_of(found)})
    else:
        say(f"{found} is withdrawn; the worker builds its page in a moment.")


@click.command()
@click.argument("issue", metavar="ISSUE")
@dir_option
@json_option
def restore(issue: str, folder: Path, as_json: bool) -> None:
    """Put an issue's page that was withdrawn back into the paper.

    As it was. Nothing is sent.
    """
    start_django(folder)
    from tamizdat.cli.newsletter import find
    from tamizdat.desk.newsletter import paper
    from tamizdat.desk.newsletter.errors import IssueError

    found = find(issue)
    try:
        paper.restore_issue(issue=found, acting_user=None)
    except IssueError as error:
        raise ConfigError(str(error)) from error
    if as_json:
        print_json({"ok": True, "issue": str(found), "path": paper.path_of(found)})
    else:
        say(f"{found} goes back into the paper; the worker builds its page in a moment.")
