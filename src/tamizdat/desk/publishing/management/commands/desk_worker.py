# SPDX-License-Identifier: AGPL-3.0-or-later
from __future__ import annotations

import signal
from typing import Any

from django.core.management.base import BaseCommand

from tamizdat.desk.publishing import services, worker


class Command(BaseCommand):
    help = "Build what is published, keep the schedule, run the desk's other tasks."

    def handle(self, *args: Any, **options: Any) -> None:
        worker.run(services.edition(), self._started)
        self.stdout.write("The worker has stopped.")

    def _started(self, running: worker.Worker) -> None:
        signal.signal(signal.SIGTERM, lambda *_: running.stop())
        signal.signal(signal.SIGINT, lambda *_: running.stop())
        self.stdout.write(f"The worker {running.name} is ready.")
        self.stdout.flush()
