# SPDX-License-Identifier: AGPL-3.0-or-later
"""What ``tamizdat doctor`` says of the letterboxes. Django must be set up."""

from __future__ import annotations

from collections.abc import Iterator

from tamizdat.cli.checkup import Finding, fine, problem, warning
from tamizdat.config import ConfigError, Newsroom
from tamizdat.desk.letters import standing
from tamizdat.desk.letters.models import Aside
from tamizdat.desk.staff.models import User
from tamizdat.desk.staff.roles import READERS_DESK
from tamizdat.letterbox import collector_key, identities


def drops(newsroom: Newsroom) -> Iterator[Finding]:
    """The keys open, each drop answers, somebody reads what comes."""
    found = standing.of_drops()
    if found is None:
        return
    try:
        identities(newsroom), collector_key(newsroom)
    except ConfigError as error:
        yield problem("drops", str(error), "Until then nothing is collected; the drops keep it.")
        return
    for box in found.boxes:
        if box.bad:
            yield problem("drops", f"{box.name}: {box.words}", "See docs/operating/drop.md.")
        else:
            yield fine("drops", f"{box.name}: {box.words}")
    yield from _aside()
    if not User.objects.filter(is_active=True, groups__name=READERS_DESK).exists():
        yield warning(
            "drops",
            "nobody sees what readers write",
            f"Give somebody the role “{READERS_DESK}” in the desk, under Settings, Users.",
        )


def _aside() -> Iterator[Finding]:
    unreadable = Aside.objects.filter(state=Aside.State.UNREADABLE).count()
    if unreadable:
        yield warning(
            "drops",
            f"{unreadable} submissions could not be read",
            "See Reports, Kept aside, in the desk; then tamizdat drop collect --again or "
            "--discard-unreadable.",
        )
