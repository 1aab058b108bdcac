# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whole articles by mail to a real Postfix with its queue: our engine, and Postfix's smtp-source.

What always holds: each run has a Postfix of its own (``bench.postfix``) with an empty queue, on
the disk named by ``--work``, as Debian ships it, only that what comes out of the queue is thrown
away (``discard``); it took some mails before the clock starts. Both send as many mails of the same
length over as many sessions, which they keep. A mail counts when Postfix said that it has it, so it
lies on the disk then. Contenders run in turn, the other one first each round.

Ours makes each mail, claims its row in the ledger before and keeps the answer after; smtp-source
sends one text over and over and keeps nothing.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench import measure
from bench.measure import Scratch
from bench.newsletter import inside, newsroom, result
from bench.postfix import Instance, missing

PAYLOAD = 42_000  # characters of text: with HTML and plain text some 90 kB
SESSIONS = 8
WARM = 100
LIMIT = 0.9
LINES = ("myhostname = mx.meridian.example", "default_transport = discard:")


def ours(scratch: Scratch, size: int) -> dict[str, Any]:
    folder = scratch.fresh("engine")
    with Instance(LINES, parent=scratch.folder) as postfix:
        newsroom(folder, postfix.port, "sqlite", dkim=False, connections=SESSIONS)
        made = result(inside(folder, "prepare", str(size), str(PAYLOAD)))
        source(postfix, WARM, made["length"])
        found = result(inside(folder, "send"))
    return {"rate": found["sent"] / found["wall"], "length": made["length"], **found}


def source(postfix: Instance, size: int, length: int) -> float:
    """Seconds that smtp-source takes."""
    program = shutil.which("smtp-source") or "/usr/sbin/smtp-source"
    command = [
        *(program, "-d", "-s", str(SESSIONS), "-m", str(size), "-l", str(length)),
        *("-f", "weekly@meridian.example", "-t", "reader@post.example"),
        f"127.0.0.1:{postfix.port}",
    ]
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def peer(scratch: Scratch, size: int, length: int) -> dict[str, Any]:
    with Instance(LINES, parent=scratch.folder) as postfix:
        source(postfix, WARM, length)
        wall = source(postfix, size, length)
    return {"rate": size / wall, "wall": wall, "sent": size, "length": length}


def compare(scratch: Scratch, size: int, runs: int) -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = {"ours": [], "smtp-source": []}
    length = 2 * PAYLOAD  # Until the first of ours says what it is.
    for number in range(runs):
        for name in sorted(rows, reverse=number % 2 > 0):
            measure.say(f"round {number + 1} of {runs}: {name}, {size} mails")
            one = ours(scratch, size) if name == "ours" else peer(scratch, size, length)
            rows[name].append(one)
            length = one["length"]
    return rows


def main() -> None:
    parser = measure.arguments(__doc__ or "", size=5_000, runs=3)
    options = parser.parse_args()
    if why := missing():
        sys.exit(why)
    with Scratch(options.work, keep=options.keep) as scratch:
        Path(scratch.folder).chmod(0o711)  # Postfix's own user has to reach its queue.
        rows = compare(scratch, options.size, options.runs)
    rates = {name: measure.median([one["rate"] for one in found]) for name, found in rows.items()}
    ratio = rates["ours"] / rates["smtp-source"]
    lines = [[name, f"{rate:,.0f}"] for name, rate in rates.items()]
    print(measure.table(["way", "mails/s"], lines))
    length = rows["ours"][0]["length"]
    print(f"\n{length:,} bytes a mail, {SESSIONS} sessions: {ratio:.2f} × smtp-source", end="")
    print(f" (limit {LIMIT})")
    measure.report({"rows": rows, "rates": rates, "ratio": ratio, "limit": LIMIT}, options.json)


if __name__ == "__main__":
    main()
