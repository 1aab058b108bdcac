# SPDX-License-Identifier: AGPL-3.0-or-later
"""How far long work is: a line that is drawn over on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType


class Progress:
    """Call it with (done, of); ``of`` 0 is not known. Writes to standard error."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.terminal = sys.stderr.isatty()
        self._next = time.monotonic() + (0.1 if self.terminal else 5.0)
        self._drawn = False

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._drawn and self.terminal:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()

    def __call__(self, done: int, of: int) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + (0.1 if self.terminal else 5.0)
        self._drawn = True
        share = f" of {of:,} ({done * 100 // of} %)" if of else ""
        line = f"{self.what}: {done:,}{share}"
        sys.stderr.write(f"\r\033[K{line}" if self.terminal else f"{line}\n")
        sys.stderr.flush()
