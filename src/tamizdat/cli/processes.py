# SPDX-License-Identifier: AGPL-3.0-or-later
"""A few processes run as one: started together, watched, ended together.

What always holds:

- No child outlives its supervisor, not even after ``kill -9`` (Linux: ``PR_SET_PDEATHSIG``).
- A child that ends by itself is started again, later each time (1, 2, 4 … 60 s), and it is said.
- SIGINT, SIGTERM and SIGHUP end every child, first politely, after ``GRACE`` seconds by force.

What is not done here: what the children do (``servers``, the desk's worker).
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

GRACE = 10.0
STEADY = 60.0
LONGEST_PAUSE = 60.0
PARENT = "TAMIZDAT_SUPERVISOR"
_PR_SET_PDEATHSIG = 1


class ProcessError(Exception):
    """A process could not be started or did not come up; the message says what to do."""


def die_with_parent() -> None:
    """Ask the kernel to end this process when its parent ends. Nothing where it is not Linux."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def follow_supervisor() -> None:
    """In a child of a ``Supervisor``: end when it ends. Elsewhere nothing."""
    parent = os.environ.get(PARENT)
    if parent is None:
        return
    die_with_parent()
    if os.getppid() != int(parent):  # It ended before we could ask.
        os.kill(os.getpid(), signal.SIGTERM)


def free_port(host: str, wanted: int, taken: Sequence[int] = ()) -> int:
    """The first free port from ``wanted`` on, at most 100 further. Raises ``ProcessError``."""
    for port in range(wanted, min(wanted + 100, 65536)):
        if port not in taken and _can_bind(host, port):
            return port
    raise ProcessError(f"no free port from {wanted} on: name another one with --port")


def _can_bind(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


class Child:
    """One process: its name for people, what to run, and the address it will answer on."""

    def __init__(
        self, name: str, arguments: Sequence[str], *, address: tuple[str, int] | None = None
    ) -> None:
        self.name = name
        self.arguments = list(arguments)
        self.address = address
        self.process: subprocess.Popen[bytes] | None = None
        self.failures = 0
        self.started = 0.0
        self.restart_at: float | None = None

    def answers(self) -> bool:
        """Whether somebody listens on its address (a child without one always does)."""
        if self.address is None:
            return True
        try:
            with socket.create_connection(self.address, timeout=0.5):
                return True
        except OSError:
            return False


class Supervisor:
    """Runs children until it is told to stop.

    ``log_folder`` takes what each child prints (``NAME.log``, newest run only); without it they
    print where we do. ``clock`` is monotonic seconds.
    """

    def __init__(
        self,
        children: Sequence[Child],
        *,
        say: Callable[[str], None],
        log_folder: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.children = list(children)
        self.say = say
        self.log_folder = log_folder
        self.clock = clock
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        self._stopping = False

    def __enter__(self) -> Supervisor:
        self._before: dict[int, object] = {}
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type] # what signal() gave us
        os.close(self._wake_read)
        os.close(self._wake_write)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.ask_to_stop()

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._stopping

    def ask_to_stop(self) -> None:
        """Make ``watch`` and ``wait_until_ready`` return. Safe in a signal handler."""
        self._stopping = True
        os.write(self._wake_write, b"x")

    def start(self) -> None:
        """Start every child."""
        for child in self.children:
            self._start(child)

    def _start(self, child: Child) -> None:
        output = self._log(child)
        try:
            child.process = subprocess.Popen(
                child.arguments,
                stdin=subprocess.DEVNULL,
                stdout=output if output is not None else sys.stderr.fileno(),
                stderr=output if output is not None else sys.stderr.fileno(),
                env={**os.environ, PARENT: str(os.getpid())},
                process_group=0,
            )
        finally:
            if output is not None:
                os.close(output)
        child.started = self.clock()
        child.restart_at = None

    def _log(self, child: Child) -> int | None:
        if self.log_folder is None:
            return None
        self.log_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = os.O_APPEND if child.failures else os.O_TRUNC
        path = self.log_folder / f"{child.name}.log"
        return os.open(path, os.O_WRONLY | os.O_CREAT | mode, 0o600)

    def wait_until_ready(self, timeout: float = 60.0) -> None:
        """Wait until every child answers. Raises ``ProcessError`` when one ends or is too slow."""
        deadline = self.clock() + timeout
        for child in self.children:
            while not self._stopping and not child.answers():
                self._require_running(child)
                if self.clock() > deadline:
                    raise ProcessError(f"the {child.name} does not answer.{self._where(child)}")
                self._pause(0.05)
            self._require_running(child)

    def _require_running(self, child: Child) -> None:
        if child.process is not None and child.process.poll() is not None and not self._stopping:
            code = child.process.returncode
            raise ProcessError(f"the {child.name} ended at once (code {code}).{self._where(child)}")

    def _where(self, child: Child) -> str:
        if self.log_folder is None:
            return " What it said stands above."
        path = self.log_folder / f"{child.name}.log"
        lines = path.read_text(errors="replace").strip().splitlines()
        last = f" Its last words: {lines[-1]}" if lines else ""
        return f"{last} All it said: {path}"

    def watch(self) -> None:
        """Keep every child running until told to stop."""
        while not self._stopping:
            for child in self.children:
                self._look_after(child)
            self._pause(0.5)

    def _look_after(self, child: Child) -> None:
        now = self.clock()
        if child.restart_at is not None:
            if now >= child.restart_at:
                self._start(child)
            return
        if child.process is None or child.process.poll() is None:
            return
        child.failures = 1 if now - child.started > STEADY else child.failures + 1
        pause = min(2.0 ** (child.failures - 1), LONGEST_PAUSE)
        child.restart_at = now + pause
        code = child.process.returncode
        self.say(
            f"The {child.name} ended (code {code}); starting it again in {pause:.0f} s."
            f"{self._where(child)}"
        )

    def _pause(self, seconds: float) -> None:
        select.select([self._wake_read], [], [], seconds)

    def stop(self) -> None:
        """End every child: politely, then by force."""
        running = [c.process for c in self.children if c.process and c.process.poll() is None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + GRACE
        for process in running:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _kill_group(process)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and all it started: it leads a group of its own."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
