# SPDX-License-Identifier: AGPL-3.0-or-later
"""Accounts of the staff and the sessions they are signed in with. Readers never have either."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models


# The ignored error is of relations that Wagtail and modelcluster give managers of their own.
class User(AbstractUser):  # type: ignore[django-manager-missing]
    """Somebody who works at the desk. What the account is called never leaves the desk."""


class Session(AbstractBaseSession):
    """A browser at the desk. ``session_key`` is not what the cookie says but its hash: who reads
    the database cannot go on with anybody's session. No address and no user agent is kept."""

    session_key = models.CharField(max_length=64, primary_key=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True)
    device = models.CharField(max_length=60, blank=True)
    opened = models.DateField(null=True)
    used = models.DateField(null=True)

    class Meta:
        verbose_name = "session"
        verbose_name_plural = "sessions"

    @classmethod
    def get_session_store_class(cls) -> type:
        from tamizdat.desk.staff.access.store import SessionStore

        return SessionStore
