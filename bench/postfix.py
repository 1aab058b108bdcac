# SPDX-License-Identifier: AGPL-3.0-or-later
"""A Postfix of one's own: its settings, queue and log in a folder, on a port of this machine.

::

    with Instance(["myhostname = mx.paper.example"]) as postfix:
        …  # 127.0.0.1, postfix.port; postfix.log

What always holds: nothing of the machine's own Postfix is changed, and none of it need run; what
was started ends with the ``with``. It needs Debian's ``postfix`` and root,
since Postfix itself starts as root.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

PROGRAM = shutil.which("postfix", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
PATIENCE = 60.0
_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = {programs}
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
alias_maps =
alias_database =
"""
_MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class PostfixError(Exception):
    """It cannot be started; the message says why."""


def missing() -> str:
    """Why there can be none on this machine; empty where there can."""
    if PROGRAM is None:
        return "Postfix is not installed: apt-get install postfix"
    return "" if os.geteuid() == 0 else "Postfix starts as root only"


class Instance:
    """``with`` it. ``lines`` are those of ``main.cf`` that differ from what Postfix does by itself;
    ``parent`` is a folder on the disk that its queue is to lie on."""

    def __init__(self, lines: Iterable[str], *, parent: Path | None = None) -> None:
        if why := missing():
            raise PostfixError(why)
        self.folder = Path(tempfile.mkdtemp(prefix="postfix-", dir=parent))
        self.log = self.folder / "mail.log"
        self.port = _free_port()
        self._lines = list(lines)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Instance:
        try:
            self._write()
            self._start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end()

    def _write(self) -> None:
        self.folder.chmod(0o755)  # Its processes run as another user.
        for name in ("settings", "queue", "data"):
            (self.folder / name).mkdir(mode=0o755)
        shutil.chown(self.folder / "data", "postfix")
        programs = Path(str(PROGRAM)).parent
        main = _MAIN.format(folder=self.folder, programs=programs, daemons=_daemons(programs))
        settings = self.folder / "settings"
        (settings / "main.cf").write_text(main + "\n".join(self._lines) + "\n")
        (settings / "master.cf").write_text(_MASTER.format(port=self.port))

    def _start(self) -> None:
        command = [str(PROGRAM), "-c", str(self.folder / "settings"), "start-fg"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self._process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 5) as tried:
                    if tried.recv(4) == b"220 ":
                        return
            except OSError:
                pass
            time.sleep(0.05)
        said = self.log.read_text(errors="replace") if self.log.exists() else ""
        raise PostfixError(f"Postfix does not answer. Its log: {said[-2000:] or 'empty'}")

    def _end(self) -> None:
        if self._process is not None:
            self._ask_to_end()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _ask_to_end(self) -> None:
        """The master, which a shell of Postfix's waits for: it ends all others, then the shell."""
        try:
            master = int((self.folder / "queue" / "pid" / "master.pid").read_text())
            os.kill(master, signal.SIGTERM)
        except (FileNotFoundError, ValueError, ProcessLookupError):
            if self._process is not None:
                self._process.terminate()

    def waiting(self) -> int:
        """Mails that it took and has not passed on."""
        queue = self.folder / "queue"
        folders = (queue / name for name in ("incoming", "active", "deferred", "maildrop"))
        return sum(len(files) for folder in folders for _, _, files in os.walk(folder))


def _daemons(programs: Path) -> str:
    command = [str(programs / "postconf"), "-d", "-h", "daemon_directory"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
