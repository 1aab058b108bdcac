# SPDX-License-Identifier: AGPL-3.0-or-later
from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from wagtail.models import Locale, Workflow

from tamizdat.desk.newsroom.models import Article
from tamizdat.desk.staff.models import User
from tamizdat.desk.staff.roles import ROLES, WORKFLOW, ensure_roles

pytestmark = pytest.mark.django_db


def test_a_new_desk_has_the_four_roles_and_the_papers_languages() -> None:
    assert set(Group.objects.values_list("name", flat=True)) >= set(ROLES)
    assert set(Locale.objects.values_list("language_code", flat=True)) >= {"en", "ru", "ar"}


@pytest.mark.parametrize(
    ("role", "may", "may_not"),
    [
        ("reporter", "add_article change_article", "publish_article delete_article"),
        ("editor", "change_article lock_article change_frontpin", "publish_article"),
        ("publisher", "publish_article change_article publish_sitepage", "change_newsroomsettings"),
        ("operator", "publish_article delete_article change_newsroomsettings", ""),
    ],
)
def test_each_role_may_do_its_work_and_no_more(
    role: str, may: str, may_not: str, request: pytest.FixtureRequest
) -> None:
    user: User = request.getfixturevalue(role)
    assert all(user.has_perm(f"newsroom.{right}") for right in may.split())
    assert not any(user.has_perm(f"newsroom.{right}") for right in may_not.split())


def test_only_operators_manage_accounts(operator: User, publisher: User) -> None:
    assert operator.has_perm("staff.add_user")
    assert not publisher.has_perm("staff.add_user")


def test_an_article_goes_through_review(article: Article) -> None:
    workflow = article.get_workflow()
    assert workflow is not None
    assert workflow.name == WORKFLOW


def test_making_the_roles_again_doubles_nothing_and_keeps_what_was_added() -> None:
    reporters = Group.objects.get(name="Reporter")
    extra = Group.objects.get(name="Operator").permissions.get(codename="delete_person")
    reporters.permissions.add(extra)
    before = reporters.permissions.count()
    ensure_roles()
    assert reporters.permissions.count() == before
    assert Workflow.objects.filter(name=WORKFLOW).count() == 1
