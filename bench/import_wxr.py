# SPDX-License-Identifier: AGPL-3.0-or-later
"""Importing a WordPress export: posts a second, and memory at a tenth of the posts and at all.

What always holds: each run imports into a newsroom of its own, started by ``tamizdat init``, with
the command an operator would type; start-up is part of the time.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from bench import measure, wxr
from bench.measure import MIB, Cost, Scratch
from bench.newsroom import TAMIZDAT, start


def once(file: Path, scratch: Scratch, *more: str) -> tuple[Cost, dict[str, Any]]:
    """Import one export into a new newsroom."""
    newsroom = start(scratch)
    log = scratch.folder / f"{newsroom.name}.log"
    command = [*TAMIZDAT, "import", file, "--format", "wxr", "--dir", newsroom, "--json", *more]
    cost = measure.run(command, cwd=scratch.folder, log=log)
    return cost, json.loads(log.read_text().splitlines()[-1])


def main() -> int:
    parser = measure.arguments(__doc__ or "", size=10_000, runs=3)
    parser.add_argument("--publish", action="store_true", help="publish them too")
    options = parser.parse_args()
    more = ["--publish"] if options.publish else []
    sizes = sorted({max(1, options.size // 10), options.size})
    costs: dict[int, list[Cost]] = {size: [] for size in sizes}
    with Scratch(options.work, keep=options.keep) as scratch:
        files = {size: scratch.folder / f"export-{size}.xml" for size in sizes}
        for size, file in files.items():
            wxr.write(file, size)
        for number in range(options.runs):
            for size, file in files.items():
                cost, said = once(file, scratch, *more)
                costs[size].append(cost)
                measure.say(f"round {number + 1}: {said['taken']} of {size}, {cost.wall:.1f} s")
                if said["taken"] != size:
                    raise measure.CommandError(f"only {said['taken']} of {size} were taken")
    medians = {size: measure.median_cost(found) for size, found in costs.items()}
    smallest = medians[sizes[0]].peak
    rows = [
        [
            str(size),
            f"{cost.wall:.1f}",
            f"{size / cost.wall:.0f}",
            f"{cost.cpu:.1f}",
            f"{size / cost.cpu:.0f}",
            f"{cost.peak / MIB:.0f}",
            f"{cost.peak / smallest:.2f}",
        ]
        for size, cost in medians.items()
    ]
    head = ["posts", "wall s", "posts/s", "CPU s", "posts/CPU s", "memory MiB", "× smallest"]
    print(measure.table(head, rows))
    measure.report({"bench": "import_wxr", "runs": options.runs, "costs": costs}, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
