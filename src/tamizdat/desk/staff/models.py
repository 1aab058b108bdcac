# SPDX-License-Identifier: AGPL-3.0-or-later
"""Accounts of the staff. Readers never have one."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser


# The ignored error is of relations that Wagtail and modelcluster give managers of their own.
class User(AbstractUser):  # type: ignore[django-manager-missing]
    """Somebody who works at the desk. What the account is called never leaves the desk."""
