# SPDX-License-Identifier: AGPL-3.0-or-later
"""Gifts, payments, refunds with four eyes, disputes, wishes that a provider refused, standing."""
