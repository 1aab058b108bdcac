# SPDX-License-Identifier: AGPL-3.0-or-later
"""Readers' data is for the readers' desk and for nobody else."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser, Group, Permission

from tamizdat.desk.staff.models import User
from tamizdat.desk.staff.roles import READERS_APPS, READERS_DESK, ROLES, sees_readers


@pytest.mark.django_db
def test_no_other_role_has_a_right_to_what_readers_sent() -> None:
    of_readers = Permission.objects.filter(content_type__app_label__in=READERS_APPS)
    for role in ROLES:
        group = Group.objects.get(name=role)
        has = group.permissions.filter(pk__in=of_readers)
        assert set(has) == (set(of_readers) if role == READERS_DESK else set()), role


@pytest.mark.django_db
def test_the_readers_desk_writes_no_articles_and_makes_no_issues() -> None:
    has = Group.objects.get(name=READERS_DESK).permissions
    others = has.exclude(content_type__app_label__in=("wagtailadmin", *READERS_APPS))
    assert set(others.values_list("content_type__app_label", "codename")) == {
        ("newsletter", "view_subscription"),
        ("outgoing", "view_mail"),
        ("outgoing", "view_suppression"),
        ("outgoing", "change_suppression"),
    }
    theirs = Permission.objects.filter(pk__in=others.values("pk"))
    for role in set(ROLES) - {READERS_DESK}:
        assert not Group.objects.get(name=role).permissions.filter(pk__in=theirs).exists(), role


@pytest.mark.django_db
def test_a_superuser_sees_readers_only_in_the_role() -> None:
    chief = User.objects.create_superuser("chief", password="correct horse battery")
    assert not sees_readers(chief)
    chief.groups.add(Group.objects.get(name=READERS_DESK))
    assert sees_readers(chief)


@pytest.mark.django_db
def test_who_left_sees_nothing() -> None:
    gone = User.objects.create_user("gone", password="correct horse battery", is_active=False)
    gone.groups.add(Group.objects.get(name=READERS_DESK))
    assert not sees_readers(gone)
    assert not sees_readers(AnonymousUser())
