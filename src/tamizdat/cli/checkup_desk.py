# SPDX-License-Identifier: AGPL-3.0-or-later
"""What ``tamizdat doctor`` looks at inside the desk. Django must be set up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.contrib.staticfiles import finders
from django.core import checks as django_checks
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from wagtail.models import Revision

from tamizdat.cli.checkup import Finding, fine, problem, warning
from tamizdat.cli.checkup_giving import giving
from tamizdat.cli.checkup_letters import drops
from tamizdat.cli.checkup_mail import mail
from tamizdat.config import Newsroom
from tamizdat.desk.publishing.heartbeat import alive
from tamizdat.desk.publishing.models import BuildRequest, StoryVersion
from tamizdat.desk.staff.access.factors import factors_of
from tamizdat.desk.staff.models import User

LATE = timedelta(minutes=2)


def findings(newsroom: Newsroom) -> Iterator[Finding]:
    """Everything that can be said of the desk; only the database's trouble where there is any."""
    trouble = database(newsroom)
    yield trouble
    if trouble.level == "problem":
        return
    for check in (
        system,
        accounts,
        second_factors,
        static,
        worker,
        clock,
        builds,
        schedules,
        drops,
        mail,
        giving,
    ):
        yield from check(newsroom)


def database(newsroom: Newsroom) -> Finding:
    """It can be reached and has the tables of this version."""
    try:
        connection.ensure_connection()
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        return problem(
            "database",
            f"it cannot be used: {error}",
            "Is the server running, is the disk full, is the password in secrets/ right?",
        )
    if plan:
        return problem(
            "database",
            f"{len(plan)} migrations wait",
            f"Make a copy of the database, then: tamizdat init {newsroom.folder}",
        )
    return fine("database", f"{connection.vendor}, up to date")


def system(newsroom: Newsroom) -> Iterator[Finding]:
    """Django's own checks, ours among them."""
    for message in django_checks.run_checks():
        if message.level >= django_checks.ERROR:
            yield problem("settings", message.msg, message.hint or "See docs/settings.md.")


def accounts(newsroom: Newsroom) -> Iterator[Finding]:
    """Somebody can log in."""
    people = User.objects.filter(is_active=True)
    if any(user.has_usable_password() for user in people[:200]):
        yield fine("accounts", f"{people.count()} can log in")
    else:
        yield problem(
            "accounts",
            "nobody can log in yet",
            f"Get a new link for the first account: tamizdat init {newsroom.folder}",
        )


def second_factors(newsroom: Newsroom) -> Iterator[Finding]:
    """A stolen password alone does not open the desk, and nobody is locked out by a setting."""
    desk = newsroom.settings.desk
    people = list(User.objects.filter(is_active=True).order_by("username"))
    if desk.passkeys_only:
        without = [person for person in people if not factors_of(person).passkeys]
        if without:
            names = ", ".join(person.username for person in without[:5])
            yield warning(
                "log-in",
                f"only passkeys open the desk, and these accounts have none: {names}",
                f"Give each a link: tamizdat desk --dir {newsroom.folder} user link NAME",
            )
        else:
            yield fine("log-in", "everybody has a passkey, and nothing else opens the desk")
    elif desk.second_factor == "optional" and not newsroom.settings.demo:
        alone = sum(not factors_of(person).asked for person in people)
        yield warning(
            "log-in",
            f"a password alone opens the desk for {alone} of {len(people)} accounts",
            'Set second_factor = "required" under [desk] in tamizdat.toml.',
        )
    else:
        yield fine("log-in", f"a second factor is {desk.second_factor}")


def static(newsroom: Newsroom) -> Iterator[Finding]:
    """The desk's own style sheets are where Django looks for them."""
    if finders.find("wagtailadmin/css/core.css"):
        yield fine("static", "the desk's style sheets are there")
    else:
        yield problem(
            "static",
            "the desk's style sheets are missing",
            "Install tamizdat anew: files of Wagtail are missing.",
        )


def worker(newsroom: Newsroom) -> Iterator[Finding]:
    """Somebody builds what editors publish."""
    working = alive()
    if working:
        yield fine("worker", f"{len(working)} at work")
    else:
        yield problem(
            "worker",
            "no worker is running: nothing that editors publish or schedule goes out",
            f"Start it: tamizdat run --dir {newsroom.folder}   (or: tamizdat worker)",
        )


def clock(newsroom: Newsroom) -> Iterator[Finding]:
    """Nothing was published later than now."""
    newest = StoryVersion.objects.order_by("-created").values_list("created", flat=True).first()
    if newest and newest > timezone.now() + timedelta(minutes=5):
        yield problem(
            "clock",
            f"a story was published at {newest:%Y-%m-%d %H:%M}, which is still to come",
            "Set the clock, best by: timedatectl set-ntp true",
        )


def builds(newsroom: Newsroom) -> Iterator[Finding]:
    """No build failed, none waits for long."""
    failed = BuildRequest.objects.filter(state=BuildRequest.State.FAILED).order_by("-created")
    last = failed.first()
    if last is not None:
        reason = last.error.strip().splitlines()[0]
        yield problem(
            "builds",
            f"failed: {reason}",
            "Mend what it says and press “Try again” on the desk's home page.",
        )
    waiting = BuildRequest.objects.filter(
        state=BuildRequest.State.QUEUED, not_before__lt=timezone.now() - LATE
    )
    if waiting.exists():
        yield warning("builds", "what was published waits to be built", "Is the worker running?")
    elif last is None:
        yield fine("builds", "none failed, none waits")


def schedules(newsroom: Newsroom) -> Iterator[Finding]:
    """What was to go out by now went out."""
    late = Revision.objects.filter(approved_go_live_at__lt=timezone.now() - LATE).count()
    if late:
        yield problem(
            "schedule",
            f"{late} scheduled stories are overdue",
            "Start the worker: it publishes them at once.",
        )
    else:
        yield fine("schedule", "nothing is overdue")
