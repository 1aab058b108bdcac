# SPDX-License-Identifier: AGPL-3.0-or-later
"""Workers, relays and databases as real processes."""

from __future__ import annotations

from collections.abc import Callable

from tests.desk.newsletter.engine.conftest import Scene

WELL = {"lost": 0, "twice": 0, "strangers": 0, "tallies": True}


def well(found: dict[str, object]) -> dict[str, object]:
    return {key: found[key] for key in WELL}


def test_an_issue_reaches_each_reader_once_over_two_relays(scene: Callable[..., Scene]) -> None:
    one = scene()
    one.sink()
    one.sink()
    one.settle()
    one.run("make", "600")
    one.run("work")
    found = one.report()
    assert well(found) == WELL
    assert (found["states"], found["accepted"], found["issue"]) == ({"sent": 600}, 600, "sent")
    assert min(found["relays"].values()) > 200, "both carry their share"
