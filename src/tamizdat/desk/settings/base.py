# SPDX-License-Identifier: AGPL-3.0-or-later
"""Django's settings that do not depend on the newsroom."""

from __future__ import annotations

from typing import Any

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "staff.User"
ROOT_URLCONF = "tamizdat.desk.urls"
WSGI_APPLICATION = "tamizdat.desk.wsgi.application"
USE_TZ = True
USE_I18N = True

INSTALLED_APPS = [
    "tamizdat.desk.staff",
    "tamizdat.desk.audit",
    "tamizdat.desk.newsroom",
    "tamizdat.desk.publishing",
    "tamizdat.desk.readers",
    "tamizdat.desk.letters",
    "tamizdat.desk.outgoing",
    "tamizdat.desk.newsletter",
    "tamizdat.desk.contributions",
    # Second factors. Its pages are not mounted and it sends nothing (desk.staff.access.adapters).
    "allauth.account",
    "allauth.mfa",
    "wagtail.contrib.settings",
    "wagtail.contrib.simple_translation",
    "wagtail.contrib.table_block",
    "wagtail.snippets",
    "wagtail.users",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.sites",
    "wagtail.admin",
    "wagtail",
    "modelcluster",
    "taggit",
    "django_filters",
    "django_tasks_db",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "tamizdat.desk.security.HeadersMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "tamizdat.desk.staff.signed_out.KeepTextMiddleware",
    "tamizdat.desk.staff.boundaries.BoundaryMiddleware",
    "tamizdat.desk.staff.access.gate.GateMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "tamizdat.desk.publishing.middleware.RefusalMiddleware",
]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "wagtail.contrib.settings.context_processors.settings",
            ],
        },
    },
]

AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["default"]}}

# LocaleMiddleware changes the desk's language to each user's; content languages are the paper's.
LANGUAGE_CODE = "en"
STATIC_URL = "/static/"
# Staff see pictures through the desk (desk.newsroom.views); readers get theirs from the paper.
MEDIA_URL = "/desk/newsroom/media/"
X_FRAME_OPTIONS = "SAMEORIGIN"
SECURE_REFERRER_POLICY = "same-origin"
CSRF_FAILURE_VIEW = "tamizdat.desk.staff.signed_out.token_failed"
SESSION_ENGINE = "tamizdat.desk.staff.access.store"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 14 * 24 * 3600
PASSWORD_RESET_TIMEOUT = 3 * 24 * 3600
# Static files are served from where the packages keep them: there is no copy to go stale.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
WHITENOISE_MAX_AGE = 3600

ACCOUNT_ADAPTER = "tamizdat.desk.staff.access.adapters.AccountAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SIGNUP_FIELDS = ["username*"]
ACCOUNT_UNIQUE_EMAIL = False
# Its counters know addresses and say not how long to wait: ours stand in their place.
ACCOUNT_RATE_LIMITS = False
MFA_RATE_LIMITS = False
MFA_ADAPTER = "tamizdat.desk.staff.access.adapters.FactorAdapter"
MFA_SUPPORTED_TYPES = ["webauthn", "totp", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_TOTP_TOLERANCE = 1
MFA_RECOVERY_CODE_DIGITS = 12

WAGTAILADMIN_LOGIN_URL = "/desk/login/"
WAGTAILADMIN_USER_LOGIN_FORM = "tamizdat.desk.staff.access.forms.LoginForm"
LOGIN_URL = WAGTAILADMIN_LOGIN_URL
WAGTAIL_I18N_ENABLED = True
WAGTAILIMAGES_IMAGE_MODEL = "newsroom.Photo"
WAGTAILIMAGES_IMAGE_FORM_BASE = "tamizdat.desk.newsroom.forms.PhotoForm"
WAGTAILIMAGES_EXTENSIONS = ["jpg", "jpeg", "png", "webp", "avif", "gif"]
WAGTAILIMAGES_MAX_UPLOAD_SIZE = 60_000_000
WAGTAILIMAGES_MAX_IMAGE_PIXELS = 120_000_000
WAGTAILDOCS_DOCUMENT_MODEL = "newsroom.Attachment"
WAGTAILDOCS_DOCUMENT_FORM_BASE = "tamizdat.desk.newsroom.forms.AttachmentForm"
WAGTAILDOCS_INLINE_CONTENT_TYPES: list[str] = []
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAIL_ENABLE_WHATS_NEW_BANNER = False
WAGTAIL_GRAVATAR_PROVIDER_URL = None
WAGTAIL_AUTOSAVE_INTERVAL = 2000
# An approval is one person's word on a text; publishing is done in the panel, by who may.
WAGTAIL_FINISH_WORKFLOW_ACTION = "tamizdat.desk.publishing.approval.leave_to_publisher"
WAGTAILSEARCH_BACKENDS = {"default": {"BACKEND": "tamizdat.desk.newsroom.search_backend"}}
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000

LANGUAGE_NAMES = {
    "ar": "العربية",
    "be": "Беларуская",
    "de": "Deutsch",
    "en": "English",
    "es": "Español",
    "fa": "فارسی",
    "fr": "Français",
    "he": "עברית",
    "ka": "ქართული",
    "kk": "Қазақ тілі",
    "ru": "Русский",
    "tr": "Türkçe",
    "uk": "Українська",
}

# To standard error, where the supervisor keeps it. No handler writes who asked: Django's request
# log names the path and the fault, never an address.
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "django": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "django.request": {"handlers": ["stderr"], "level": "ERROR", "propagate": False},
        "tamizdat": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
    },
}
