# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sends issues: to each reader once, whatever is killed meanwhile.

::

    start.start ──> starting ── start.gather ──> sending ── worker ──> sent
                                                   │  ↑
                                        actions.pause  actions.resume

``ledger`` has the rows (``Delivery``): queued → sending → sent | refused | deferred | unknown.
``worker`` claims a window of them, ``press`` makes the mails, a relay takes them, the answers are
kept with the next claim. ``senders`` and ``journal`` settle what a worker left that is gone,
``unknown`` what nobody can know; ``standing`` says how far it is.
"""
