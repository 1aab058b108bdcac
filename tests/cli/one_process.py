# SPDX-License-Identifier: AGPL-3.0-or-later
"""Several commands in one process, as each process of its own takes seconds to begin."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

_RUN = """
import contextlib, io, json, os, sys
from tamizdat.cli import run
said = []
for command in json.load(sys.stdin):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        if isinstance(command, str):
            exec(command)
            code = 0
        else:
            code = run(command)
    said.append([code, out.getvalue(), err.getvalue()])
json.dump(said, sys.stdout)
"""


class Said(NamedTuple):
    """What one command said. ``json`` is its standard output, read."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def commands(
    folder: Path, environment: Mapping[str, str], *given: list[str | Path] | str
) -> list[Said]:
    """Run commands (lists) and Python (text, once a command has started Django) in order."""
    told = [one if isinstance(one, str) else [str(part) for part in one] for one in given]
    done = subprocess.run(
        [sys.executable, "-c", _RUN],
        input=json.dumps(told),
        env={**environment, "TAMIZDAT_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [Said(*one) for one in json.loads(done.stdout)]
