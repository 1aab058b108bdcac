# SPDX-License-Identifier: AGPL-3.0-or-later
"""A Stripe of our own: what its API, Checkout and webhooks do, as far as Tamizdat meets them.

Ours, not Stripe's: written from its public reference (API 2026-10-28.endive), never compared with
the real one in these tests; ``tests/giving/test_real_account.py`` does that where somebody has a
test account.
"""
