# SPDX-License-Identifier: AGPL-3.0-or-later
"""The desk with a large archive on SQLite: how long its pages take, and from the click to the page.

What always holds: the newsroom is one that ``tamizdat init`` made and ``tamizdat run`` runs (desk,
worker and paper as processes); requests go over HTTP, one at a time, logged in, each page's times
are those after two of it that do not count; CPU is that of all processes of the newsroom while
they were asked for, so what the worker does meanwhile is in it. From the click to the page: from
sending the form of the publish panel until the paper serves the new headline, for stories of any
age.
"""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from bench import measure
from bench.client import Browser, BrowserError, Running, form_of, running
from bench.fill import AUTHOR, PASSWORD, USER
from bench.measure import Scratch
from bench.newsroom import TAMIZDAT, start
from tamizdat.cli.common import start_django

WARM = 2
DEADLINE = 60.0


def prepare(options: Namespace, scratch: Scratch) -> Path:
    """A newsroom with a filled desk and a built paper."""
    newsroom = start(scratch)
    log = scratch.folder / "prepare.log"
    measure.say(f"filling a desk with {options.size} articles")
    command = [sys.executable, "-m", "bench.fill", "--size", str(options.size), "--dir", newsroom]
    cost = measure.run(command, cwd=measure.ROOT, log=log)
    measure.say(f"filled in {cost.wall:.0f} s; building the paper")
    cost = measure.run([*TAMIZDAT, "publish", "--all", "--dir", newsroom], cwd=newsroom, log=log)
    measure.say(f"built in {cost.wall:.0f} s")
    return newsroom


def pages(size: int) -> dict[str, list[str]]:
    """What staff open all day, each at several places of the archive. Needs Django."""
    from django.urls import reverse

    from tamizdat.desk.newsroom.models import Article, Person, Section, Topic

    home = reverse("wagtailadmin_home")  # Loads the desk's pages, which name themselves then.
    viewset = Article.snippet_viewset  # type: ignore[attr-defined]  # Set by Wagtail.
    listing = reverse(viewset.get_url_name("list"))
    chooser = reverse(viewset.chooser_viewset.get_url_name("choose"))
    section = Section.objects.order_by("pk")[1]
    topic = Topic.objects.order_by("pk")[7]
    person = Person.objects.order_by("pk")[5]
    middle = Article.objects.filter(pk__lte=max(size // 2, 1)).order_by("-pk")[0]
    word = quote(middle.headline.split()[2])
    common = _commonest()
    keys = [1 + size * part // 10 for part in range(1, 10)]
    return {
        "dashboard": [home],
        "article list": [listing],
        "list, page 50": [f"{listing}?p={min(50, max(1, size // 60))}"],
        "list, by section": [f"{listing}?section={section.pk}"],
        "list, by section and status": [f"{listing}?section={section.pk}&status=live"],
        "list, drafts": [f"{listing}?status=draft"],
        "list, mine": [f"{listing}?mine=on"],
        "list, by byline": [f"{listing}?byline={person.pk}"],
        "list, by topic": [f"{listing}?topics={topic.pk}"],
        "list, search": [f"{listing}?q={word}"],
        "list, search, common word": [f"{listing}?q={common}"],
        "chooser": [chooser],
        "chooser, search": [f"{chooser}results/?q={word}"],
        "editor": [reverse(viewset.get_url_name("edit"), args=[key]) for key in keys],
        "publish panel": [reverse("publishing:panel", args=[key]) for key in keys],
        "history": [reverse(viewset.get_url_name("history"), args=[key]) for key in keys],
    }


def _commonest() -> str:
    """The word that most of the last thousand articles have."""
    from tamizdat.desk.newsroom.models import Article

    last = Article.objects.order_by("-pk").values_list("headline", "standfirst")[:1000]
    counts = Counter(word for texts in last for word in set(" ".join(texts).lower().split()))
    return quote(counts.most_common(1)[0][0])


Seconds = dict[str, list[float]]


def ask(
    browser: Browser, paths: Mapping[str, list[str]], runs: int, pid: int
) -> tuple[Seconds, dict[str, float]]:
    """Seconds of every request, and seconds of CPU of one in the mean, by page."""
    found: Seconds = {}
    cpu: dict[str, float] = {}
    for name, addresses in paths.items():
        for number in range(WARM):
            browser.get(addresses[number % len(addresses)])
        before = measure.tree_cpu(pid)
        found[name] = [browser.get(addresses[n % len(addresses)]).seconds for n in range(runs)]
        cpu[name] = (measure.tree_cpu(pid) - before) / runs
    return found, cpu


def drafts(size: int, count: int) -> list[tuple[str, str, str]]:
    """Change the headlines of articles of any age, not yet published. Returns the address of the
    panel, of the story, and the new headline of each."""
    from django.urls import reverse

    from tamizdat.desk.newsroom.models import Article
    from tamizdat.desk.staff.models import User

    author = User.objects.get(username=AUTHOR)
    found = []
    live = Article.objects.filter(live=True)
    for number in range(count):
        article = live.filter(pk__gte=1 + size * number // count).order_by("pk")[0]
        article = article.get_latest_revision_as_object()
        article.headline = f"{article.headline} {number} anew"
        article.save_revision(user=author)
        found.append(
            (reverse("publishing:panel", args=[article.pk]), article.path, article.headline)
        )
    return found


def click(
    desk: Browser, paper: Browser, panel: str, path: str, headline: str
) -> tuple[float, float]:
    """Publish as an editor does. Seconds until the desk answered, and until the paper shows it."""
    confirm = desk.get(f"{panel}confirm/?when=now")
    data = form_of(confirm.text, "token")
    start = time.perf_counter()
    answered = desk.post(f"{panel}confirm/", data).seconds
    while headline not in paper.get(path).text:
        if time.perf_counter() - start > DEADLINE:
            raise BrowserError(f"{path} was not published in {DEADLINE:.0f} s")
        time.sleep(0.005)
    return answered, time.perf_counter() - start


def measure_newsroom(newsroom: Path, options: Namespace) -> tuple[Seconds, dict[str, float]]:
    start_django(newsroom)
    from django.db import connections

    paths = pages(options.size)
    waiting = drafts(options.size, options.clicks + 1)
    connections.close_all()
    with running(newsroom) as servers:
        desk, paper = _browsers(servers)
        measure.say("asking for the desk's pages")
        found, cpu = ask(desk, paths, options.runs, servers.pid)
        measure.say("publishing")
        click(desk, paper, *waiting[0])
        before = measure.tree_cpu(servers.pid)
        times = [click(desk, paper, *one) for one in waiting[1:]]
        cpu["click, until the paper serves it"] = (measure.tree_cpu(servers.pid) - before) / len(
            times
        )
    found["click, until the desk answers"] = [answered for answered, _ in times]
    found["click, until the paper serves it"] = [served for _, served in times]
    return found, cpu


def _browsers(servers: Running) -> tuple[Browser, Browser]:
    desk = Browser(servers.desk)
    desk.log_in(USER, PASSWORD)
    return desk, Browser(servers.paper)


def show(found: Mapping[str, list[float]], cpu: Mapping[str, float]) -> str:
    rows = []
    for name, seconds in found.items():
        ordered = sorted(seconds)
        worst = ordered[min(len(ordered) - 1, int(len(ordered) * 0.9))]
        used = f"{cpu[name] * 1000:.0f}" if name in cpu else ""
        rows.append([name, f"{measure.median(seconds) * 1000:.0f}", f"{worst * 1000:.0f}", used])
    return measure.table(["page", "median ms", "90 % ms", "CPU ms"], rows)


def main() -> int:
    parser = measure.arguments(__doc__ or "", size=100_000, runs=15)
    parser.add_argument("--clicks", type=int, default=12, help="stories published (default 12)")
    parser.add_argument("--dir", type=Path, help="a newsroom that a run with --keep has left")
    options = parser.parse_args()
    with Scratch(options.work, keep=options.keep) as scratch:
        found, cpu = measure_newsroom(options.dir or prepare(options, scratch), options)
        print(show(found, cpu), flush=True)
        figures = {"size": options.size, "seconds": found, "cpu": cpu}
        measure.report({"bench": "desk", **figures}, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
