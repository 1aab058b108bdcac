# SPDX-License-Identifier: AGPL-3.0-or-later
"""Subscribers of no cohort fall to one by lot.

What always holds:

- A reader keeps a cohort, whichever newsletter it was drawn for; it goes with the address.
- The lot is the reader's number, which was drawn at random: it says nothing of the person, and
  nobody's address is opened for it.
- Only cohorts that have entries, and are open to the lot (``drawn``), are drawn.
- A draw looks at the readers of its subscriptions and at no others: what it costs does not grow
  with the number of readers.

What is not done here: what a cohort is told (``newsletter.content``), putting readers into one by
hand (``transfer.importing``).
"""

from __future__ import annotations

from django.conf import settings
from django.db import connection

_DRAW = """
UPDATE readers_reader SET cohort = CASE id %% %s {cases} END
WHERE cohort = '' AND erased IS NULL AND id {among}
  SELECT reader_id FROM newsletter_subscription
  WHERE newsletter_id = %s AND state = 'active' AND id > %s AND id <= %s{end}
"""
# PostgreSQL would rather look at all readers who have no cohort, for each piece of the audience.
_AMONG = {
    "postgresql": {"among": "= ANY (ARRAY(", "end": "))"},
    "sqlite": {"among": "IN (", "end": ")"},
}


def draw(newsletter: int, after: int, upto: int) -> int:
    """For the readers of these subscriptions; how many had none. Call it in a transaction."""
    names = settings.NEWSROOM.settings.drawn
    if not names:
        return 0
    cases = " ".join(["WHEN %s THEN %s"] * len(names))
    numbered = [value for pair in enumerate(names) for value in pair]
    with connection.cursor() as cursor:
        draw_them = _DRAW.format(cases=cases, **_AMONG[connection.vendor])
        cursor.execute(draw_them, [len(names), *numbered, newsletter, after, upto])
        return max(cursor.rowcount, 0)
