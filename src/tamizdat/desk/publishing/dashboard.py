# SPDX-License-Identifier: AGPL-3.0-or-later
"""The desk's home page: what is live, what waits for whom, what is due, what failed.

What always holds: every query has an index and a limit, so it is as quick with a hundred thousand
articles as with ten; nothing counts a whole table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F
from django.db.models.functions import TruncDate
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from wagtail.admin.ui.components import Component
from wagtail.models import Revision, TaskState, WorkflowState

from tamizdat.desk.letters import inbox, standing
from tamizdat.desk.newsroom.models import Article
from tamizdat.desk.newsroom.statuses import approved_texts
from tamizdat.desk.publishing import copies, heartbeat, queue, state
from tamizdat.desk.publishing.models import BuildRequest, StoryVersion
from tamizdat.desk.staff.models import User
from tamizdat.desk.staff.roles import sees_readers

ROWS = 6
_LATELY = 100
DAYS = 30


@dataclass(frozen=True)
class Row:
    """A line of a panel: words, where they lead, and a small word at the end."""

    words: str
    link: str
    meta: str = ""
    why: str = ""
    retry: int | None = None


@dataclass(frozen=True)
class Bar:
    """A bar of a chart in its 100 × 100 box, and what it says."""

    x: float
    width: float
    height: float
    words: str
    last: bool = False

    @property
    def y(self) -> float:
        return 100 - self.height


class Dashboard(Component):
    name = "desk-home"
    template_name = "publishing/dashboard.html"
    order = 100

    def get_context_data(self, parent_context: Mapping[str, Any]) -> dict[str, Any]:
        request = parent_context["request"]
        user = request.user
        mine = waiting_for(user)
        return {
            "request": request,
            "csrf_token": parent_context.get("csrf_token"),
            "may_publish": user.has_perm("newsroom.publish_article"),
            "may_write": user.has_perm("newsroom.add_article"),
            "new_url": _viewset_url("add"),
            "list_url": _viewset_url("list"),
            "front_url": _front_url() if user.has_perm("newsroom.change_frontpin") else "",
            "live": live(),
            "waiting": mine,
            "approved": approved() if user.has_perm("newsroom.publish_article") else [],
            "reviewed": sent_by(user),
            "drafts": drafts_of(user),
            "due": due(),
            "failed": failed(),
            "edition": edition_facts(),
            "copies": copies.of_paper(),
            "drops": standing.of_drops(),
            "new_letters": inbox.new() if sees_readers(user) else None,
            "may_see_aside": inbox.operates(user),
            "days": days(),
            "speed": speed(),
        }


def live() -> list[Row]:
    """The newest published versions, one a story."""
    versions = StoryVersion.objects.filter(pub_status="usable", article__isnull=False)
    newest: dict[int, StoryVersion] = {}
    recent = versions.select_related("article", "request").defer("item", "article__body")
    for version in recent.order_by("-created")[: ROWS * 3]:
        newest.setdefault(version.article_id or 0, version)
    return [
        Row(
            v.article.headline if v.article else "",
            reverse("publishing:panel", args=[v.article_id]),
            _standing(v),
        )
        for v in list(newest.values())[:ROWS]
    ]


def _standing(version: StoryVersion) -> str:
    if version.edition:
        return f"edition {version.edition} · {state.when(version.created)}"
    failed = version.request and version.request.state == queue.State.FAILED
    return "failed" if failed else "queued"


def waiting_for(user: User) -> list[Row]:
    """What this person can review."""
    states = (
        TaskState.objects.reviewable_by(user)
        .select_related("revision", "revision__user", "workflow_state__requested_by")
        .order_by("started_at")[:ROWS]
    )
    return [_task_row(task) for task in states if task.revision]


def _task_row(task: TaskState) -> Row:
    by = task.workflow_state.requested_by
    who = f"{by.get_full_name() or by.get_username()} · " if by else ""
    return Row(
        task.revision.object_str or "Untitled",
        _edit(task.revision.object_id),
        f"{who}{state.when(task.started_at)}",
    )


def approved() -> list[Row]:
    """Texts that were approved lately and that readers do not have yet."""
    lately = TaskState.objects.filter(status=TaskState.STATUS_APPROVED).order_by("-pk")
    texts = list(lately.values_list("revision_id", flat=True)[:_LATELY])
    articles = approved_texts(Article.objects.filter(latest_revision__in=texts))
    scheduled = {row.link for row in due()}
    rows = [
        Row(str(a), _panel(a.pk), state.when(a.updated_at))
        for a in articles.only("headline", "working_headline", "updated_at")[: ROWS * 2]
    ]
    return [row for row in rows if row.link not in scheduled][:ROWS]


def sent_by(user: User) -> list[Row]:
    """What this person sent to review and others have."""
    states = (
        WorkflowState.objects.active()
        .filter(requested_by=user)
        .select_related("current_task_state__task", "current_task_state__revision")
        .order_by("-created_at")[:ROWS]
    )
    return [
        Row(
            (s.current_task_state.revision.object_str if s.current_task_state else "")
            or "Untitled",
            _edit(s.object_id),
            "changes wanted" if s.status == s.STATUS_NEEDS_CHANGES else "in review",
        )
        for s in states
    ]


def _title(workflow: WorkflowState) -> str:
    task = workflow.current_task_state
    return (task.revision.object_str if task and task.revision else "") or "Untitled"


def drafts_of(user: User) -> list[Row]:
    """What this person worked on last and readers do not have yet."""
    recent = (
        Article.objects.filter(edited_by=user)
        .order_by("-updated_at")
        .only(
            "headline",
            "working_headline",
            "live",
            "has_unpublished_changes",
            "updated_at",
            "withdrawn_at",
        )[: ROWS * 4]
    )
    open_ = [a for a in recent if not a.withdrawn_at and (not a.live or a.has_unpublished_changes)]
    return [Row(str(a), _edit(a.pk), state.when(a.updated_at)) for a in open_[:ROWS]]


def due() -> list[Row]:
    """What goes out by itself, the next first."""
    revisions = Revision.objects.filter(approved_go_live_at__isnull=False)
    return [
        Row(r.object_str or "Untitled", _panel(r.object_id), state.when(r.approved_go_live_at))
        for r in revisions.defer("content").order_by("approved_go_live_at")[:ROWS]
    ]


def failed() -> list[Row]:
    """What could not be built, the newest first."""
    requests = BuildRequest.objects.filter(state=queue.State.FAILED).select_related("article")
    return [
        Row(
            str(r.article) if r.article else r.get_kind_display().capitalize(),
            reverse("publishing:panel", args=[r.article_id]) if r.article_id else "",
            state.when(r.finished or r.created),
            why=r.error,
            retry=r.pk,
        )
        for r in requests.defer("article__body").order_by("-created")[:ROWS]
    ]


@dataclass(frozen=True)
class EditionFacts:
    """The paper as it stands: newest edition, when, what waits, who works."""

    number: int | None
    since: str
    waiting: str
    workers: int
    trouble: str


def edition_facts() -> EditionFacts:
    last = BuildRequest.objects.filter(state=queue.State.LIVE, edition__isnull=False)
    newest = last.order_by("-created").first()
    waits = BuildRequest.objects.filter(state__in=state.WAITING)
    waiting = len(waits.values_list("pk", flat=True)[:100])
    stuck = waits.exclude(error="").order_by("pk").first()
    return EditionFacts(
        number=newest.edition if newest else None,
        since=state.when(newest.finished) if newest and newest.finished else "",
        waiting="99+" if waiting > 99 else str(waiting),
        workers=len(heartbeat.alive()),
        trouble=stuck.error if stuck else "",
    )


@dataclass(frozen=True)
class Chart:
    """Bars and the one sentence that says the same."""

    bars: list[Bar]
    words: str


def days() -> Chart:
    """Stories published for the first time, by day; what was imported does not count."""
    today = timezone.localdate()
    first = today - timedelta(days=DAYS - 1)
    since = timezone.make_aware(datetime.combine(first, datetime.min.time()))
    rows = (
        StoryVersion.objects.filter(
            created__gte=since, version=1, reason="published", article__isnull=False
        )
        .annotate(day=TruncDate("created"))
        .values("day")
        .annotate(n=Count("pk"))
        .values_list("day", "n")
    )
    counts = dict(rows)
    values = [counts.get(first + timedelta(days=n), 0) for n in range(DAYS)]
    labels = [f"{first + timedelta(days=n):%-d %B}: {values[n]}" for n in range(DAYS)]
    total = sum(values)
    words = f"{total} {'story' if total == 1 else 'stories'} in {DAYS} days, {values[-1]} today."
    return Chart(_bars(values, labels), words if total else "")


def speed() -> Chart:
    """Seconds from the click to the paper, of the last builds."""
    done = BuildRequest.objects.filter(
        state=queue.State.LIVE, kind=queue.Kind.STORIES, finished__isnull=False
    )
    rows = list(done.order_by("-created").values_list("created", F("finished"))[:DAYS])[::-1]
    seconds = [max(0.0, (finished - created).total_seconds()) for created, finished in rows]
    if not seconds:
        return Chart([], "")
    middle = sorted(seconds)[len(seconds) // 2]
    labels = [f"{value:.1f} s" for value in seconds]
    words = f"From Publish to the paper: usually {middle:.1f} s, the last {seconds[-1]:.1f} s."
    # What waited for a person (a retry the next morning) must not flatten all the others.
    return Chart(_bars([min(value, 4 * middle) for value in seconds], labels), words)


def _bars(values: list[float] | list[int], labels: list[str]) -> list[Bar]:
    highest, step = max([*values, 1e-9]), 100 / max(len(values), 1)
    return [
        Bar(
            round(n * step, 2),
            round(step * 0.7, 2),
            round(100 * value / highest, 2),
            labels[n],
            last=n == len(values) - 1,
        )
        for n, value in enumerate(values)
    ]


def _viewset_url(name: str) -> str:
    viewset = Article.snippet_viewset
    return reverse(viewset.get_url_name(name))


def _front_url() -> str:
    """Where stories are pinned; empty until the newsroom has such a page."""
    try:
        return reverse("newsroom:front")
    except NoReverseMatch:
        return ""


def _edit(pk: object) -> str:
    viewset = Article.snippet_viewset
    return reverse(viewset.get_url_name("edit"), args=[pk])


def _panel(pk: object) -> str:
    return reverse("publishing:panel", args=[pk])
