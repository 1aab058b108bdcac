# SPDX-License-Identifier: AGPL-3.0-or-later
"""How mirrors stand, in words for editors and operators. ``when`` turns seconds since 1970 into
the time of day that they read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tamizdat.mirrors.state import Look, Standing

When = Callable[[float], str]
MANY = 3  # troubles named one by one; more are counted


def summary(standings: Sequence[Standing], edition: int, when: When, *, verb: str = "Live") -> str:
    """“Live on 3 of 4 mirrors; oslo since 14:02: refused.” Empty where there are no mirrors."""
    if not standings:
        return ""
    live = [s for s in standings if s.is_live(edition)]
    if len(live) == len(standings):
        return f"{verb} on the mirror." if len(live) == 1 else f"{verb} on all {len(live)} mirrors."
    troubled = [s for s in standings if s.trouble]
    coming = len(standings) - len(live) - len(troubled)
    parts = [f"{verb} on {len(live)} of {len(standings)} mirrors"]
    if coming:
        parts.append(f"on its way to {coming}")
    parts += [f"{s.name} since {when(s.troubled_since or 0)}: {s.trouble}" for s in troubled[:MANY]]
    if len(troubled) > MANY:
        parts.append(f"{len(troubled) - MANY} more in trouble")
    return "; ".join(parts) + "."


def detail(standing: Standing, edition: int, when: When) -> str:
    """What there is to know of one mirror, in a few sentences."""
    has = "Nothing is there yet."
    if standing.edition is not None:
        has = f"Edition {standing.edition} since {when(standing.since or 0)}."
    if standing.error:
        said = standing.error[:1].upper() + standing.error[1:]
        again = f" Next try at {when(standing.next_try)}." if standing.next_try else ""
        return f"{has} Since {when(standing.failed_since or 0)}: {said.rstrip('.')}.{again}"
    if standing.look and standing.look.error:
        return f"{has} {for_readers(standing.look, when)}"
    if standing.is_live(edition) or standing.edition is None:
        return has
    return f"{has} Edition {edition} is on its way."


def word(standing: Standing, edition: int) -> str:
    """One word, or two."""
    if standing.trouble:
        return standing.trouble
    if standing.edition is None:
        return "waiting"
    return "live" if standing.is_live(edition) else "on its way"


def for_readers(look: Look, when: When) -> str:
    """What a reader finds at a mirror's public address."""
    if look.error:
        said = look.error[:1].upper() + look.error[1:]
        return f"Since {when(look.since or look.checked)}: {said.rstrip('.')}."
    return f"Readers found edition {look.edition} there at {when(look.checked)}."
