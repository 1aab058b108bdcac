# SPDX-License-Identifier: AGPL-3.0-or-later
"""The signed edition: what makes of a built paper one that any copy may carry.

The format is in ``docs/format/edition-v1.md``. Nothing here imports Django.
"""
