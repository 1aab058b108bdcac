# SPDX-License-Identifier: AGPL-3.0-or-later
"""Write each command's ``--help`` into docs/cli.md, after its ``<!-- help: … -->`` marker.

A test holds the file equal to the program; this mends it.
"""

from __future__ import annotations

import re
from pathlib import Path

from click.testing import CliRunner

from tamizdat.cli import cli

DOCS = Path(__file__).parent.parent / "docs" / "cli.md"
MARKED = re.compile(
    r"<!-- help: tamizdat ?(?P<words>[a-z -]*?) -->\n(```text\n.*?\n```\n)?", re.DOTALL
)


def help_of(words: str) -> str:
    """What ``tamizdat WORDS --help`` prints on a terminal of 80 columns."""
    result = CliRunner().invoke(
        cli, [*words.split(), "--help"], prog_name="tamizdat", terminal_width=80
    )
    return result.output.strip()


def with_help(text: str) -> str:
    """The same page with every marked help as it is now."""

    def block(found: re.Match[str]) -> str:
        marker = found[0].splitlines()[0]
        return f"{marker}\n```text\n{help_of(found['words'])}\n```\n"

    return MARKED.sub(block, text)


if __name__ == "__main__":
    DOCS.write_text(with_help(DOCS.read_text()))
