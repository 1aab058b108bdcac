# SPDX-License-Identifier: AGPL-3.0-or-later
"""The two servers of a newsroom, by granian: the desk (WSGI) and the paper (ASGI).

What always holds: no access log is written, so nobody's address is kept; both processes of a
server end with their supervisor. Applications are given as functions of ours and not by name:
granian would look names up in the present folder first, and run whatever lies there.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from tamizdat.cli.common import SETTINGS, start_django
from tamizdat.cli.processes import die_with_parent, follow_supervisor
from tamizdat.config import Newsroom

EDITION = "TAMIZDAT_EDITION"
COHORT = "TAMIZDAT_COHORT"


def desk_application() -> Callable[..., Any]:
    """Made in granian's own worker process: the desk as a WSGI application."""
    die_with_parent()
    os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
    from tamizdat.desk.wsgi import application

    return application


def paper_application() -> Callable[..., Any]:
    """Made in granian's own worker process: the paper as an ASGI application."""
    die_with_parent()
    from tamizdat.edition.serve import make_app
    from tamizdat.edition.signed import cohorts

    cohort = cohorts.of(os.environ.get(COHORT, ""))
    application: Callable[..., Any] = make_app(Path(os.environ[EDITION]), cohort)
    return application


def serve_desk(newsroom: Newsroom, *, host: str, port: int, threads: int = 4) -> None:
    """Serve the desk until a signal ends it."""
    start_django(newsroom.folder)
    from tamizdat.desk.system_checks import refuse

    refuse()
    follow_supervisor()
    Granian(
        "desk",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        blocking_threads=threads,
        log_access=False,
        log_level=LogLevels.warning,
    ).serve(target_loader=desk_application, wrap_loader=False)


def serve_paper(edition: Path, *, host: str, port: int, cohort: str = "") -> None:
    """Serve a built paper until a signal ends it; ``cohort`` is what its readers carry."""
    os.environ[EDITION] = str(edition.resolve())
    os.environ[COHORT] = cohort
    follow_supervisor()
    Granian(
        "paper",
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        log_access=False,
        log_level=LogLevels.warning,
    ).serve(target_loader=paper_application, wrap_loader=False)
