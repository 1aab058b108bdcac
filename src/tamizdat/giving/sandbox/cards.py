# SPDX-License-Identifier: AGPL-3.0-or-later
"""The sandbox's cards: each does one thing, and its name says which."""

from __future__ import annotations

from typing import Final, NamedTuple


class Card(NamedTuple):
    """``cause``: why the first payment fails, empty where it does not; ``renews``: the same of
    later ones; ``slow``: the payment is under way for two days, then ``settles`` or fails;
    ``disputed``: its bank takes the payment back a day later, and ``wins`` or loses; ``abroad``: it
    is of the first country that is refused."""

    cause: str = ""
    renews: str = ""
    slow: bool = False
    settles: bool = True
    disputed: bool = False
    wins: bool = False
    abroad: bool = False


REFUSED: Final = "country_refused"
CARDS: Final[dict[str, Card]] = {
    "good": Card(),
    "declined": Card(cause="card_declined"),
    "no-money": Card(cause="insufficient_funds"),
    "expired": Card(cause="expired_card"),
    "renewal-fails": Card(renews="insufficient_funds"),
    "slow": Card(slow=True),
    "slow-fails": Card(slow=True, settles=False),
    "disputed": Card(disputed=True),
    "disputed-won": Card(disputed=True, wins=True),
    "abroad": Card(abroad=True),
}
