# SPDX-License-Identifier: AGPL-3.0-or-later
"""Django's settings of a newsroom: made from its folder (``TAMIZDAT_DIR``) and nothing else."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

from tamizdat.config import ConfigError, Newsroom, Settings
from tamizdat.desk.settings.base import *  # noqa: F403
from tamizdat.desk.settings.base import LANGUAGE_NAMES

NEWSROOM = Newsroom.current()
_settings = NEWSROOM.settings


def _database(settings: Settings) -> dict[str, Any]:
    if settings.database == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": NEWSROOM.database,
            # A connection keeps what it has read: opened anew for each request, an editor's page
            # takes a third longer at 100,000 articles.
            "CONN_MAX_AGE": 60,
            "OPTIONS": {
                "timeout": 30,
                "transaction_mode": "IMMEDIATE",
                "init_command": (
                    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
                    # What is erased is overwritten, not only let go of.
                    "PRAGMA secure_delete=ON; "
                    "PRAGMA cache_size=-65536; PRAGMA mmap_size=268435456"
                ),
            },
        }
    url = urlsplit(settings.database)
    if url.scheme != "postgresql":
        raise ConfigError("database must be sqlite or postgresql://user@host/name")
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": url.path.lstrip("/"),
        "USER": unquote(url.username or ""),
        "HOST": url.hostname or "",
        "PORT": str(url.port or ""),
        "CONN_MAX_AGE": 60,
    }
    if (NEWSROOM.secrets / "database-password").exists():
        database["PASSWORD"] = (NEWSROOM.secrets / "database-password").read_text().strip()
    return database


SECRET_KEY = NEWSROOM.secret("desk-key")
DEBUG = _settings.desk.debug
ALLOWED_HOSTS = list(_settings.desk.hosts)
DATABASES = {"default": _database(_settings)}
TIME_ZONE = _settings.timezone
LANGUAGES = WAGTAIL_CONTENT_LANGUAGES = [
    (code, LANGUAGE_NAMES.get(code, code)) for code in _settings.languages
]
LANGUAGE_CODE = _settings.languages[0]
MEDIA_ROOT = NEWSROOM.media
WAGTAIL_SITE_NAME = _settings.name
WAGTAILADMIN_BASE_URL = (
    f"https://{_settings.desk.hosts[0]}"
    if _settings.desk.https
    else f"http://{_settings.desk.hosts[0]}:{_settings.desk.port}"
)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = _settings.desk.https
if _settings.desk.https:
    # The web server in front of the desk speaks HTTPS and says so; nobody else reaches the desk.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in _settings.desk.hosts]
# How staff get in: desk.staff.access reads these. A web server in front says for whom it asks.
STAFF_SECOND_FACTOR = _settings.desk.second_factor
STAFF_PASSKEYS_ONLY = _settings.desk.passkeys_only
STAFF_BEHIND_PROXY = _settings.desk.https

# Mail of the desk itself (a task waits for you) is kept as files until the newsroom's own mail
# is set up: nothing leaves for anybody else's server.
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = NEWSROOM.run / "mail"
