# SPDX-License-Identifier: AGPL-3.0-or-later
"""The one program, ``tamizdat``.

What always holds: a command's module is imported only when that command runs, so that
``tamizdat --help`` costs no Django; an error that is ours is one sentence on standard error that
says what to do, and exit code 1; progress goes to standard error, results to standard output.

Exit codes: 0 done, 1 could not be done, 2 asked wrongly, 130 stopped by the person.
"""

from __future__ import annotations

import sys

import click

from tamizdat import __version__
from tamizdat.cli.common import is_ours, print_failure
from tamizdat.cli.lazy import LazyGroup

COMMANDS = {
    "demo": (
        "tamizdat.cli.demo:demo",
        "Fill a demo newsroom, publish it, serve desk, paper and mirrors.",
    ),
    "init": ("tamizdat.cli.init:init", "Start a real newsroom in a folder."),
    "run": ("tamizdat.cli.run:run", "Run desk, worker and paper in one process tree."),
    "import": ("tamizdat.cli.importing:import_", "Bring in stories that others wrote."),
    "export": ("tamizdat.cli.importing:export", "Write every story, version and photo as ninjs."),
    "publish": ("tamizdat.cli.publish:publish", "Build what waits, or the whole paper anew."),
    "edition": ("tamizdat.cli.edition:edition", "Build and serve the paper, without the desk."),
    "keys": ("tamizdat.cli.keys:keys_", "Make and change the keys that sign the paper."),
    "archive": (
        "tamizdat.cli.archive:archive",
        "Seal the archive: who seizes the server cannot rewrite it.",
    ),
    "vault": (
        "tamizdat.cli.vault:vault",
        "Keep, find, hand out and erase readers' addresses.",
    ),
    "newsletter": (
        "tamizdat.cli.newsletter:newsletter",
        "Send issues to their readers and see how far they are.",
    ),
    "contributions": (
        "tamizdat.cli.contributions:contributions",
        "See what readers gave, ask the providers, write out the books.",
    ),
    "mirror": (
        "tamizdat.cli.mirror:mirror",
        "Push the paper to its mirrors, see how they stand, pull a copy.",
    ),
    "drop": (
        "tamizdat.cli.drop:drop",
        "Serve a letterbox that only the desk can open, and empty it.",
    ),
    "worker": ("tamizdat.cli.worker:worker", "Build and schedule what the desk asks for."),
    "desk": ("tamizdat.cli.desk:desk", "Serve the desk, or run one of Django's commands."),
    "backup": (
        "tamizdat.cli.backup:backup",
        "Write everything that cannot be made again into one sealed file.",
    ),
    "restore": ("tamizdat.cli.backup:restore", "Put a backup into an empty folder."),
    "doctor": ("tamizdat.cli.doctor:doctor", "Check a set-up and say what to do."),
}


@click.group(
    cls=LazyGroup,
    commands_by_name=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="tamizdat")
def cli() -> None:
    """Publish a newspaper that somebody wants to silence.

    A newsroom is a folder. Try one with "tamizdat demo", start your own with "tamizdat init".
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the program and end the process with its exit code."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run one command; its exit code. Errors that are not ours keep their traceback."""
    try:
        result = cli.main(arguments, prog_name="tamizdat", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        return 130
    except Exception as error:
        if not is_ours(error):
            raise
        print_failure(error, as_json="--json" in arguments)
        return 1
    return result if isinstance(result, int) else 0
