# SPDX-License-Identifier: AGPL-3.0-or-later
"""Everything that changes an account outside Wagtail's own user pages.

What always holds: no password is ever chosen here for a real person: they get a link that works
once, for ``PASSWORD_RESET_TIMEOUT`` seconds, and choose it themselves.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.models import Group
from django.contrib.auth.tokens import default_token_generator
from django.db import transaction
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from wagtail.log_actions import log

from tamizdat.desk.staff.models import User


@transaction.atomic
def create_account(
    *,
    acting_user: User | None,
    username: str,
    groups: Sequence[Group] = (),
    email: str = "",
    name: str = "",
    password: str | None = None,
    superuser: bool = False,
) -> User:
    """Make an account in these groups; one with this name that exists is left as it is.

    Without a password nobody can log in to it before they used their ``invitation``.
    """
    existing = User.objects.filter(username=username).first()
    if existing is not None:
        return existing
    first, _, last = name.partition(" ")
    user = User.objects.create_user(
        username=username, email=email, password=password, first_name=first, last_name=last
    )
    user.is_superuser = user.is_staff = superuser
    user.save(update_fields=["is_superuser", "is_staff"])
    user.groups.set(groups)
    log(user, "wagtail.create", user=acting_user)
    return user


def invitation(*, user: User) -> str:
    """The path of a link with which a person chooses their password, once.

    It stops working when it was used, when they logged in, or after its time.
    """
    return reverse(
        "wagtailadmin_password_reset_confirm",
        kwargs={
            "uidb64": urlsafe_base64_encode(force_bytes(user.pk)),
            "token": default_token_generator.make_token(user),
        },
    )
