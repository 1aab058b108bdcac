# SPDX-License-Identifier: AGPL-3.0-or-later
"""What django-allauth asks of us: it keeps second factors and does their arithmetic, nothing else.

What always holds: its pages are not mounted, it sends no mail and says nothing by itself; the
secrets that it stores are sealed with ``secrets/factor-key``, so the database alone opens nothing.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return ""

    def send_mail(self, *args: Any, **kwargs: Any) -> None:
        """None is sent."""

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:
        """None is sent."""

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Our own pages say what happened."""


class FactorAdapter(DefaultMFAAdapter):
    def get_totp_label(self, user: AbstractBaseUser) -> str:
        return user.get_username()

    def get_totp_issuer(self) -> str:
        return str(settings.WAGTAIL_SITE_NAME)

    def encrypt(self, text: str) -> str:
        return _fernet().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _fernet().decrypt(encrypted_text.encode()).decode()

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        host = context.request.get_host()
        return {"id": host.rpartition(":")[0] or host, "name": str(settings.WAGTAIL_SITE_NAME)}

    def get_public_key_credential_user_entity(self, user: AbstractBaseUser) -> dict[str, Any]:
        entity: dict[str, Any] = super().get_public_key_credential_user_entity(user)
        name = user.get_username()
        return {**entity, "name": name, "display_name": name}


def _fernet() -> Fernet:
    secret = settings.NEWSROOM.secret("factor-key", create=True)
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(secret.encode()).digest()))
