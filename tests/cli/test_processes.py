# SPDX-License-Identifier: AGPL-3.0-or-later
"""Desk, worker and paper run as one: they start, are looked after, and end together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tamizdat.cli.processes import Child, ProcessError, Supervisor, free_port

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]


def eventually(is_so: Callable[[], bool], seconds: float = 30.0) -> bool:
    """Whether it becomes so within this time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if is_so():
            return True
        time.sleep(0.05)
    return is_so()


def lives(pid: int) -> bool:
    """Whether a process runs (one that ended and was not waited for does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def said() -> list[str]:
    return []


def test_children_start_and_end_together(tmp_path: Path, said: list[str]) -> None:
    children = [Child("one", SLEEPER), Child("other", SLEEPER)]
    with Supervisor(children, say=said.append, log_folder=tmp_path) as supervisor:
        supervisor.start()
        supervisor.wait_until_ready()
        pids = [child.process.pid for child in children if child.process]
        assert all(map(lives, pids))
    assert not any(map(lives, pids))
    assert said == []


def test_one_that_ends_is_started_again_and_it_is_said(tmp_path: Path, said: list[str]) -> None:
    once = tmp_path / "ended-once"
    code = (
        f"import pathlib, sys, time; mark = pathlib.Path({str(once)!r})\n"
        "if not mark.exists(): mark.touch(); print('out of paper'); sys.exit(3)\n"
        "time.sleep(60)"
    )
    child = Child("press", [sys.executable, "-c", code])
    with Supervisor([child], say=said.append, log_folder=tmp_path) as supervisor:
        supervisor.start()
        first = child.process
        watching = threading.Thread(target=supervisor.watch)
        watching.start()
        assert eventually(lambda: child.process is not first)
        supervisor.ask_to_stop()
        watching.join(60)
    assert "press ended (code 3)" in said[0]
    assert "out of paper" in said[0]


def test_one_that_cannot_start_is_named_with_its_last_words(tmp_path: Path) -> None:
    child = Child(
        "desk", [sys.executable, "-c", "print('no database'); raise SystemExit(1)"],
        address=("127.0.0.1", free_port("127.0.0.1", 18700)),
    )  # fmt: skip
    with Supervisor([child], say=print, log_folder=tmp_path) as supervisor:
        supervisor.start()
        with pytest.raises(ProcessError, match=r"desk ended at once.*no database"):
            supervisor.wait_until_ready()


def test_a_taken_port_is_passed_over() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port("127.0.0.1", port) > port
        assert free_port("127.0.0.1", port, taken=[port + 1]) > port + 1


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A supervisor in a process of its own, and its child's process id."""
    child = "from tamizdat.cli.processes import follow_supervisor as f; f(); import time; print(1, flush=True); time.sleep(60)"  # noqa: E501
    code = f"""
import sys
from pathlib import Path
from tamizdat.cli.processes import Child, Supervisor
child = Child("child", [sys.executable, "-c", {child!r}])
with Supervisor([child], say=print, log_folder=Path({str(tmp_path)!r})) as supervisor:
    supervisor.start()
    while not Path({str(tmp_path / "child.log")!r}).read_text(): pass
    print(child.process.pid, flush=True)
    supervisor.watch()
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        yield process, int(process.stdout.readline())
        process.kill()
        process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_all(
    supervised: tuple[subprocess.Popen[str], int], number: signal.Signals
) -> None:
    process, child = supervised
    process.send_signal(number)
    assert process.wait(30) == 0
    assert not lives(child)


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux's")
def test_no_child_outlives_a_killed_supervisor(
    supervised: tuple[subprocess.Popen[str], int],
) -> None:
    process, child = supervised
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)
    assert eventually(lambda: not lives(child))
