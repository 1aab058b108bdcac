# SPDX-License-Identifier: AGPL-3.0-or-later
"""An article as a Wagtail page and as a model, side by side: lists, search, creating, publishing.

What always holds: both have the same texts in one SQLite file with the desk's settings; requests
go through Django's whole stack with a signed-in operator; contenders take turns; figures are
medians in milliseconds of CPU after two rounds that do not count. Findings: docs/adr/0001.

Usage: python -m bench.article_model [--size 100000] [--runs 15] [--json FILE]
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

_SYLLABLES = (
    *("har", "ver", "tol", "mar", "sen", "kal", "dor", "bel", "nif"),
    *("ras", "bour", "dict", "ling", "kets", "ate", "low", "ter"),
)
# 4,913 words, as a paper's headlines have; the first are used most (1 / rank, as in speech).
WORDS = [a + b + c for a in _SYLLABLES for b in _SYLLABLES for c in _SYLLABLES]
WEIGHTS = list(itertools.accumulate(1 / (rank + 10) for rank in range(len(WORDS))))
START = datetime(2006, 1, 1, tzinfo=UTC)
BATCH = 1000


def main() -> None:
    options = _options()
    folder = Path(tempfile.mkdtemp(prefix="tamizdat-article-model-"))
    try:
        report = _measure(folder, options.size, options.runs)
    finally:
        shutil.rmtree(folder)
    print(_table(report))
    if options.json:
        options.json.write_text(json.dumps(report, indent=2))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--size", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def _start(folder: Path) -> None:
    from tamizdat.config import Newsroom

    (folder / "tamizdat.toml").write_text(
        'name = "Bench"\naddress = "https://bench.example"\nlanguages = ["en", "ru"]\n'
    )
    Newsroom(folder).secret("desk-key", create=True)
    os.environ["TAMIZDAT_DIR"] = str(folder)
    os.environ["DJANGO_SETTINGS_MODULE"] = "bench.article_pages.settings"
    migrations = folder / "article_pages_migrations"
    migrations.mkdir()
    (migrations / "__init__.py").touch()
    sys.path.insert(0, str(folder))
    import django
    from django.core.management import call_command

    django.setup()
    call_command("makemigrations", "article_pages", verbosity=0)
    call_command("migrate", verbosity=0)


def _text(number: int) -> dict[str, Any]:
    """Article *number*: 125 words, the same for both."""
    source = random.Random(number)
    words = source.choices(WORDS, cum_weights=WEIGHTS, k=125)
    return {
        "headline": " ".join(words[:7]).capitalize(),
        "kicker": words[7],
        "standfirst": " ".join(words[7:25]),
        "body": [{"type": "text", "value": f"<p>{' '.join(words[25:])}</p>", "id": str(number)}],
        "when": START + timedelta(minutes=number * 105),
    }


def _measure(folder: Path, size: int, runs: int) -> dict[str, Any]:
    _start(folder)
    _say(f"filling {size} of each")
    report: dict[str, Any] = {"size": size, "runs": runs}
    root, section = _furniture()
    began = time.perf_counter()
    _fill_models(size, section)
    report["fill: model"] = time.perf_counter() - began
    began = time.perf_counter()
    _fill_pages(size, section, root)
    report["fill: page"] = time.perf_counter() - began
    _analyse()
    asked = _requests(root)
    report["ms"] = {
        **_turns(asked, runs),
        **_turns(_writes(root, section, size), runs),
    }
    return report


def _furniture() -> tuple[Any, Any]:
    from wagtail.models import Locale, Page

    from tamizdat.desk.newsroom.models import Section

    locale = Locale.objects.get(language_code="en")
    root = Page.get_first_root_node().add_child(
        instance=Page(title="Articles", slug="articles", locale=locale)
    )
    return root, Section.objects.create(locale=locale, title="News", slug="news")


def _fill_models(size: int, section: Any) -> None:
    from django.db import transaction
    from wagtail.search.backends import get_search_backend

    from tamizdat.desk.newsroom.models import Article

    index = get_search_backend().get_index_for_model(Article)
    for first in range(0, size, BATCH):
        rows = []
        for number in range(first, min(first + BATCH, size)):
            text = _text(number)
            when = text.pop("when")
            rows.append(
                Article(
                    **{**text, "body": json.dumps(text["body"])},
                    working_headline=text["headline"],
                    slug=f"a-{number}",
                    locale_id=section.locale_id,
                    section=section,
                    live=number % 50 != 0,
                    updated_at=when,
                    first_published_at=when,
                )
            )
        with transaction.atomic():
            index.add_items(Article, Article.objects.bulk_create(rows))


def _fill_pages(size: int, section: Any, root: Any) -> None:
    from django.contrib.contenttypes.models import ContentType
    from django.db import transaction
    from wagtail.models import Page
    from wagtail.search.backends import get_search_backend

    from bench.article_pages.models import ArticlePage

    kind = ContentType.objects.get_for_model(ArticlePage)
    index = get_search_backend().get_index_for_model(ArticlePage)
    last = Page.objects.order_by("-pk").values_list("pk", flat=True)[0]
    for first in range(0, size, BATCH):
        pages, articles = [], []
        for number in range(first, min(first + BATCH, size)):
            text = _text(number)
            common = {**_page_fields(number, text, section, root), "content_type": kind}
            key = last + 1 + number
            pages.append(Page(pk=key, **common))
            articles.append(
                ArticlePage(page_ptr_id=key, pk=key, section=section, **_words(text), **common)
            )
        with transaction.atomic():
            Page.objects.bulk_create(pages)
            _insert_article_pages(articles)
            index.add_items(ArticlePage, articles)
    Page.objects.filter(pk=root.pk).update(numchild=size)
    root.refresh_from_db()


def _words(text: dict[str, Any]) -> dict[str, Any]:
    return {
        "kicker": text["kicker"],
        "standfirst": text["standfirst"],
        "body": json.dumps(text["body"]),
    }


def _page_fields(number: int, text: dict[str, Any], section: Any, root: Any) -> dict[str, Any]:
    """What Wagtail keeps of page *number* besides its own words."""
    return {
        "title": text["headline"],
        "draft_title": text["headline"],
        "slug": f"a-{number}",
        "path": root._get_path(root.path, root.depth + 1, number + 1),
        "depth": root.depth + 1,
        "url_path": f"{root.url_path}a-{number}/",
        "locale_id": section.locale_id,
        "translation_key": uuid.uuid4(),
        "live": number % 50 != 0,
        "first_published_at": text["when"],
        "latest_revision_created_at": text["when"],
    }


def _insert_article_pages(articles: list[Any]) -> None:
    """The rows beside those of ``Page``, which Django does not create in bulk."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO article_pages_articlepage "
            "(page_ptr_id, kicker, standfirst, body, section_id) VALUES (%s,%s,%s,%s,%s)",
            [
                (a.pk, a.kicker, a.standfirst, json.dumps(a.body.get_prep_value()), a.section_id)
                for a in articles
            ],
        )


def _analyse() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _requests(root: Any) -> dict[str, dict[str, Callable[[], None]]]:
    """What editors open, as a page and as a model."""
    from django.contrib.auth.models import Group
    from django.test import Client

    from tamizdat.desk.staff.models import User

    user = User.objects.create_superuser("bench", "bench@bench.example", "a long password")
    user.groups.add(Group.objects.get(name="Operator"))
    client = Client()
    client.force_login(user)
    explorer, listing = f"/desk/pages/{root.pk}/", "/desk/snippets/newsroom/article/"
    chooser = "/desk/snippets/choose/newsroom/article/"

    def get(address: str) -> Callable[[], None]:
        def ask() -> None:
            response = client.get(address)
            if response.status_code != 200:
                raise RuntimeError(f"{address}: {response.status_code}")

        return ask

    return {
        "list": {"page": get(explorer), "model": get(listing)},
        "list, page 500": {"page": get(f"{explorer}?p=500"), "model": get(f"{listing}?p=500")},
        "search, 1 word": {
            "page": get(f"{explorer}results/?q=kalsenbel"),
            "model": get(f"{listing}results/?q=kalsenbel"),
        },
        "search, 3 words": {
            "page": get(f"{explorer}results/?q=kalsenbel+harharsen+toldortol"),
            "model": get(f"{listing}results/?q=kalsenbel+harharsen+toldortol"),
        },
        "chooser": {
            "page": get(f"/desk/choose-page/{root.pk}/"),
            "model": get(chooser),
        },
        "chooser, search": {
            "page": get("/desk/choose-page/search/?q=kalsenbel"),
            "model": get(f"{chooser}results/?q=kalsenbel"),
        },
    }


def _writes(root: Any, section: Any, size: int) -> dict[str, dict[str, Callable[[], None]]]:
    """Creating a draft, and publishing one (what Wagtail does; the paper is built elsewhere)."""
    numbers: Iterator[int] = iter(range(size, 2 * size + 10_000))
    made: dict[str, list[Any]] = {"page": [], "model": []}

    def create_page() -> None:
        made["page"].append(_draft_page(next(numbers), root, section))

    def create_model() -> None:
        made["model"].append(_draft_model(next(numbers), section))

    def publish_page() -> None:
        made["page"].pop().get_latest_revision().publish()

    def publish_model() -> None:
        article = made["model"].pop()
        article.wagtail_publish(article.get_latest_revision())

    return {
        "create": {"page": create_page, "model": create_model},
        "publish": {"page": publish_page, "model": publish_model},
    }


def _draft_page(number: int, root: Any, section: Any) -> Any:
    from wagtail.models import Page

    from bench.article_pages.models import ArticlePage

    text = _text(number)
    parent = Page.objects.get(pk=root.pk)
    page = parent.add_child(
        instance=ArticlePage(
            title=text["headline"], slug=f"n-{number}", section=section, live=False, **_words(text)
        )
    )
    page.save_revision()
    return page


def _draft_model(number: int, section: Any) -> Any:
    from tamizdat.desk.newsroom.models import Article

    text = _text(number)
    article = Article(
        headline=text["headline"],
        slug=f"n-{number}",
        locale_id=section.locale_id,
        section=section,
        **_words(text),
    )
    article.save()
    article.save_revision()
    return article


def _turns(
    jobs: dict[str, dict[str, Callable[[], None]]], runs: int
) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for name, contenders in jobs.items():
        times: dict[str, list[float]] = {who: [] for who in contenders}
        for run in range(-2, runs):
            for who, job in contenders.items():
                began = time.process_time()
                job()
                if run >= 0:
                    times[who].append((time.process_time() - began) * 1000)
        found[name] = {who: round(statistics.median(t), 1) for who, t in times.items()}
        _say(f"{name}: {found[name]}")
    return found


def _table(report: dict[str, Any]) -> str:
    lines = [f"{report['size']} articles, medians of {report['runs']}, ms of CPU", ""]
    lines += ["| | page | model | page / model |", "|---|---:|---:|---:|"]
    for name, row in report["ms"].items():
        ratio = row["page"] / row["model"]
        lines.append(f"| {name} | {row['page']:.0f} | {row['model']:.0f} | {ratio:.1f} |")
    return "\n".join(lines)


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
