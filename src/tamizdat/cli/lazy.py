# SPDX-License-Identifier: AGPL-3.0-or-later
"""A group of commands whose modules are imported when they are called for."""

from __future__ import annotations

import importlib
from typing import Any

import click


class LazyGroup(click.Group):
    """``commands_by_name`` maps a name to where the command lies (``module:attribute``) and the
    sentence that ``--help`` shows for it (a test holds it equal to the command's own)."""

    def __init__(
        self, *args: Any, commands_by_name: dict[str, tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.commands_by_name = commands_by_name

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands_by_name)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.commands_by_name:
            return None
        module, attribute = self.commands_by_name[cmd_name][0].split(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)  # noqa: S101 - a mistake of ours, not of a user
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, help_) for name, (_, help_) in self.commands_by_name.items()]
            )
