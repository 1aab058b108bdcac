# SPDX-License-Identifier: AGPL-3.0-or-later
"""Subscribers of no cohort fall to one by lot.

What always holds:

- A reader keeps a cohort, whichever newsletter it was drawn for; it goes with the address.
- The lot is the reader's number, which was drawn at random: it says nothing of the person, and
  nobody's address is opened for it.
- Only cohorts that have entries, and are open to the lot (``drawn``), are drawn.

What is not done here: what a cohort is told (``newsletter.content``), putting readers into one by
hand (``transfer.importing``).
"""

from __future__ import annotations

from django.conf import settings
from django.db import connection

_DRAW = """
UPDATE readers_reader SET cohort = CASE id %% %s {cases} END
WHERE cohort = '' AND erased IS NULL AND id IN (
  SELECT reader_id FROM newsletter_subscription
  WHERE newsletter_id = %s AND state = 'active' AND id > %s AND id <= %s)
"""


def draw(newsletter: int, after: int, upto: int) -> int:
    """For the readers of these subscriptions; how many had none. Call it in a transaction."""
    names = settings.NEWSROOM.settings.drawn
    if not names:
        return 0
    cases = " ".join(["WHEN %s THEN %s"] * len(names))
    numbered = [value for pair in enumerate(names) for value in pair]
    with connection.cursor() as cursor:
        cursor.execute(_DRAW.format(cases=cases), [len(names), *numbered, newsletter, after, upto])
        return max(cursor.rowcount, 0)
