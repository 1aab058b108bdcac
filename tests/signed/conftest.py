# SPDX-License-Identifier: AGPL-3.0-or-later
"""Hypothesis without a clock: the machine may be busy with other tests."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("signed", deadline=None)
settings.load_profile("signed")
