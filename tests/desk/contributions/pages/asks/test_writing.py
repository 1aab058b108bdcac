# SPDX-License-Identifier: AGPL-3.0-or-later
"""Messages to readers are written at the desk: nothing typed is lost, nothing wrong gets in."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone

from tamizdat.desk.contributions import asking, content
from tamizdat.desk.contributions.content import AskContent, AskText, AskVariant
from tamizdat.desk.contributions.models import Ask
from tamizdat.desk.newsroom.models import Section
from tamizdat.desk.staff.models import User
from tamizdat.giving.choice import Offer
from tests.desk.contributions.pages.asks.conftest import (
    LIST,
    SAID,
    Writer,
    rich,
    said,
    variant,
    words,
    write,
)

HOSTILE = "<script>alert(1)</script>"


def linked(data: dict[str, Any]) -> str:
    """A text with a link, as the editor says it."""
    sent = json.loads(rich("Text"))
    sent["blocks"][0]["entityRanges"] = [{"offset": 0, "length": 4, "key": 0}]
    sent["entityMap"]["0"] = {"type": "LINK", "mutability": "MUTABLE", "data": data}
    return json.dumps(sent)


def errors(answer: HttpResponse) -> list[str]:
    """What is said at the fields of a form that was not taken."""
    assert answer.status_code == 200
    sheet = answer.context["sheet"]
    forms = [sheet.form, *sheet.variants.values()]
    return [f"{name}: {e}" for form in forms for name, all_ in form.errors.items() for e in all_]


def test_a_message_is_written_in_two_languages_and_kept_as_a_draft(edgar: Writer) -> None:
    answer = edgar.send()
    ask = Ask.objects.get()
    assert answer["Location"] == f"{LIST}{ask.pk}/"
    assert (ask.slug, ask.title, ask.place, ask.state) == ("autumn", "Autumn", "message", "draft")
    [one] = said().variants
    assert one.texts == {
        "en": AskText("We stay", "<p>From two dollars.</p>"),
        "ru": AskText("Мы остаёмся", "<p>От двух.</p>"),
    }
    assert str(ask.changed_by) == "edgar"
    assert "We stay" in edgar.see(f"{ask.pk}/").content.decode()


def test_a_language_left_empty_is_not_spoken(edgar: Writer) -> None:
    edgar.send(**{"v0-title_ru": "", "v0-text_ru": ""})
    assert said().languages == ["en"]


def test_what_a_form_says_is_what_it_shows_again(edgar: Writer, news: Section) -> None:
    offers = {"v0-card_monthly_USD_1": "3", "v0-card_monthly_USD_2": "7.50",
              "v0-best_monthly_USD": "2", "v0-card_once_KWD_1": "1.250"}  # fmt: skip
    edgar.send(
        begins="2027-03-01T09:00", ends="2027-04-01T09:00", sections=["news"], most="3", days="30",
        goal="5000.00", currency="USD", **offers,
    )  # fmt: skip
    ask, kept = Ask.objects.get(), said()
    assert ask.begins == datetime(2027, 3, 1, 7, tzinfo=UTC)
    assert (kept.sections, kept.most, kept.days) == (("news",), 3, 30)
    assert (kept.goal, kept.currency) == (500_000, "USD")
    assert kept.variants[0].offers == (
        Offer("monthly", "USD", (300, 750), 200, 100_000, 750),
        Offer("once", "KWD", (1250,), 500, 100_000),
    )
    page = edgar.see(f"{ask.pk}/")
    form = page.context["sheet"].form
    assert form["goal"].value() == "5000.00"
    shown = page.content.decode()
    for value in ("2027-03-01T09:00", "2027-04-01T09:00", "7.50", "1.250", "5000.00"):
        assert f'value="{value}"' in shown
    # Saved as it stands, it is unchanged: nobody else becomes its author.
    before = ask.changed
    edgar.send(
        ask, begins="2027-03-01T09:00", ends="2027-04-01T09:00", sections=["news"], most="3",
        days="30", goal="5000.00", currency="USD", **offers,
    )  # fmt: skip
    ask.refresh_from_db()
    assert ask.changed == before


@pytest.mark.parametrize(
    ("typed", "currency", "kept"),
    [("5000", "USD", 500_000), ("5000", "JPY", 5000), ("5000.125", "KWD", 5_000_125),
     ("0,5", "KWD", 500), ("12 000", "USD", None), ("5,000", "USD", None),
     ("5.000", "JPY", None), ("1.5", "JPY", None), ("-5", "USD", None), ("0", "USD", None),
     ("1e9", "USD", None), ("5000", "", None), ("9" * 30, "USD", None), ("5", "XYZ", None)],
)  # fmt: skip
def test_a_goal_is_read_to_the_last_unit_or_not_at_all(
    edgar: Writer, typed: str, currency: str, kept: int | None
) -> None:
    answer = edgar.send(goal=typed, currency=currency)
    if kept is not None:
        assert said().goal == kept
        return
    assert not Ask.objects.exists()
    assert len(errors(answer)) == 1
    assert f'value="{typed}"' in answer.content.decode()


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"title": ""}, "title: This field is required."),
        ({"slug": "Autumn_1"}, "slug: Use small letters"),
        ({"slug": "-a"}, "slug: Use small letters"),
        ({"place": "everywhere"}, "place: Select a valid choice"),
        ({"begins": "tomorrow"}, "begins: Enter a valid date/time."),
        ({"begins": "2027-03-02T09:00", "ends": "2027-03-01T09:00"}, "ends: It ends before"),
        ({"sections": ["nowhere"]}, "sections: Select a valid choice"),
        ({"most": "3"}, "days: Say both"),
        ({"most": "-1", "days": "3"}, "most: Ensure this value"),
        ({"most": "1", "days": "400"}, "days: Ensure this value"),
        ({"v0-name": "Ä"}, "name: Use small letters"),
        ({"v0-weight": "-1"}, "weight: Ensure this value"),
        ({"v0-weight": "1001"}, "weight: Ensure this value"),
        ({"v0-weight": "many"}, "weight: Enter a whole number."),
        ({"v0-title_en": "x" * 91}, "title_en: It has 91 characters: 90 at most."),
        ({"v0-button_en": "x" * 31}, "button_en: It has 31 characters"),
        ({"v0-text_en": rich("x" * 901)}, "text_en: It has 901 characters"),
        ({"v0-title_en": ""}, "title_en: It needs a headline."),
        ({"v0-card_monthly_USD_1": "1"}, "card_monthly_USD_1: From 2.00 to 1000.00"),
        ({"v0-card_once_JPY_1": "500.5"}, "card_once_JPY_1: JPY has no more than 0 digits"),
        ({"v0-card_once_KWD_1": "0.4999"}, "card_once_KWD_1: Write the amount in digits"),
        ({"v0-best_monthly_USD": "2"}, "best_monthly_USD: That amount is empty."),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(
    edgar: Writer, changed: dict[str, Any], wrong: str
) -> None:
    answer = edgar.send(**{"title": "Winter is coming", **changed})
    assert not Ask.objects.exists()
    [said_at] = errors(answer)
    assert said_at.startswith(wrong)
    shown = answer.content.decode()
    assert "Мы остаёмся" in shown
    for value in changed.values():
        if isinstance(value, str) and value and not value.startswith("{"):
            assert value in shown


def test_a_thank_you_stands_in_no_section(edgar: Writer, news: Section) -> None:
    answer = edgar.send(place="thanks", sections=["news"])
    assert errors(answer) == ["sections: A thank-you stands in no section: tick none."]


def test_a_section_and_its_translation_are_one_box(
    edgar: Writer, news: Section, culture: Section, novosti: Section
) -> None:
    edgar.send(sections=["news"])
    ask = Ask.objects.get()
    assert said().sections == ("news", "novosti")
    form = edgar.see(f"{ask.pk}/").context["sheet"].form
    assert [box.title for box in form.boxes] == ["News · Новости", "Culture"]
    assert form["sections"].value() == ["news"]


def test_a_section_that_is_gone_stays_until_somebody_clears_it(
    edgar: Writer, editor: User, culture: Section
) -> None:
    ask = write(editor, AskContent(variants=SAID.variants, sections=("old",)))
    assert "“old”, which the paper no longer has" in words(edgar.see(f"{ask.pk}/"))
    edgar.send(ask, sections=["culture"])
    assert said(ask).sections == ("culture",)


@pytest.mark.parametrize(
    "sent",
    [
        "no JSON", "[]", "null", "{}", '{"blocks": 3, "entityMap": {}}', "[" * 100_000,
        '{"blocks": [{"text": 1}], "entityMap": {}}',
        rich("\ud800"), linked({"id": "abc"}), linked({"id": 10**30}), linked({"id": [1]}),
    ],
)  # fmt: skip
def test_a_text_that_no_editor_sends_is_no_fault_of_the_desk(edgar: Writer, sent: str) -> None:
    answer = edgar.send(**{"v0-text_en": sent})
    assert answer.status_code in (200, 302)
    if answer.status_code == 200:
        assert errors(answer) == ["text_en: The text could not be read. Write it once more."]


@pytest.mark.parametrize("mark", ["<p>a", "<ul><li>", "<a href='https://x.example/'>", "<", "x"])
def test_a_book_in_the_place_of_a_text_is_told_and_kept(edgar: Writer, mark: str) -> None:
    answer = edgar.send(**{"v0-text_en-typed": mark * (400_000 // len(mark))})
    [said] = errors(answer)
    assert said.endswith("900 at most.")
    box = answer.content.decode().partition('name="v0-text_en-typed"')[2]
    assert unescape(box.partition(">")[2][:4000]).startswith(mark * 20)


@pytest.mark.parametrize("sent", [{"begins": "0001-01-01T00:00"}, {"ends": "9999-12-31T23:59"}])
@pytest.mark.parametrize("zone", ["Europe/Vilnius", "America/Lima"])
def test_the_ends_of_all_time_are_no_time_for_a_message(
    edgar: Writer, settings: Any, sent: dict[str, str], zone: str
) -> None:
    settings.TIME_ZONE = zone
    [said] = errors(edgar.send(**sent))
    assert said.endswith("Choose a year from 2000 to 2199.")


def test_html_that_was_sent_runs_nowhere(edgar: Writer, petra: Writer) -> None:
    linked = {"entityMap": {"0": {"type": "LINK", "mutability": "MUTABLE",
              "data": {"url": "javascript:alert(1)"}}}}  # fmt: skip
    blocks = json.loads(rich(f"Text {HOSTILE}"))["blocks"]
    blocks[0]["entityRanges"] = [{"offset": 0, "length": 4, "key": 0}]
    edgar.send(
        title=f"T {HOSTILE}",
        **{
            "v0-title_en": HOSTILE,
            "v0-text_en": json.dumps({"blocks": blocks, **linked}),
            "v0-button_en": "<b>x</b>",
        },
    )
    ask = Ask.objects.get()
    text = said().variants[0].texts["en"]
    assert text.html == "<p>Text &lt;script&gt;alert(1)&lt;/script&gt;</p>"
    assert list(content.problems(said())) == []
    pk = ask.pk
    for path in ("", f"{pk}/", f"{pk}/preview/", f"{pk}/approve/", f"{pk}/history/"):
        assert HOSTILE not in edgar.see(path).content.decode()
    petra.press(f"{pk}/approve/", seen=asking.stamp(ask))
    assert HOSTILE not in petra.see(f"{pk}/history/").content.decode()


def test_headings_pictures_and_lists_are_no_part_of_a_text(edgar: Writer) -> None:
    edgar.send(**{"v0-text_en": rich("Big", type="header-two")})
    for one in said().variants if Ask.objects.exists() else ():
        assert content.is_simple(one.texts["en"].html)
    answer = edgar.send(slug="b", **{"v0-text_en-typed": "<h2>Big</h2><p>small</p>"})
    assert errors(answer) == ["text_en: Use paragraphs, bold, italics and links, and nothing else."]


def test_without_script_a_text_is_typed_in_a_plain_box(edgar: Writer) -> None:
    edgar.send(**{"v0-text_en-typed": "From $2 & more.\r\n\r\nEvery month.\r\nOr once."})
    html = said().variants[0].texts["en"].html
    assert html == "<p>From $2 &amp; more.</p>\n<p>Every month.<br>Or once.</p>"
    page = edgar.see(f"{Ask.objects.get().pk}/").content.decode()
    assert '<noscript><textarea name="v0-text_en-typed"' in page


def test_a_variant_is_added_by_a_button_and_judges_nothing_that_is_half_written(
    edgar: Writer,
) -> None:
    answer = edgar.send(slug="", add="1", **{"v0-title_en": "Half", "v0-weight": ""})
    assert not Ask.objects.exists()
    page = answer.content.decode()
    assert errors(answer) == []
    assert 'value="Half"' in page
    assert 'name="variant" value="1"' in page
    assert answer.context["sheet"].variants[1]["name"].value() == "b"
    edgar.send(variant=["0", "1"], **variant(1, weight="3"))
    assert [(one.slug, one.weight) for one in said().variants] == [("a", 1), ("b", 3)]


def test_a_variant_is_taken_out_and_the_others_keep_their_words(edgar: Writer) -> None:
    two = {"variant": ["0", "1", "2"], **variant(1), **variant(2, title_en="Third")}
    answer = edgar.send(remove="1", **two)
    sheet = answer.context["sheet"]
    assert [one["name"].value() for one in sheet.variants.values()] == ["a", "c"]
    assert 'value="Third"' in answer.content.decode()
    edgar.send(**{**two, "variant": ["0", "2"]})
    assert [one.slug for one in said().variants] == ["a", "c"]
    assert [*edgar.send(remove="0").context["sheet"].variants] == [0]  # The last one stays.
    for odd in ("x", "", "9" * 5000):
        assert edgar.send(remove=odd, slug="n").status_code == 200


def test_there_are_six_variants_at_most(edgar: Writer) -> None:
    keys = [str(n) for n in range(6)]
    many = {name: value for n in range(6) for name, value in variant(n).items()}
    answer = edgar.send(add="1", variant=keys, **many)
    assert len(answer.context["sheet"].variants) == 6
    assert "6 variants are the most" in words(answer)
    answer = edgar.send(variant=[str(n) for n in range(500)], **many)
    assert len(said().variants) == 6


@pytest.mark.parametrize("keys", [[], ["x"], ["-1"], ["9" * 400], ["0", "0"]])
def test_a_form_that_no_page_sends_breaks_nothing(edgar: Writer, keys: list[str]) -> None:
    assert edgar.send(variant=keys).status_code in (200, 302)


def test_variants_have_different_names(edgar: Writer) -> None:
    answer = edgar.send(variant=["0", "1"], **variant(1, name="a"))
    assert errors(answer) == ["name: Another variant has this name."]


def test_a_language_that_the_paper_does_not_have_is_passed_over(edgar: Writer) -> None:
    edgar.send(**{"v0-title_xx": "Hello", "v0-text_xx": rich("x")})
    assert set(said().variants[0].texts) == {"en", "ru"}


def test_what_is_kept_in_a_language_that_the_paper_gave_up_stays(
    edgar: Writer, editor: User
) -> None:
    texts = {**SAID.variants[0].texts, "ar": AskText("نحن هنا")}
    ask = write(editor, AskContent(variants=(AskVariant(slug="a", texts=texts),)))
    edgar.send(ask)
    assert said(ask).variants[0].texts["ar"] == AskText("نحن هنا")


def test_amounts_that_the_newsroom_gave_up_are_named_and_cleared(
    edgar: Writer, editor: User
) -> None:
    old = Offer("annual", "EUR", (5000,), 1000, 100_000)
    one = AskVariant(slug="a", texts=SAID.variants[0].texts, offers=(old,))
    ask = write(editor, AskContent(variants=(one,)))
    assert "no longer offered: leave it empty" in words(edgar.see(f"{ask.pk}/"))
    assert "Annual in EUR is not offered" in words(edgar.see(f"{ask.pk}/approve/")) or (
        "annual in EUR is not offered by the newsroom" in words(edgar.see(f"{ask.pk}/approve/"))
    )
    [wrong] = errors(edgar.send(ask, **{"v0-card_annual_EUR_1": "50"}))
    assert "no longer offers this" in wrong
    edgar.send(ask)
    assert said(ask).variants[0].offers == ()


def test_two_who_edit_are_told_of_each_other_and_nothing_is_overwritten_unseen(
    edgar: Writer, petra: Writer, written: Ask
) -> None:
    opened = asking.stamp(written)
    petra.send(written, **{"v0-title_en": "Petra's words"})
    late = {"seen": opened, "v0-title_en": "Edgar's words"}
    answer = edgar.send(written, **late)
    assert said(written).variants[0].texts["en"].title == "Petra's words"
    page = words(answer)
    assert "Petra changed it at" in page
    assert "Petra's words" in page
    assert "Edgar's words" in page
    # What he typed stands there; saved knowingly, it takes the place of hers.
    edgar.send(written, **{**late, "seen": answer.context["seen"]})
    assert said(written).variants[0].texts["en"].title == "Edgar's words"


@pytest.mark.parametrize("seen", ["", "x", "2020-01-01T00:00:00+00:00", "\x00"])
def test_a_form_that_does_not_say_what_it_was_opened_on_overwrites_nothing(
    edgar: Writer, petra: Writer, written: Ask, seen: str
) -> None:
    edgar.send(written, seen=seen, **{"v0-title_en": "Mine"})
    assert said(written).variants[0].texts["en"].title == "We stay"


def test_a_form_sent_twice_is_one_message(edgar: Writer) -> None:
    first, again = edgar.send(), edgar.send()
    assert first["Location"] == again["Location"]
    ask = Ask.objects.get()
    stale = edgar.form(seen="", **{"v0-title_en": "We go"})
    edgar.send(ask, **{"v0-title_en": "We go"})
    answer = edgar.client.post(f"{LIST}{ask.pk}/", stale)
    assert answer.status_code == 302  # The same words: nothing to be said.
    answer = edgar.send(**{"v0-title_en": "Another"})
    assert errors(answer) == ["slug: Another message has this short name."]


def test_what_was_approved_keeps_its_short_name_and_place(edgar: Writer, live: Ask) -> None:
    page = words(edgar.see(f"{live.pk}/"))
    assert "It stays: gifts that this message brought bear it." in page
    edgar.send(live, slug="other", place="ribbon", title="New title")
    live.refresh_from_db()
    assert (live.slug, live.place, live.title) == ("autumn", "message", "New title")


def test_save_and_preview_leads_there(edgar: Writer, written: Ask) -> None:
    answer = edgar.send(written, then="preview")
    assert answer["Location"] == f"{LIST}{written.pk}/preview/"


def test_content_that_is_no_message_can_be_mended(edgar: Writer, written: Ask) -> None:
    Ask.objects.filter(pk=written.pk).update(content={"variants": 3})
    for path in ("", f"{written.pk}/", f"{written.pk}/preview/", f"{written.pk}/history/"):
        assert edgar.see(path).status_code == 200
    assert "cannot be read: write it anew" in words(edgar.see(f"{written.pk}/approve/"))
    edgar.send(written)
    assert said(written).languages == ["en", "ru"]


def test_seconds_that_the_form_cannot_show_are_kept(edgar: Writer, editor: User) -> None:
    begins = datetime(2027, 3, 1, 7, 0, 30, tzinfo=UTC)
    ask = write(editor, begins=begins)
    edgar.send(ask, begins="2027-03-01T09:00")
    ask.refresh_from_db()
    assert ask.begins == begins


# The list


def test_the_empty_list_says_what_a_message_is(edgar: Writer) -> None:
    page = words(edgar.see())
    assert "what the newsroom says to its readers to be supported" in page
    assert "Write the first one" in page


def test_the_list_says_where_each_stands_and_is_filtered(
    edgar: Writer, editor: User, publisher: User
) -> None:
    now = timezone.now()
    bounds: dict[str, dict[str, Any]] = {
        "draft": {}, "live": {}, "waits": {}, "stopped": {},
        "scheduled": {"begins": now + timedelta(days=1), "ends": now + timedelta(days=9)},
        "over": {"begins": now - timedelta(days=9), "ends": now - timedelta(days=1)},
    }  # fmt: skip
    for slug, more in bounds.items():
        place = "ribbon" if slug == "live" else "message"
        ask = write(editor, slug=slug, title=f"The {slug} one", place=place, **more)
        if slug != "draft":
            asking.approve_ask(ask=ask, acting_user=publisher)
        if slug == "stopped":
            asking.stop_ask(ask=ask, acting_user=editor)
        if slug == "waits":
            other = AskContent(variants=(AskVariant(slug="a", texts={"en": AskText("New")}),))
            write(editor, other, ask=ask, slug=slug, title=f"The {slug} one")

    def shown(query: str = "") -> set[str]:
        rows = edgar.client.get(f"{LIST}{query}").context["rows"]
        return {row.ask.slug for row in rows}

    assert shown() == set(bounds)
    for state in bounds:
        wanted = {"live", "waits"} if state == "live" else {state}
        assert shown(f"?state={state}") == wanted
    assert shown("?place=ribbon") == {"live"}
    assert shown("?place=ribbon&state=over") == set()
    assert shown("?place=x&state=y&p=z") == set(bounds)
    page = words(edgar.see())
    assert "Changes wait for approval" in page
    assert "English, Русский" in page
    assert "Edgar" in page
    assert "No message is like that" in words(edgar.client.get(f"{LIST}?place=thanks"))


def test_the_list_costs_the_same_whatever_its_length(
    edgar: Writer, editor: User, publisher: User, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        ask = write(editor, slug=f"m{number}", title=str(number))
        asking.approve_ask(ask=ask, acting_user=publisher)
    edgar.see()
    with django_assert_max_num_queries(30):
        edgar.see()


def test_a_newsroom_in_which_nobody_can_give_is_told(edgar: Writer, settings: Any) -> None:
    file = settings.NEWSROOM.folder / "tamizdat.toml"
    file.write_text(file.read_text().split("[giving]")[0])
    settings.NEWSROOM = type(settings.NEWSROOM)(settings.NEWSROOM.folder)
    assert "Readers cannot give yet" in words(edgar.see())
    assert edgar.see("new/").status_code == 200


def test_reporters_and_others_see_nothing_of_it(
    newsroom: Any, reporter: User, operator: User, written: Ask, client: Client
) -> None:
    paths = ("", "new/", *(f"{written.pk}/{p}" for p in ("", "preview/", "frame/", "approve/",
             "reach/", "history/", "history/1/")))  # fmt: skip
    for user in (reporter, operator):
        client.force_login(user)
        assert "Messages" not in client.get("/desk/").content.decode()
        for path in paths:
            answer = client.get(f"{LIST}{path}")
            assert answer.status_code in (302, 403)
            assert "Autumn" not in client.get(f"{LIST}{path}", follow=True).content.decode()
