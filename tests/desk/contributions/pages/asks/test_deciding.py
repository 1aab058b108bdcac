# SPDX-License-Identifier: AGPL-3.0-or-later
"""A second person approves a message; it is looked at, taken down, and an old wording restored."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from django.http import HttpResponse
from django.utils import timezone
from wagtail.models import Locale

from tamizdat.config import Newsroom
from tamizdat.desk.contributions import asking, paper
from tamizdat.desk.contributions.content import AskContent, AskText, AskVariant
from tamizdat.desk.contributions.models import Ask, AskVersion
from tamizdat.desk.newsroom.models import Article, Section
from tamizdat.desk.publishing.models import BuildRequest
from tamizdat.desk.staff.models import User
from tests.desk.contributions.pages.asks.conftest import (
    LIST,
    SAID,
    Writer,
    said,
    words,
    write,
)

OTHER = AskContent(
    variants=(AskVariant(slug="a", texts={"en": AskText("We left", "<p>Far <em>off</em>.</p>")}),)
)


def approve(writer: Writer, ask: Ask, **form: str) -> str:
    now = Ask.objects.get(pk=ask.pk)
    return writer.press(f"{ask.pk}/approve/", **{"seen": asking.stamp(now), **form})


def shown(language: str = "en") -> list[str]:
    return [one.variants[0].title for one in paper.asks_of(language)]


def test_another_person_approves_what_one_wrote(edgar: Writer, petra: Writer, written: Ask) -> None:
    page = words(petra.see(f"{written.pk}/approve/"))
    assert "It was last changed by Edgar; you are the second person." in page
    assert "We stay" in page
    assert "Approved as version 1." in approve(petra, written)
    assert shown() == ["We stay"]
    approve(petra, written)  # A second press.
    assert AskVersion.objects.count() == 1


def test_who_changed_it_last_is_told_that_another_has_to_approve_it(
    petra: Writer, publisher: User
) -> None:
    ask = write(publisher)
    page = petra.see(f"{ask.pk}/approve/")
    assert "another person has to approve it" in words(page)
    assert "Approve it as it is" not in words(page)
    assert "somebody else has to look at it" in approve(petra, ask)
    assert shown() == []


def test_who_calls_it_otherwise_at_the_desk_is_no_second_author(
    edgar: Writer, petra: Writer, written: Ask
) -> None:
    """Else who wrote the words could approve them once somebody had touched the title."""
    petra.send(written, **{"v0-title_en": "We stay, whoever asks"})
    edgar.send(written, **{"title": "Autumn, second", "v0-title_en": "We stay, whoever asks"})
    ask = Ask.objects.get()
    assert ask.title == "Autumn, second"
    said = petra.press(f"{ask.pk}/approve/", seen=asking.stamp(ask))
    assert "You were the last to change it" in said
    assert not AskVersion.objects.exists()


def test_alone_without_four_eyes_one_approves_ones_own(
    petra: Writer, publisher: User, newsroom: Newsroom
) -> None:
    alone = msgspec.structs.replace(newsroom.settings.desk, four_eyes=False)
    newsroom.settings = msgspec.structs.replace(newsroom.settings, desk=alone)
    ask = write(publisher)
    assert "one person is enough" in words(petra.see(f"{ask.pk}/approve/"))
    approve(petra, ask)
    assert shown() == ["We stay"]


def test_an_editor_has_no_button_and_no_way_round_it(edgar: Writer, publisher: User) -> None:
    ask = write(publisher)
    assert "A publisher approves it." in words(edgar.see(f"{ask.pk}/approve/"))
    approve(edgar, ask)
    assert not AskVersion.objects.exists()


def test_what_is_missing_is_said_before_the_button(petra: Writer, editor: User) -> None:
    ask = write(editor, AskContent())
    page = words(petra.see(f"{ask.pk}/approve/"))
    assert "It says nothing in any language" in page
    assert "Approve it as it is" not in page
    assert "It says nothing in any language" in approve(petra, ask)
    assert not AskVersion.objects.exists()


@pytest.mark.parametrize("seen", ["", "x", "old"])
def test_what_was_changed_after_it_was_looked_at_is_not_approved_unseen(
    edgar: Writer, petra: Writer, written: Ask, editor: User, seen: str
) -> None:
    looked_at = asking.stamp(written)
    write(editor, OTHER, ask=written)
    answer = approve(petra, written, seen=looked_at if seen == "old" else seen)
    assert "It was changed meanwhile: look at it once more." in answer
    assert not AskVersion.objects.exists()


def test_what_differs_from_what_readers_see_is_shown_word_by_word(
    petra: Writer, editor: User, live: Ask
) -> None:
    write(editor, OTHER, ask=live)
    page = words(petra.see(f"{live.pk}/approve/"))
    for said_there in ("We stay", "We left", "From **$2**.", "Far *off*.", "Мы остаёмся"):
        assert said_there in page


def test_it_is_taken_down_by_one_and_brought_back_by_another(
    edgar: Writer, petra: Writer, live: Ask
) -> None:
    assert "It is taken down." in edgar.press(f"{live.pk}/stop/")
    edgar.press(f"{live.pk}/stop/")
    assert shown() == []
    page = words(petra.see(f"{live.pk}/approve/"))
    assert "Approve it and bring it back" in page
    approve(petra, live)
    assert shown() == ["We stay"]
    assert AskVersion.objects.count() == 1


def test_whether_readers_see_it_already_is_said(
    petra: Writer, written: Ask, django_capture_on_commit_callbacks: Any
) -> None:
    assert "Readers have not seen it yet." in words(petra.see(f"{written.pk}/approve/"))
    with django_capture_on_commit_callbacks(execute=True):
        approve(petra, written)
    reach = petra.see(f"{written.pk}/reach/")
    assert "none is running" in words(reach)
    assert reach["X-Waiting"] == "yes"
    now = timezone.now()
    BuildRequest.objects.update(state="live", started=now, finished=now, edition=3)
    reach = petra.see(f"{written.pk}/reach/")
    assert "Readers see it since" in words(reach)
    assert reach["X-Waiting"] == "no"
    petra.press(f"{written.pk}/stop/")
    assert "Readers see it no longer since" in words(petra.see(f"{written.pk}/reach/"))
    BuildRequest.objects.create(kind="refresh", state="failed", error="The disk is full.")
    assert "The disk is full." in words(petra.see(f"{written.pk}/reach/"))


def test_the_home_page_tells_who_may_be_the_second_of_what_waits(
    edgar: Writer, petra: Writer, editor: User, publisher: User
) -> None:
    ask = write(editor)
    write(publisher, slug="hers", title="Hers")
    write(editor, AskContent(), slug="half", title="Half")
    home = words(petra.client.get("/desk/"))
    assert "Approve a message: Autumn" in home
    assert "Hers" not in home
    assert "Half" not in home
    assert "Approve a message" not in words(edgar.client.get("/desk/"))
    approve(petra, ask)
    assert "Approve a message" not in words(petra.client.get("/desk/"))


def test_one_that_begins_later_says_so(petra: Writer, editor: User) -> None:
    ask = write(editor, begins=timezone.now() + timedelta(days=2))
    approve(petra, ask)
    assert "shows itself when its time comes" in words(petra.see(f"{ask.pk}/approve/"))


# History


def test_the_history_names_who_wrote_who_approved_and_what_differed(
    petra: Writer, edgar: Writer, editor: User, live: Ask
) -> None:
    write(editor, OTHER, ask=live)
    approve(petra, live)
    write(editor, SAID, ask=live)
    page = words(edgar.see(f"{live.pk}/history/"))
    for said_there in ("Written since, not approved", "Version 2", "Version 1", "by Petra",
                       "written by Edgar", "We stay", "We left"):  # fmt: skip
        assert said_there in page


def test_an_old_wording_comes_back_as_a_draft(
    petra: Writer, edgar: Writer, editor: User, live: Ask
) -> None:
    write(editor, OTHER, ask=live)
    approve(petra, live)
    page = edgar.see(f"{live.pk}/history/1/")
    assert "Version 1 becomes the draft." in words(page)
    assert "We stay" in words(page)
    answer = edgar.press(f"{live.pk}/history/1/", seen=page.context["seen"])
    assert "Version 1 is the draft now." in answer
    assert said(live) == SAID
    assert shown() == ["We left"]
    assert "says already" in words(edgar.see(f"{live.pk}/history/1/"))


def test_an_old_wording_overwrites_nothing_unseen(
    petra: Writer, edgar: Writer, editor: User, live: Ask
) -> None:
    seen = edgar.see(f"{live.pk}/history/1/").context["seen"]
    write(editor, OTHER, ask=live)
    assert "It was changed meanwhile" in edgar.press(f"{live.pk}/history/1/", seen=seen)
    assert said(live) == OTHER
    assert edgar.see(f"{live.pk}/history/9/").status_code == 404


def test_without_versions_the_history_says_so(edgar: Writer, written: Ask) -> None:
    assert "Nobody has approved it yet" in words(edgar.see(f"{written.pk}/history/"))


# Preview


def frame(writer: Writer, ask: Ask, query: str = "") -> HttpResponse:
    return writer.client.get(f"{LIST}{ask.pk}/frame/{query}")


def test_it_is_looked_at_in_a_real_article_by_the_papers_own_theme(
    edgar: Writer, written: Ask, publish: Callable[..., Article]
) -> None:
    publish("Ferry crews end their strike")
    page = edgar.see(f"{written.pk}/preview/")
    assert "on “Ferry crews end their strike”" in words(page)
    assert page.content.decode().count("<iframe") == 2
    shown_there = frame(edgar, written)
    html = shown_there.content.decode()
    policy = shown_there["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
    assert "<p>The crews went back.</p>" in html
    message = html[html.index('id="the-message"') :]
    assert "<h2>We stay</h2>" in message
    assert "<p>From <strong>$2</strong>.</p>" in message
    assert 'href="https://meridian.example/en/support/#' in message
    assert "data-variant" not in html
    assert "<script src" not in html
    assert "<link" not in html
    assert "http-equiv" not in html
    assert re.findall(r'(?:src|href)="(https?://[^/"]*)', html).count(
        "https://meridian.example"
    ) == len(re.findall(r'(?:src|href)="https?://', html))


def test_language_variant_and_light_are_chosen(
    edgar: Writer, editor: User, publish: Callable[..., Article], russian: Locale, novosti: Section
) -> None:
    publish("Boats run")
    publish("Лодки ходят", locale=russian, section=novosti, slug="lodki")
    two = AskVariant(slug="b", texts={"en": AskText("Second"), "ru": AskText("Второй")})
    ask = write(editor, AskContent(variants=(*SAID.variants, two), goal=100_000, currency="USD"))
    html = frame(edgar, ask, "?variant=b&language=ru&light=dark").content.decode()
    assert "<h2>Второй</h2>" in html
    assert "Лодки ходят" in html
    assert "<progress" in html
    assert "@media (min-width: 0)" in html
    assert "prefers-color-scheme" not in html
    assert "@media (max-width: 0)" in frame(edgar, ask, "?light=light").content.decode()
    for broken in ("?variant=z", "?language=xx", "?language=", "?variant="):
        assert frame(edgar, ask, broken).status_code == 404
        assert edgar.client.get(f"{LIST}{ask.pk}/preview/{broken}").status_code == 404


@pytest.mark.parametrize("place", ["ribbon", "thanks"])
def test_each_place_has_its_page(
    edgar: Writer, editor: User, publish: Callable[..., Article], place: str
) -> None:
    publish("Boats run")
    ask = write(editor, place=place)
    html = frame(edgar, ask).content.decode()
    assert f'class="{place}" id="the-message"' in html
    assert "We stay" in html


def test_it_is_shown_on_no_sensitive_article_and_first_in_its_sections(
    edgar: Writer, editor: User, publish: Callable[..., Article], culture: Section
) -> None:
    publish("A play opens", section=culture)
    publish("Boats run")
    publish("A witness speaks", sensitive=True)
    assert "Boats run" in frame(edgar, write(editor)).content.decode()
    ask = write(editor, AskContent(variants=SAID.variants, sections=("culture",)), slug="plays")
    assert "on “A play opens”" in words(edgar.see(f"{ask.pk}/preview/"))


def test_what_keeps_it_from_being_shown_is_said(
    edgar: Writer, editor: User, written: Ask, publish: Callable[..., Article], newsroom: Newsroom
) -> None:
    assert "Nothing is published in English yet" in words(edgar.see(f"{written.pk}/preview/"))
    publish("Boats run")
    empty = write(editor, AskContent(), slug="empty")
    assert "It says nothing yet" in words(edgar.see(f"{empty.pk}/preview/"))
    assert frame(edgar, empty).status_code == 404
    half = write(editor, OTHER, slug="half")
    said_there = words(edgar.client.get(f"{LIST}{half.pk}/preview/?language=ru"))
    assert "says nothing in Русский yet" in said_there
    nothing = msgspec.structs.replace(newsroom.settings.giving, providers=(), offers=())
    newsroom.settings = msgspec.structs.replace(newsroom.settings, giving=nothing)
    assert "as long as readers cannot give" in words(edgar.see(f"{written.pk}/preview/"))
    assert "as long as readers cannot give" in words(frame(edgar, written))
