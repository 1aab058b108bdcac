# SPDX-License-Identifier: AGPL-3.0-or-later
"""Giving in the paper: what is offered, and which messages readers see."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from wagtail.models import Locale

from tamizdat import letterbox
from tamizdat.cli.drop_folder import make_drop
from tamizdat.config import Newsroom
from tamizdat.desk.contributions import content, paper
from tamizdat.desk.contributions.content import AskContent, AskText, AskVariant
from tamizdat.desk.contributions.models import Ask, AskVersion
from tamizdat.desk.publishing.site import site_from_desk
from tamizdat.giving.choice import Offer
from tests.desk.contributions.reminding.conftest import Desk

TEXTS = {
    "en": AskText("We stay because you read", "<p>From <strong>$2</strong>.</p>", "Continue"),
    "ru": AskText("Мы есть, пока вы читаете", "<p>От 2 $.</p>"),
}
SAID = AskContent(
    variants=(AskVariant(slug="plain", weight=2, texts=TEXTS),), sections=("news",), most=3, days=30
)


def live(slug: str = "autumn", said: AskContent = SAID, **more: Any) -> Ask:
    """A message that was approved."""
    facts = {"place": "message", "state": "live", **more}
    bounds = {name: facts[name] for name in ("begins", "ends") if name in facts}
    ask = Ask.objects.create(slug=slug, title=slug, content=content.encode(said), **facts)
    AskVersion.objects.create(
        ask=ask, number=1, content=content.encode(said), approved=timezone.now(), **bounds
    )
    return ask


def slugs(language: str = "en") -> list[str]:
    return [one.slug for one in paper.asks_of(language)]


def test_what_was_approved_is_shown_in_the_languages_it_speaks(desk: Desk) -> None:
    live()
    [shown] = paper.asks_of("en")
    assert (shown.slug, shown.place, shown.most, shown.days) == ("autumn", "message", 3, 30)
    assert (shown.variants[0].title, shown.variants[0].weight) == ("We stay because you read", 2)
    assert slugs("ru") == ["autumn"]
    assert slugs("ar") == []


def test_what_is_being_written_is_not_shown(desk: Desk) -> None:
    ask = live()
    ask.content = content.encode(AskContent(variants=(AskVariant(slug="new", texts=TEXTS),)))
    ask.save()
    [shown] = paper.asks_of("en")
    assert shown.variants[0].slug == "plain"


@pytest.mark.parametrize("state", ["draft", "stopped"])
def test_what_is_a_draft_or_was_taken_down_is_not_shown(desk: Desk, state: str) -> None:
    live(state=state)
    assert slugs() == []


def test_what_is_over_or_far_ahead_is_not_in_the_paper(desk: Desk) -> None:
    now = timezone.now()
    live("over", begins=now - timedelta(days=9), ends=now - timedelta(hours=1))
    live("soon", begins=now + timedelta(hours=3))
    live("later", begins=now + timedelta(days=3))
    assert slugs() == ["soon"]


def test_the_thermometer_goes_in_hundredths_so_that_no_gift_can_be_read_from_it(
    desk: Desk,
) -> None:
    goal = AskContent(variants=SAID.variants, goal=100_000, currency="USD")
    live(said=goal)
    desk.ask()
    today = timezone.localdate()
    desk.give(today)
    assert next(paper.asks_of("en")).reached == 0  # $5 of $1,000: less than a hundredth.
    for days in range(1, 9):
        desk.give(today + timedelta(days=days))
    assert next(paper.asks_of("en")).reached == 4_000  # $45.
    desk.give(today - timedelta(days=1))  # Before the message.
    assert next(paper.asks_of("en")).reached == 4_000


def test_a_whole_site_says_what_is_offered_and_who_asks(desk: Desk, english: Locale) -> None:
    letterbox.ensure_keys(desk.newsroom)
    live()
    site = site_from_desk()
    assert site.gives
    assert [ask.slug for ask in site.language("en").asks] == ["autumn"]
    given = paper.giving()
    assert [(way.via, way.methods) for way in given.ways] == [("stripe", ("card", "apple-pay"))]
    assert given.checkouts == ("https://checkout.stripe.com",)
    assert given.offers == (Offer("monthly", "USD", (500, 1000, 2000), 200, 100_000, 1000),)


def test_without_a_provider_the_paper_asks_for_nothing(desk: Desk, settings: Any) -> None:
    text = desk.newsroom.settings_file.read_text()
    bare = text.replace('[[giving.providers]]\nkind = "stripe"\n', "").replace(
        'methods = ["card", "apple-pay"]\n', ""
    )
    desk.newsroom.settings_file.write_text(bare)
    settings.NEWSROOM = Newsroom(desk.newsroom.folder)
    assert paper.giving().offers == ()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (AskContent(), "nothing in any language"),
        (AskContent(variants=(*SAID.variants, *SAID.variants)), "same name"),
        (AskContent(variants=(AskVariant(slug="a", weight=0, texts=TEXTS),)), "weight"),
        (AskContent(variants=SAID.variants, most=3), "how often"),
        (AskContent(variants=SAID.variants, goal=5), "currency"),
        (AskContent(variants=(AskVariant(slug="a", texts={"en": AskText("x" * 99)}),)), "at most"),
        (AskContent(variants=(AskVariant(slug="a", texts={"en": AskText(" ")}),)), "headline"),
        (
            AskContent(variants=(AskVariant(slug="a", texts={"en": AskText("A", "<script>")}),)),
            "paragraphs",
        ),
    ],
)
def test_what_stands_against_a_message_is_said(wrong: AskContent, said: str) -> None:
    assert any(said in one for one in content.problems(wrong))
    assert list(content.problems(SAID)) == []


def test_what_is_kept_comes_back_as_it_was() -> None:
    assert content.decode(content.encode(SAID)) == SAID


def test_a_giver_comes_back_to_the_paper_also_where_it_is_just_now(
    desk: Desk, tmp_path: Path
) -> None:
    """The demo's paper takes another port where its own is not free."""
    file, secrets = desk.newsroom.settings_file, desk.newsroom.secrets
    file.write_text(file.read_text().replace('"stripe"', '"stripe"\ntill = "till"', 1))
    (secrets / "till").write_text(f"rk_test_{'x' * 32}")
    letterbox.ensure_keys(desk.newsroom)
    newsroom, here = Newsroom(desk.newsroom.folder), "http://127.0.0.1:8011"
    for entries, known in (
        ((), ("https://meridian.example",)),
        ((f"{here}/", here), ("https://meridian.example", here)),
        ((), ("https://meridian.example",)),
    ):
        made = make_drop(tmp_path / "drop", newsroom, url="", port=8002, entries=entries)
        assert made.settings.giving.entries == known
