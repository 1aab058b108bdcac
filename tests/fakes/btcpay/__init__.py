# SPDX-License-Identifier: AGPL-3.0-or-later
"""A BTCPay Server of our own: the part of its Greenfield API that Tamizdat meets.

Ours, not BTCPay's: written from its public reference, never compared with a real one here.
"""
