# SPDX-License-Identifier: AGPL-3.0-or-later
"""Measurements, each beside its peer in one run. See docs/bench.md."""
