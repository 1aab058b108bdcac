# SPDX-License-Identifier: AGPL-3.0-or-later
"""Publishing one story into a small archive and into a large one: CPU, wall, files written.

What always holds: the same stories, to the letter but for their dates and what they lead to, are
published, corrected and withdrawn in both archives, by one process that is warm (``--warm`` of
them first), each for itself and durable; the two archives in turn. The number of files written is
looked up in the folder itself, not asked of the program. With ``--sign`` each is signed too; the
first of the warm ones writes ``base``.
"""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from bench import measure
from bench.measure import Scratch

OPERATIONS = ("publish", "correct", "withdraw")


def edition_of(size: int, scratch: Scratch) -> tuple[Path, Path]:
    """Write an archive and build it. Returns the archive's folder and the edition's."""
    archive, edition = scratch.fresh("archive"), scratch.fresh("edition")
    log = scratch.folder / f"prepare-{size}.log"
    python = [sys.executable, "-m"]
    measure.say(f"building a paper of {size} stories")
    arguments = ["--size", str(size), "--out", archive]
    measure.run([*python, "bench.archive", *arguments], cwd=measure.ROOT, log=log)
    command = [*python, "bench.ours", "build", archive, edition, "--tree"]
    measure.run(command, cwd=measure.ROOT, log=log)
    return archive, edition


def once(size: int, paper: tuple[Path, Path], number: int, options: Namespace) -> Any:
    """Publish, correct and withdraw in a process of its own; returns its figures."""
    archive, edition = paper
    each = options.count + options.warm
    log = edition.with_name(f"{edition.name}-{number}.log")
    command = [sys.executable, "-m", "bench.ours", "publish", archive, edition, "--tree"]
    command += ["--first", str(number * each), *(["--sign"] if options.sign else [])]
    counts = ["--size", str(size), "--count", str(options.count), "--warm", str(options.warm)]
    measure.run([*command, *counts], cwd=measure.ROOT, log=log)
    return json.loads(log.read_text().splitlines()[-1])


def show(figures: dict[int, list[dict[str, dict[str, float]]]]) -> str:
    """The table: medians over the runs, the larger archive as a multiple of the smaller."""
    small, large = min(figures), max(figures)
    rows = []
    for operation in OPERATIONS:
        medians = {
            size: {
                key: measure.median([run[operation][key] for run in runs])
                for key in runs[0][operation]
            }
            for size, runs in figures.items()
        }
        for size, found in medians.items():
            ratio = found["cpu"] / medians[small]["cpu"] if size == large else 1.0
            rows.append(
                [
                    operation,
                    str(size),
                    f"{found['cpu'] * 1000:.1f}",
                    f"{ratio:.2f}",
                    f"{found['wall'] * 1000:.1f}",
                    f"{found['pages']:.0f}",
                    f"{found['files']:.0f}",
                ]
            )
    head = ["what", "archive", "CPU ms", "× small", "wall ms", "paper's files", "files on disk"]
    return measure.table(head, rows)


def main() -> int:
    parser = measure.arguments(__doc__ or "", size=100_000, runs=3)
    parser.add_argument("--small", type=int, default=1000, help="the small archive (default 1000)")
    parser.add_argument("--count", type=int, default=15, help="stories a run (default 15)")
    parser.add_argument("--sign", action="store_true", help="sign each edition too")
    parser.add_argument("--warm", type=int, default=3, help="stories before (default 3)")
    options = parser.parse_args()
    sizes = sorted({options.small, options.size})
    figures: dict[int, list[Any]] = {size: [] for size in sizes}
    with Scratch(options.work, keep=options.keep) as scratch:
        papers = {size: edition_of(size, scratch) for size in sizes}
        for number in range(options.runs):
            for size, paper in papers.items():
                figures[size].append(once(size, paper, number, options))
            measure.say(f"round {number + 1} of {options.runs}")
    print(show(figures))
    measure.report({"bench": "publish_one", "runs": options.runs, "figures": figures}, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
