# SPDX-License-Identifier: AGPL-3.0-or-later
"""A process inside a newsroom that does what ``scenery`` can.

Not a test and never imported by one: a process of its own (``newsroom.Backstage``), because
Django's settings are those of one folder. It reads ``["action", {arguments}]`` a line and answers
``[true, result]`` or ``[false, "why not"]``.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path

from tamizdat.cli.common import start_django


def main() -> None:
    # What libraries print must not be read as an answer.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    start_django(Path(os.environ["TAMIZDAT_DIR"]))
    from django.db import close_old_connections

    from tests.e2e.scenery import ACTIONS

    for line in sys.stdin:
        name, arguments = json.loads(line)
        close_old_connections()
        try:
            answer = [True, ACTIONS[name](**arguments)]
        except Exception as error:
            traceback.print_exc()
            answer = [False, f"{type(error).__name__}: {error}"]
        answers.write(json.dumps(answer, default=str) + "\n")


if __name__ == "__main__":
    main()
