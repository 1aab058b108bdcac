# SPDX-License-Identifier: AGPL-3.0-or-later
"""Tamizdat: a newspaper is a signed folder."""

__version__ = "0.1.0"
