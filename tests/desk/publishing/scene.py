# SPDX-License-Identifier: AGPL-3.0-or-later
"""A newsroom in a folder and a database of its own, for workers that are real processes.

``python scene.py make|publish N|report``, with ``TAMIZDAT_DIR`` and the newsroom's settings.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tamizdat.desk.settings.newsroom")


def make() -> None:
    from django.contrib.auth.models import Group
    from django.core.management import call_command
    from wagtail.models import Locale

    from tamizdat.desk.newsroom.models import Section
    from tamizdat.desk.staff.models import User
    from tamizdat.desk.staff.roles import PUBLISHER, REPORTER

    call_command("migrate", verbosity=0)
    english = Locale.objects.get(language_code="en")
    Section.objects.create(locale=english, title="News", slug="news")
    for name, role in (("rita", REPORTER), ("petra", PUBLISHER)):
        user = User.objects.create_user(username=name, password="correct horse battery")
        user.groups.add(Group.objects.get(name=role))


def publish(count: int) -> None:
    from wagtail.models import Locale

    from tamizdat.desk.newsroom.models import Article, Section
    from tamizdat.desk.publishing import actions
    from tamizdat.desk.staff.models import User

    rita, petra = User.objects.get(username="rita"), User.objects.get(username="petra")
    section, english = Section.objects.get(slug="news"), Locale.objects.get(language_code="en")
    for number in range(count):
        article = Article(
            locale=english,
            headline=f"Story {number} of {os.getpid()}",
            section=section,
            body=[("text", f"<p>Text of story {number} of {os.getpid()}.</p>")],
        )
        article.full_clean()
        article.save()
        article.save_revision(user=rita)
        actions.publish_article(article=article, acting_user=petra)


def report() -> dict[str, Any]:
    from tamizdat.desk.publishing import services
    from tamizdat.desk.publishing.models import BuildRequest, StoryHead, StoryVersion

    edition = services.edition()
    unread = []
    for head in StoryHead.objects.select_related("version"):
        found = edition.read(head.path)
        if found is None or json.loads(head.version.item)["headlines"][0]["value"] not in (
            found.data.decode()
        ):
            unread.append(head.path)
    states = BuildRequest.objects.values_list("state", flat=True)
    return {
        "stories": StoryHead.objects.count(),
        "waiting": StoryVersion.objects.filter(edition=None).count(),
        "states": sorted(set(states)),
        "unread": unread,
        "edition": edition.number,
    }


if __name__ == "__main__":
    import django

    django.setup()
    if sys.argv[1] == "make":
        make()
    elif sys.argv[1] == "publish":
        publish(int(sys.argv[2]))
    else:
        sys.stdout.write(json.dumps(report()))
