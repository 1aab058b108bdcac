# SPDX-License-Identifier: AGPL-3.0-or-later
"""Ports for servers that are told which one to take, and begin to listen a moment later.

What always holds: no two tests of this machine get the same port while both run, and the kernel
gives it to nobody else meanwhile, as it does with one that was free a moment ago: what it chooses
by itself, for listeners and for connections, lies above ``FIRST_OF_THE_KERNEL``.
"""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from functools import cache
from pathlib import Path

FIRST = 20_000
FIRST_OF_THE_KERNEL = 32_768
_ours: set[int] = set()


def free_port() -> int:
    """One that this process alone may use until it ends."""
    for _ in range(10_000):
        port = random.randrange(FIRST, FIRST_OF_THE_KERNEL)
        if port not in _ours and _claim(port):
            _ours.add(port)
            if _nobody_listens(port):
                return port
    raise AssertionError(f"no free port from {FIRST} to {FIRST_OF_THE_KERNEL - 1}")


def _claim(port: int) -> bool:
    """Lock the byte of this number in a file of all tests: the kernel frees it when we end."""
    try:
        fcntl.lockf(_claims(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    return True


@cache
def _claims() -> int:
    file = Path(tempfile.gettempdir()) / f"tamizdat-test-ports-{os.getuid()}"
    return os.open(file, os.O_RDWR | os.O_CREAT, 0o600)


def _nobody_listens(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
