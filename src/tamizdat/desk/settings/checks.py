# SPDX-License-Identifier: AGPL-3.0-or-later
"""Django's settings for tests and type checks: a newsroom in a temporary folder.

``TAMIZDAT_TEST_DATABASE=postgresql://…`` runs the same tests on PostgreSQL.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_folder = Path(tempfile.mkdtemp(prefix="tamizdat-checks-"))
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
(_folder / "tamizdat.toml").write_text(
    'name = "The Meridian"\n'
    'address = "https://meridian.example"\n'
    'languages = ["en", "ru", "ar"]\n'
    'timezone = "Europe/Berlin"\n'
    f'database = "{os.environ.get("TAMIZDAT_TEST_DATABASE", "sqlite")}"\n'
    '[desk]\nsecond_factor = "optional"\n'
)
os.environ["TAMIZDAT_DIR"] = str(_folder)

from tamizdat.config import Newsroom  # noqa: E402

Newsroom(_folder).secret("desk-key", create=True)

from tamizdat.desk.settings.newsroom import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
WHITENOISE_AUTOREFRESH = True
