# SPDX-License-Identifier: AGPL-3.0-or-later
"""What every test may count on."""

from __future__ import annotations

import os

# Without Django installed (the core's own environment) this names nothing and harms nothing.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tamizdat.desk.settings.checks")
