# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whether what a provider signed is as old as it says.

A letterbox keeps of the time at which something came no more than the hour. So a signature's time
is right where it lies within that hour, or at most ``TOLERANCE`` seconds beside it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

TOLERANCE: Final = 300  # seconds: what Stripe's own library allows
HOUR: Final = 3_600


def in_its_hour(signed: int, received: datetime, *, late: int = TOLERANCE) -> bool:
    """``signed`` in unix seconds; ``received`` is any time in the hour in which it came; ``late``:
    so many seconds before that hour are still right."""
    hour = int(received.timestamp()) // HOUR * HOUR
    return hour - late <= signed <= hour + HOUR + TOLERANCE
