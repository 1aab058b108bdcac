# SPDX-License-Identifier: AGPL-3.0-or-later
"""BTCPay Server: bitcoin to the newsroom's own wallet, by its Greenfield API. Single gifts alone.

See ``docs/operating/giving.md``.
"""
