# SPDX-License-Identifier: AGPL-3.0-or-later
"""Django's ``SESSION_ENGINE``: sessions that their owner can see and end.

What always holds: the database knows the SHA-256 of a session's key and not the key; a session of
somebody signed in carries whose it is, the device in words, the days of log-in and of last use.
"""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

from tamizdat.desk.staff.models import Session

DEVICE, OPENED, USED = "device", "opened", "used"


def hashed(key: str | None) -> str:
    """What the database calls the session with this key."""
    return hashlib.sha256((key or "").encode()).hexdigest()


class SessionStore(DatabaseStore):
    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def _get_session_from_db(self) -> Session | None:
        found = Session.objects.filter(
            session_key=hashed(self.session_key), expire_date__gt=timezone.now()
        ).first()
        if found is None:
            self._session_key = None
        return found

    def exists(self, session_key: str) -> bool:
        return Session.objects.filter(session_key=hashed(session_key)).exists()

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        return Session(
            session_key=hashed(self._get_or_create_session_key()),  # type: ignore[attr-defined]
            session_data=self.encode(data),
            expire_date=self.get_expiry_date(),
            user_id=data.get("_auth_user_id"),
            device=data.get(DEVICE, ""),
            opened=_day(data.get(OPENED)),
            used=_day(data.get(USED)),
        )

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            Session.objects.filter(session_key=hashed(key)).delete()


def _day(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None
