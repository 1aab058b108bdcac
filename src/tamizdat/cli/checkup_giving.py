# SPDX-License-Identifier: AGPL-3.0-or-later
"""What ``tamizdat doctor`` says of payment providers. Django must be set up."""

from __future__ import annotations

from collections.abc import Iterator

from tamizdat.cli.checkup import Finding, fine, problem, warning
from tamizdat.config import ConfigError, Newsroom
from tamizdat.desk.contributions import alarm, providers
from tamizdat.giving.errors import ProviderError

SEE = "See docs/operating/giving.md."


def giving(newsroom: Newsroom) -> Iterator[Finding]:
    """How each provider stands, and what it says of our account itself. Says nothing where the
    newsroom has none."""
    if not newsroom.settings.giving.providers:
        return
    if not newsroom.settings.letterboxes:
        yield problem("giving", "there are providers and no letterbox: nobody can give", SEE)
    for box in alarm.standing():
        if box.bad:
            yield problem("giving", f"{box.name}: {box.words}", SEE)
        else:
            yield fine("giving", f"{box.name}: {box.words}")
        yield from _account(box.name)


def _account(name: str) -> Iterator[Finding]:
    """What the provider itself says."""
    try:
        wrong = providers.of(name).check()
    except (ConfigError, ProviderError) as error:
        yield problem("giving", f"{name} cannot be used: {error}", SEE)
        return
    for said in wrong:
        yield warning("giving", f"{name}: {said}", SEE)
