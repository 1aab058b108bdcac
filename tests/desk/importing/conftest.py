# SPDX-License-Identifier: AGPL-3.0-or-later
"""A newsroom's folder and its paper, as for publishing."""

from __future__ import annotations

from tests.desk.publishing.conftest import newsroom_folder, paper

__all__ = ["newsroom_folder", "paper"]
