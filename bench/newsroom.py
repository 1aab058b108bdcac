# SPDX-License-Identifier: AGPL-3.0-or-later
"""A newsroom's folder for one measurement, and the program that everybody uses."""

from __future__ import annotations

import sys
from pathlib import Path

from bench import measure
from bench.measure import Scratch

TAMIZDAT = [sys.executable, "-m", "tamizdat"]


def start(scratch: Scratch) -> Path:
    """A new newsroom in a fresh folder, as ``tamizdat init`` makes it."""
    folder = scratch.fresh("newsroom")
    log = scratch.folder / f"{folder.name}-init.log"
    languages = ["--language", "en", "--language", "ru"]
    command = [*TAMIZDAT, "init", folder, "--timezone", "UTC", *languages]
    measure.run(command, cwd=scratch.folder, log=log)
    # A measurement logs in with a password alone.
    settings = folder / "tamizdat.toml"
    text = settings.read_text()
    settings.write_text(text.replace('second_factor = "required"', 'second_factor = "optional"'))
    return folder
