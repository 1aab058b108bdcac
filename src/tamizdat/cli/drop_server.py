# SPDX-License-Identifier: AGPL-3.0-or-later
"""The drop's server, by granian.

What always holds: no access log; HTTP/1.1 alone, with small buffers and short patience; memory
that is given back is overwritten at once by whoever manages it (Python's through the C library,
the C library's own, granian's), so that words that were sealed do not stay behind.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from tamizdat.cli.processes import die_with_parent, follow_supervisor
from tamizdat.drop.settings import DropFolder
from tamizdat.drop.spool import require_free

FOLDER = "TAMIZDAT_DROP"
# Read by a process when it starts: by Python, by glibc, and by jemalloc in granian.
# Where the C library is another one, its part has no effect (docs/threat-model.md).
WIPING = {
    "TAMIZDAT_DROP_WIPES": "1",
    "PYTHONMALLOC": "malloc",
    "GLIBC_TUNABLES": "glibc.malloc.perturb=85:glibc.malloc.tcache_count=0",
    "_RJEM_MALLOC_CONF": "junk:free",
}
_MOST_CONNECTIONS = 512


def drop_application() -> Callable[..., Any]:
    """Made in granian's own worker process: the drop as an ASGI application."""
    die_with_parent()
    from tamizdat.drop.app import make_app

    application: Callable[..., Any] = make_app(Path(os.environ[FOLDER]))
    return application


def serve_drop(drop: DropFolder, *, host: str, port: int) -> None:
    """Serve a drop until a signal ends it. Raises ``DropSettingsError`` where it is served."""
    _wipe(drop, host, port)
    os.environ[FOLDER] = str(drop.folder)
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    follow_supervisor()
    require_free(drop.spool)
    Granian(
        "drop",
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        log_access=False,
        log_level=LogLevels.warning,
        backpressure=_MOST_CONNECTIONS,
        http1_settings=HTTP1Settings(header_read_timeout=15_000, max_buffer_size=65_536),
        respawn_failed_workers=True,
    ).serve(target_loader=drop_application, wrap_loader=False)


def _wipe(drop: DropFolder, host: str, port: int) -> None:
    """Become a process whose memory is overwritten when it is given back."""
    if "TAMIZDAT_DROP_WIPES" in os.environ:
        return
    # -P: whatever lies in the present folder is not ours to run.
    program = [sys.executable, "-P", "-m", "tamizdat", "drop", "serve", str(drop.folder)]
    arguments = [*program, "--host", host, "--port", str(port)]
    os.execve(sys.executable, arguments, {**os.environ, **WIPING})  # noqa: S606 - ourselves
