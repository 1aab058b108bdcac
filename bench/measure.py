# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a command costs, and how figures are shown.

What always holds:

- Contenders run in turn, never at once; each run gets a fresh folder (``Scratch.fresh``), and
  folders are removed only when all is measured: ext4 is several times slower at creating files
  where a large tree has just been removed.
- Memory is the sum of the proportional set sizes (PSS) of the whole process tree, sampled, so
  that pages shared by forked workers count once. The largest single process is kept beside it.
- Figures that are compared are medians of one and the same run.

What is not done here: choosing what to compare.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MIB = 1024 * 1024


class CommandError(Exception):
    """A measured command failed; the message holds the end of what it said."""


@dataclass(frozen=True)
class Cost:
    """Seconds of wall and CPU (all processes), bytes of memory: tree's PSS, largest RSS."""

    wall: float
    cpu: float
    peak: int
    largest: int
    files: int = 0
    bytes: int = 0


def run(
    command: Sequence[str | Path],
    *,
    cwd: Path,
    log: Path,
    env: Mapping[str, str] | None = None,
    interval: float = 0.1,
) -> Cost:
    """Run a command to its end and return what it cost. Raises ``CommandError``."""
    with log.open("wb") as out:
        start = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        status, usage, peak = _wait(process.pid, interval)
        wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        said = log.read_text(errors="replace")[-3000:]
        raise CommandError(f"{command[0]} ended with {process.returncode}:\n{said}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, peak, usage.ru_maxrss * 1024)


def _wait(pid: int, interval: float) -> tuple[int, Any, int]:
    """Sample memory until the process ends; sampling takes at most a twentieth of the time."""
    peak, due = 0, 0.0
    while True:
        ended, status, usage = os.wait4(pid, os.WNOHANG)
        if ended:
            return status, usage, peak
        now = time.perf_counter()
        if now >= due:
            peak = max(peak, tree_memory(pid))
            due = now + max(interval, 20 * (time.perf_counter() - now))
        time.sleep(0.005)


def tree_memory(pid: int) -> int:
    """The proportional set size of a process and all under it, in bytes."""
    return sum(_pss(member) for member in tree(pid))


def tree(pid: int) -> list[int]:
    """The process and all under it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [pid]
    for member in found:
        found += children.get(member, [])
    return found


def _stat(pid: int) -> list[str]:
    """The fields of ``/proc/PID/stat`` after the name, empty where it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # It ended between the look and the read.
        return []


def tree_cpu(pid: int) -> float:
    """Seconds of CPU that a living process and all under it have used."""
    ticks = sum(sum(map(int, _stat(member)[11:15])) for member in tree(pid))
    return ticks / os.sysconf("SC_CLK_TCK")


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # It ended between the look and the read.
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)


def with_output(cost: Cost, folder: Path) -> Cost:
    """The same cost with the number of files and bytes below a folder."""
    files, size = volume(folder)
    return replace(cost, files=files, bytes=size)


def volume(folder: Path) -> tuple[int, int]:
    """Files below a folder and their bytes; hard links of one file count once in bytes."""
    files = size = 0
    seen: set[int] = set()
    for entry in walk(folder):
        files += 1
        stat = entry.stat(follow_symlinks=False)
        if stat.st_nlink == 1 or stat.st_ino not in seen:
            size += stat.st_size
        if stat.st_nlink > 1:
            seen.add(stat.st_ino)
    return files, size


def walk(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Every file below a folder."""
    waiting = [str(folder)]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    yield entry


class Scratch:
    """A temporary folder of ours with a fresh folder for every run, removed at the end."""

    def __init__(self, parent: Path | None, *, keep: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tamizdat-bench-", dir=parent))
        self._keep = keep
        self._count = 0

    def __enter__(self) -> Scratch:
        return self

    def __exit__(self, *_: object) -> None:
        if self._keep:
            print(f"kept: {self.folder}", file=sys.stderr)
        else:
            shutil.rmtree(self.folder)

    def fresh(self, name: str) -> Path:
        """A new, empty folder; what was written before is on the disk, not waiting."""
        os.sync()
        self._count += 1
        folder = self.folder / f"{self._count:03d}-{name}"
        folder.mkdir()
        return folder


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def median_cost(costs: Sequence[Cost]) -> Cost:
    """The median of every figure."""
    rows = [asdict(cost) for cost in costs]
    return Cost(**{key: statistics.median(row[key] for row in rows) for key in rows[0]})


def say(message: str) -> None:
    """Tell what is being done, beside the result."""
    print(f"{datetime.now(UTC):%H:%M:%S}  {message}", file=sys.stderr, flush=True)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns line up."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    lines = [
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |"
        for row in (head, *rows)
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (w + 2) for w in widths) + "|", *lines[1:]])


def arguments(description: str, *, size: int, runs: int) -> argparse.ArgumentParser:
    """What every measurement takes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--size", type=int, default=size, help=f"stories (default {size})")
    parser.add_argument("--runs", type=int, default=runs, help=f"repetitions (default {runs})")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures as JSON")
    parser.add_argument("--work", type=Path, metavar="DIR", help="where temporary folders go")
    parser.add_argument("--keep", action="store_true", help="keep what was made, to look at it")
    return parser


def report(figures: Mapping[str, Any], file: Path | None) -> None:
    """Write the figures with the machine they were measured on, where a file was asked for."""
    if file:
        measured = datetime.now(UTC).isoformat(timespec="seconds")
        whole = {"measured": measured, **machine(), **figures}
        file.write_text(json.dumps(whole, indent=2, default=asdict) + "\n")


def machine() -> dict[str, Any]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory / 1024**3, 1),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }
