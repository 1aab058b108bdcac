# SPDX-License-Identifier: AGPL-3.0-or-later
"""The demo's payment provider. No money moves, and it refuses to work off this machine.

::

    app, api, delivery     it answers givers (a page), letterboxes and desks (JSON), sends webhooks
    pages, words           its page, marked so that nobody takes it for a real one
    bank, schedule, cards  what happens: checkouts, payments, renewals, refunds, disputes, payouts
    store                  one SQLite file, and a clock that can be moved
    client, till, provider the adapter, as every provider has one
"""
