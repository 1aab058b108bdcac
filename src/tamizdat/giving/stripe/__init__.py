# SPDX-License-Identifier: AGPL-3.0-or-later
"""Stripe: cards and what else its Checkout takes, once, monthly and annually.

The only package that imports Stripe's library. See ``docs/operating/giving.md``.
"""
