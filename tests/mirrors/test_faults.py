# SPDX-License-Identifier: AGPL-3.0-or-later
"""Slow and rough: kill -9 in pushes and pulls, a full disk, lines that are cut, wrong clocks."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tamizdat.config import MirrorSettings
from tamizdat.mirrors import kinds
from tamizdat.mirrors.errors import FullError, UnreachableError
from tamizdat.mirrors.manifest import Manifest
from tamizdat.mirrors.ports import Outgoing
from tamizdat.mirrors.push import Push, Report
from tamizdat.mirrors.source import Source
from tests.mirrors.conftest import Place, make_place
from tests.mirrors.paper import Paper, page, whole

TOP = Path(__file__).parent.parent.parent
PUSH = """
import sys, contextlib
from pathlib import Path
from tamizdat.config import MirrorSettings
from tamizdat.mirrors import kinds
from tamizdat.mirrors.manifest import Manifest
from tamizdat.mirrors.push import Push
from tamizdat.mirrors.source import Source
edition, mirror, noted = map(Path, sys.argv[1:4])
settings = MirrorSettings(name="disk", kind="folder", target=str(mirror))
target = kinds.open_target(settings, mirror, mirror)
print("begin", flush=True)
with contextlib.closing(Manifest(noted)) as manifest:
    Push(target, manifest, Source(edition)).run()
"""
PULL = """
import sys
from pathlib import Path
from tamizdat.edition.signed.fetch import FolderFetcher
from tamizdat.mirrors.pull import pull
edition, mirror, root = map(Path, sys.argv[1:4])
print("begin", flush=True)
pull(FolderFetcher(edition), mirror, root.read_bytes())
"""


def push(place: Place, paper: Paper, noted: Path) -> Report:
    with contextlib.closing(place.open()) as target, contextlib.closing(Manifest(noted)) as known:
        return Push(target, known, Source(paper.folder)).run()


def run_and_kill(script: str, arguments: list[Path], after: float) -> bool:
    """Whether it was killed before its end, ``after`` seconds from its beginning."""
    process = subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        cwd=TOP,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": "src"},
    )
    assert process.stdout is not None
    with process, process.stdout:
        process.stdout.readline()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(after)
        process.send_signal(signal.SIGKILL)
        return process.wait() != 0


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("script", [PUSH, PULL], ids=["push", "pull"])
def test_killed_at_200_random_points_a_copy_is_always_whole(
    script: str, paper: Paper, tmp_path: Path
) -> None:
    copy, draw, state = tmp_path / "mirror", random.Random(20261122), tmp_path / "reader"
    (tmp_path / "root.json").write_bytes(paper.root)
    last = tmp_path / ("noted.sqlite3" if script is PUSH else "root.json")
    began = time.monotonic()
    run_and_kill(script, [paper.folder, copy, last], 60)
    longest = max(time.monotonic() - began, 0.1)
    seen = [whole(paper.reader(copy, state))]
    killed = 0
    for n in range(200):
        pages: dict[str, bytes | None] = {f"/en/{n % 40}/": page(f"Round {n}")}
        paper.publish(pages | {f"/en/extra-{n}/": page(f"Extra {n}")}, full=n % 20 == 19)
        newest = whole(paper.reader(paper.folder, tmp_path / "ours"))
        killed += run_and_kill(script, [paper.folder, copy, last], draw.uniform(0, longest / 3))
        found = whole(paper.reader(copy, state))
        assert found in [*seen, newest]
        seen = [found, newest] if found != newest else [newest]
    assert killed > 40
    run_and_kill(script, [paper.folder, copy, last], 60)
    assert whole(paper.reader(copy, state)) == newest


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 900 kB. Only root may make one."""
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("only root can mount a small disk")
    place = tmp_path / "small"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=900k", "tmpfs", str(place)],
        check=False,
        capture_output=True,
    )
    if made.returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.slow
def test_on_a_disk_that_fills_up_the_last_edition_stays_whole(
    small_disk: Path, paper: Paper, tmp_path: Path
) -> None:
    settings = MirrorSettings(name="disk", kind="folder", target=str(small_disk / "mirror"))
    place = Place(settings, tmp_path, tmp_path / "work", small_disk / "mirror")
    push(place, paper, tmp_path / "noted.sqlite3")
    old = whole(paper.reader(paper.folder, tmp_path / "ours"))
    paper.publish({f"/media/{n}.jpg": os.urandom(50_000) for n in range(20)})
    with pytest.raises(FullError):
        push(place, paper, tmp_path / "noted.sqlite3")
    assert whole(paper.reader(small_disk / "mirror", tmp_path / "reader")) == old
    paper.publish({f"/media/{n}.jpg": None for n in range(20)})
    paper.publish({"/en/": page("Smaller again")})
    for n in range(4):
        paper.publish({"/en/": page(f"Smaller {n}")})
        with contextlib.suppress(FullError):
            push(place, paper, tmp_path / "noted.sqlite3")
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    push(place, paper, tmp_path / "noted.sqlite3")
    assert whole(paper.reader(small_disk / "mirror", tmp_path / "reader")) == whole(
        paper.reader(paper.folder, tmp_path / "ours")
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["folder", "s3", "rsync"])
@pytest.mark.parametrize("shift", [-400, 400], ids=["a year behind", "a year ahead"])
def test_a_mirror_whose_clock_is_wrong_serves_as_any_other(
    kind: str, shift: int, request: pytest.FixtureRequest, paper: Paper, tmp_path: Path
) -> None:
    (tmp_path / "secrets").mkdir(mode=0o700)
    place = make_place(request, kind, tmp_path, tmp_path / "secrets")
    noted = tmp_path / "noted.sqlite3"
    push(place, paper, noted)
    assert place.folder is not None
    then = time.time() + shift * 86_400
    for path in place.folder.rglob("*"):
        os.utime(path, (then, then))  # What a mirror with a wrong clock says of its files.
    paper.publish({"/en/7/": page("Seven, corrected")})
    push(place, paper, noted)
    assert whole(paper.reader(place.folder, tmp_path / "reader")) == whole(
        paper.reader(paper.folder, tmp_path / "ours")
    )


class Line:
    """A line to a server that is cut after so many bytes, in each connection."""

    def __init__(self, port: int, cut_after: int) -> None:
        self._to = port
        self._cut = cut_after
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                ours, _ = self._server.accept()
                theirs = socket.create_connection(("127.0.0.1", self._to))
                for one, other, cut in ((ours, theirs, self._cut), (theirs, ours, 1 << 40)):
                    threading.Thread(target=_pump, args=(one, other, cut), daemon=True).start()

    def close(self) -> None:
        self._server.close()
        self._thread.join(1)


def _pump(one: socket.socket, other: socket.socket, cut: int) -> None:
    with contextlib.suppress(OSError):
        while data := one.recv(4096):
            cut -= len(data)
            if cut <= 0:
                break
            other.sendall(data)
    for end in (one, other):
        with contextlib.suppress(OSError):
            end.shutdown(2)
            end.close()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["s3", "rsync"])
def test_a_line_that_is_cut_in_the_middle_of_an_object_leaves_no_half_of_it(
    kind: str, request: pytest.FixtureRequest, paper: Paper, tmp_path: Path
) -> None:
    (tmp_path / "secrets").mkdir(mode=0o700)
    place = make_place(request, kind, tmp_path, tmp_path / "secrets")
    port = place.settings.port
    if kind == "s3":
        port = int(place.settings.endpoint.rpartition(":")[2])
    line = Line(port, 100_000)
    changes = {"port": line.port, "host_key": place.settings.host_key}
    if kind == "s3":
        changes = {"endpoint": f"http://127.0.0.1:{line.port}"}
    fields = {name: getattr(place.settings, name) for name in MirrorSettings.__struct_fields__}
    cut = MirrorSettings(**{**fields, **changes})
    big = os.urandom(900_000)
    with (
        contextlib.closing(kinds.open_target(cut, place.secrets, place.work)) as target,
        pytest.raises(UnreachableError),
    ):
        target.put([Outgoing("objects/aa/aa11", big, len(big))])
    line.close()
    assert place.folder is not None
    assert not (place.folder / "objects/aa/aa11").exists()
    with contextlib.closing(place.open()) as target:
        target.put([Outgoing("objects/aa/aa11", big, len(big))])
        assert target.read("objects/aa/aa11", len(big)) == big
