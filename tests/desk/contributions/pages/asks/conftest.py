# SPDX-License-Identifier: AGPL-3.0-or-later
"""A newsroom that readers pay for, and people who write messages to them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from wagtail.models import Locale

from tamizdat import letterbox
from tamizdat.config import Newsroom
from tamizdat.desk.contributions import asking, content
from tamizdat.desk.contributions.content import AskContent, AskText, AskVariant
from tamizdat.desk.contributions.models import Ask, Place
from tamizdat.desk.newsroom.models import Article, Byline, Person, Section, Source
from tamizdat.desk.publishing import actions as publishing
from tamizdat.desk.staff.models import User

TOML = """\
name = "The Meridian"
address = "https://meridian.example"
languages = ["en", "ru"]
timezone = "Europe/Vilnius"

[[drops]]
name = "pier"
url = "https://drop.example"

[giving]
[[giving.providers]]
kind = "stripe"
methods = ["card"]

[[giving.offers]]
kind = "monthly"
currency = "USD"
amounts = ["5", "10", "20"]
least = "2"
most = "1000"

[[giving.offers]]
kind = "once"
currency = "JPY"
amounts = ["500"]
least = "300"
most = "100000"

[[giving.offers]]
kind = "once"
currency = "KWD"
amounts = ["2"]
least = "0.5"
most = "100"
"""
LIST = "/desk/contributions/messages/"
SAID = AskContent(
    variants=(
        AskVariant(
            slug="a",
            texts={
                "en": AskText("We stay", "<p>From <strong>$2</strong>.</p>", "Continue"),
                "ru": AskText("Мы остаёмся", "<p>От 2 $.</p>"),
            },
        ),
    )
)


@pytest.fixture
def newsroom(db: None, tmp_path: Path, settings: Any) -> Newsroom:
    folder = tmp_path / "newsroom"
    folder.mkdir()
    (folder / "tamizdat.toml").write_text(TOML)
    settings.NEWSROOM = found = Newsroom(folder)
    settings.MEDIA_ROOT = folder / "media"
    settings.TIME_ZONE = "Europe/Vilnius"
    letterbox.ensure_keys(found)
    return found


def rich(*paragraphs: str, **more: Any) -> str:
    """What Wagtail's editor sends."""
    blocks = [
        {"key": f"k{n}", "type": "unstyled", "depth": 0, "text": text, "inlineStyleRanges": [],
         "entityRanges": [], **more}
        for n, text in enumerate(paragraphs)
    ]  # fmt: skip
    return json.dumps({"blocks": blocks, "entityMap": {}})


def words(answer: HttpResponse) -> str:
    """What a page says, without its tags."""
    bare = re.sub(r"<(script|style)\b.*?</\1>|<[^>]+>", " ", answer.content.decode(), flags=re.S)
    return " ".join(unescape(bare).split())


class Writer:
    """Somebody's browser on the pages of messages."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def form(self, **changed: Any) -> dict[str, Any]:
        """A message in two languages, as its form sends it; ``changed`` by name of field."""
        sent = {
            "title": "Autumn", "slug": "autumn", "place": "message", "begins": "", "ends": "",
            "most": "", "days": "", "goal": "", "currency": "", "seen": "", "variant": ["0"],
            **variant(0),
        }  # fmt: skip
        return {name: value for name, value in {**sent, **changed}.items() if value is not None}

    def send(self, ask: Ask | None = None, **changed: Any) -> HttpResponse:
        """Save it; an existing one as if its form had just been opened."""
        if ask is None:
            return self.client.post(f"{LIST}new/", self.form(**changed))
        seen = asking.stamp(Ask.objects.get(pk=ask.pk))
        return self.client.post(f"{LIST}{ask.pk}/", self.form(**{"seen": seen, **changed}))

    def see(self, path: str = "") -> HttpResponse:
        return self.client.get(f"{LIST}{path}")

    def press(self, path: str, **form: Any) -> str:
        """Press a button; what the page then says."""
        return words(self.client.post(f"{LIST}{path}", form, follow=True))


def variant(key: int, **changed: Any) -> dict[str, Any]:
    """The fields of one variant."""
    fields = {
        "name": "abcdef"[key], "weight": "1",
        "title_en": "We stay", "text_en": rich("From two dollars."), "button_en": "",
        "title_ru": "Мы остаёмся", "text_ru": rich("От двух."), "button_ru": "",
        **changed,
    }  # fmt: skip
    return {f"v{key}-{name}": value for name, value in fields.items()}


@pytest.fixture
def edgar(newsroom: Newsroom, editor: User, signed_in: Callable[[User], Client]) -> Writer:
    return Writer(signed_in(editor))


@pytest.fixture
def petra(newsroom: Newsroom, publisher: User, signed_in: Callable[[User], Client]) -> Writer:
    return Writer(signed_in(publisher))


@pytest.fixture
def written(newsroom: Newsroom, editor: User) -> Ask:
    """By the editor; nobody has approved it."""
    return write(editor)


@pytest.fixture
def live(written: Ask, publisher: User) -> Ask:
    asking.approve_ask(ask=written, acting_user=publisher)
    return Ask.objects.get(pk=written.pk)


def write(user: User, said: AskContent = SAID, **more: Any) -> Ask:
    facts = {"slug": "autumn", "title": "Autumn", "place": Place.MESSAGE, **more}
    return asking.write_ask(said=said, acting_user=user, **facts)


def said(ask: Ask | None = None) -> AskContent:
    found = Ask.objects.get(pk=ask.pk) if ask else Ask.objects.get()
    return content.decode(found.content)


@pytest.fixture
def publish(
    newsroom: Newsroom, reporter: User, publisher: User, english: Locale, news: Section,
    person: Person,
) -> Callable[..., Article]:  # fmt: skip
    """Publish a story: ``publish("Headline", …)``."""

    def make(headline: str, **fields: Any) -> Article:
        facts = {"locale": english, "section": news, "slug": headline.lower().replace(" ", "-")}
        article = Article(
            **{**facts, "headline": headline, "created_by": reporter,
               "body": [("text", "<p>The crews went back.</p>")], **fields}
        )  # fmt: skip
        article.bylines.add(Byline(person=person))
        article.sources.add(Source(name="Harbour office", kind="official"))
        article.full_clean()
        article.save()
        article.save_revision(user=reporter)
        publishing.publish_article(article=article, acting_user=publisher)
        return Article.objects.get(pk=article.pk)

    return make
