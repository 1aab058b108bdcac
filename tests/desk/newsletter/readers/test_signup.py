# SPDX-License-Identifier: AGPL-3.0-or-later
"""Signing up: one mail that asks, a link that confirms, and nothing for who only guesses."""

from __future__ import annotations

import datetime
import logging
from datetime import UTC, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from tamizdat.desk.newsletter import signup
from tamizdat.desk.newsletter.models import Newsletter, Subscription
from tamizdat.desk.newsroom.models import SitePage, SitePageVersion
from tamizdat.desk.outgoing import suppression
from tamizdat.desk.outgoing.links import Purpose, day_stamp
from tamizdat.desk.outgoing.models import Mail, Suppression
from tamizdat.desk.readers import requests, rotation
from tamizdat.desk.readers.models import Consent, Reader
from tests.desk.newsletter.readers.conftest import ADA, Desk, make_newsletter

Reason = Suppression.Reason


def test_a_sign_up_asks_by_one_mail_and_nothing_begins(desk: Desk) -> None:
    desk.sign_up()
    assert desk.state() == "pending"
    [(purpose, letter)] = desk.mails()
    assert purpose == "confirm"
    assert letter.notice is not None
    assert "The Weekly" in letter.notice.subject
    assert letter.notice.url.startswith("https://drop.example/v1/confirm/")
    assert letter.notice.url.endswith("?language=en")
    assert desk.said() == ["asked"]


def test_the_button_behind_the_link_begins_it_with_proof(desk: Desk) -> None:
    desk.sign_up(privacy=1)
    token = desk.token()
    desk.take("confirm", token=token)
    assert desk.state() == "active"
    asked, confirmed = Consent.objects.order_by("pk")
    assert (asked.form, asked.privacy, asked.language) == ("front", 1, "en")
    assert (confirmed.event, confirmed.privacy, len(confirmed.proof)) == ("confirmed", 1, 64)
    assert len(desk.mails()) == 1  # The page says what happens next: no further mail.


def test_no_table_shows_the_address_or_the_link(desk: Desk) -> None:
    desk.sign_up("canary@post.example")
    token = desk.token("canary@post.example")
    desk.take("confirm", token=token)
    for model in (Reader, Consent, Subscription, Mail):
        for row in model.objects.values():
            for value in row.values():
                text = (
                    bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
                )
                assert b"canary" not in text
                assert token.encode() not in text


def test_the_mail_is_in_the_words_of_the_form(desk: Desk) -> None:
    desk.sign_up(language="ru")
    desk.sign_up("basma@post.example", language="ar")
    desk.sign_up("cyril@post.example", language="xx")
    letters = [
        desk.mails(a)[0][1].notice for a in (ADA, "basma@post.example", "cyril@post.example")
    ]
    assert [(n.language, n.direction) for n in letters if n] == [
        ("ru", "ltr"),
        ("ar", "rtl"),
        ("en", "ltr"),
    ]
    assert letters[0] is not None
    assert letters[0].subject.startswith("Подтвердите")


def test_confirming_twice_is_confirming_once(desk: Desk) -> None:
    desk.sign_up()
    token = desk.token()
    for _ in range(3):
        desk.take("confirm", token=token)
    assert desk.said() == ["asked", "confirmed"]
    assert desk.state() == "active"


def test_capitals_are_the_same_reader(desk: Desk) -> None:
    desk.sign_up("Ada@Post.example")
    desk.sign_up("ada@POST.EXAMPLE")
    assert Reader.objects.count() == Subscription.objects.count() == 1
    desk.take("confirm", token=desk.token())
    assert desk.state() == "active"


def test_an_earlier_link_works_as_well_as_the_latest(desk: Desk) -> None:
    desk.sign_up()
    first = desk.token()
    desk.sign_up()
    desk.take("confirm", token=first)
    assert desk.state() == "active"
    desk.take("confirm", token=desk.token())
    assert desk.state() == "active"


def test_one_link_confirms_all_that_its_mail_named_and_no_more(desk: Desk) -> None:
    make_newsletter("third", "A third")
    desk.sign_up(ADA, "weekly", "harbour")
    token = desk.token()
    desk.sign_up(ADA, "third")
    desk.take("confirm", token=token)
    assert [desk.state(slug=s) for s in ("weekly", "harbour", "third")] == [
        "active",
        "active",
        "pending",
    ]


def test_who_is_subscribed_already_is_told_so_in_private(desk: Desk) -> None:
    desk.join()
    desk.sign_up("ADA@post.example")
    purpose, letter = desk.mails()[-1]
    assert purpose == "known"
    assert letter.notice is not None
    assert "/v1/preferences/" in letter.notice.url
    assert desk.said() == ["asked", "confirmed"]
    desk.sign_up()
    assert desk.purposes() == ["confirm", "known"]  # Not again on the same day.


def test_only_what_is_new_is_asked_for(desk: Desk) -> None:
    desk.join()
    desk.sign_up(ADA, "weekly", "harbour")
    letter = desk.mails()[-1][1]
    assert letter.notice is not None
    assert "Harbour Notes" in letter.notice.subject
    assert "The Weekly" not in letter.notice.subject


def test_nobody_can_flood_a_mailbox_through_our_forms(desk: Desk) -> None:
    for _ in range(10):
        desk.sign_up()
    assert len(desk.mails()) == signup.ASKING.a_day
    assert Consent.objects.count() == signup.ASKING.a_day
    now = timezone.now()
    for days in range(1, 6):
        Mail.objects.filter(created__gt=now - timedelta(hours=1)).update(
            created=now - timedelta(days=days)
        )
        for _ in range(3):
            desk.sign_up()
    assert len(desk.mails()) == signup.ASKING.a_week


def test_tags_make_no_mailbox_of_their_own_but_subscribers(desk: Desk) -> None:
    tagged = [f"ada+{n}@post.example" for n in range(6)]
    for address in ("Ada@post.example", *tagged):
        desk.sign_up(address)
    asked = [address for address in (ADA, *tagged) if desk.mails(address)]
    assert asked == [ADA, *tagged[: signup.ASKING.a_day - 1]]
    assert Reader.objects.count() == len(asked), "what goes beyond is not kept"
    for address in asked:
        desk.take("confirm", token=desk.token(address))
    assert Subscription.objects.filter(state="active").count() == signup.ASKING.a_day


def test_a_new_key_of_the_vault_does_not_hold_up_sign_ups(desk: Desk) -> None:
    for _ in range(signup.ASKING.a_day):
        desk.sign_up()
    rotation.run(desk.vault)
    desk.sign_up("ada+other@post.example")
    desk.sign_up()
    assert len(desk.mails()) == signup.ASKING.a_day


def test_another_mailbox_is_not_held_up_by_it(desk: Desk) -> None:
    for _ in range(5):
        desk.sign_up()
    desk.sign_up("bela@post.example")
    assert desk.purposes("bela@post.example") == ["confirm"]


@pytest.mark.parametrize("reason", [Reason.HARD, Reason.SOFT, Reason.COMPLAINT, Reason.IMPORTED])
def test_a_suppressed_reader_comes_back_by_confirming_and_only_so(
    desk: Desk, reason: Suppression.Reason
) -> None:
    reader = desk.join().reader
    suppression.suppress(reader=reader, reason=reason)
    desk.sign_up()
    assert desk.purposes()[-1] == "confirm"
    assert suppression.in_force(reader) is not None
    desk.take("confirm", token=desk.token())
    assert suppression.in_force(reader) is None
    assert desk.state() == "active"


def test_who_left_may_come_back(desk: Desk) -> None:
    desk.join()
    desk.take("unsubscribe", token=desk.leaving())
    desk.sign_up()
    assert desk.state() == "left"
    desk.take("confirm", token=desk.token())
    assert desk.state() == "active"
    assert desk.said() == ["asked", "confirmed", "withdrawn", "asked", "confirmed"]


def test_an_old_confirmation_does_not_bring_back_who_left(desk: Desk) -> None:
    desk.sign_up()
    first, second = desk.token(), None
    desk.sign_up()
    second = desk.token()
    desk.take("confirm", token=first)
    desk.take("unsubscribe", token=desk.leaving())
    for token in (first, second):
        desk.take("confirm", token=token)
    assert desk.state() == "left"


def test_a_link_is_good_for_seven_days_by_the_hour_it_was_pressed(desk: Desk) -> None:
    desk.sign_up()
    token = desk.token()
    later = datetime.datetime.now(UTC) + timedelta(days=9)
    desk.take("confirm", token=token, arrived=later)
    assert desk.state() == "pending"
    desk.take("confirm", token=token)
    assert desk.state() == "active"


@pytest.mark.parametrize("kind", ["confirm", "unsubscribe", "preferences"])
@pytest.mark.parametrize("token", ["x", "A" * 40, "z" * 512])
def test_what_is_no_link_of_ours_is_passed_over(desk: Desk, kind: str, token: str) -> None:
    desk.join()
    before = (desk.state(), desk.said(), desk.purposes())
    desk.take(kind, token=token)
    assert (desk.state(), desk.said(), desk.purposes()) == before


def test_a_link_for_something_else_does_nothing(desk: Desk) -> None:
    subscription = desk.join()
    stamp = day_stamp(datetime.date.today())
    for purpose in (Purpose.RETURN_ISSUE, Purpose.CONFIRM, Purpose.PREFERENCES):
        desk.take("unsubscribe", token=desk.links.make(purpose, subscription.pk, stamp, 1))
    assert desk.state() == "active"


def test_a_confirmation_of_nothing_is_harmless(desk: Desk) -> None:
    stamp = day_stamp(datetime.date.today())
    desk.take("confirm", token=desk.links.make(Purpose.CONFIRM, 2**62, stamp, 1))
    desk.take("confirm", token=desk.links.make(Purpose.MOVE, 2**62, stamp))
    desk.take("unsubscribe", token=desk.links.make(Purpose.UNSUBSCRIBE, 2**62, stamp))
    desk.take("preferences", token=desk.links.make(Purpose.PREFERENCES, 2**62, stamp))
    assert Subscription.objects.count() == 0


def test_newsletters_that_are_not_are_passed_over(desk: Desk) -> None:
    Newsletter.objects.filter(slug="harbour").update(active=False)
    desk.sign_up(ADA, "nowhere", "harbour")
    assert Reader.objects.count() == Mail.objects.count() == 0
    desk.sign_up(ADA, "nowhere", "weekly")
    assert desk.state() == "pending"


@pytest.mark.parametrize("address", ["ada@", "@post.example", "ada@..", "ada@exa mple"])
def test_what_is_no_address_leaves_no_trace(desk: Desk, address: str) -> None:
    signup.sign_up(address=address, slugs=["weekly"], privacy=1, form="front", language="en")
    assert Reader.objects.count() == Mail.objects.count() == 0


def publish_policy(english: Any, versions: int) -> None:
    page = SitePage.objects.create(
        locale=english, kind=SitePage.Kind.PRIVACY, title="Privacy", slug="privacy"
    )
    for number in range(1, versions + 1):
        SitePageVersion.objects.create(
            page=page, number=number, title="Privacy", html="", published_at=timezone.now()
        )


def test_an_older_policy_is_what_was_agreed_to_and_one_that_never_was_is_not(
    desk: Desk, english: Any, caplog: pytest.LogCaptureFixture
) -> None:
    publish_policy(english, 2)
    desk.sign_up(privacy=1)
    assert Consent.objects.get().privacy == 1
    notice = desk.mails()[0][1].notice
    assert notice is not None
    # What is agreed to stays to be read, also once there is a newer one.
    assert "https://meridian.example/en/privacy/v1/" in " ".join(notice.after)
    with caplog.at_level(logging.WARNING):
        desk.sign_up("bela@post.example", privacy=9)
    assert desk.reader("bela@post.example") is None
    assert "version 9" in caplog.text
    assert "bela" not in caplog.text


def test_a_first_confirmation_sets_the_language_of_our_mails(desk: Desk) -> None:
    desk.sign_up(language="en")
    desk.sign_up(language="ru")
    desk.take("confirm", "ru", token=desk.token())
    reader = desk.reader()
    assert reader is not None
    assert reader.language == "ru"
    desk.sign_up(ADA, "harbour", language="en")
    desk.take("confirm", token=desk.token())
    assert Reader.objects.get().language == "ru"


def test_who_was_erased_cannot_be_brought_back_by_an_old_link(desk: Desk) -> None:
    desk.join()
    desk.sign_up(ADA, "harbour")
    token = desk.token()
    requests.erase(vault=desk.vault, address=ADA, acting_user=None)
    desk.take("confirm", token=token)
    assert Subscription.objects.count() == 0
    assert Reader.objects.get().erased is not None


def test_without_a_way_to_a_letterbox_the_form_waits(desk: Desk, settings: Any) -> None:
    """It is kept aside and taken up again: nothing is lost."""
    from tamizdat.config import ConfigError, Newsroom

    toml = desk.newsroom.settings_file
    toml.write_text(toml.read_text().replace('url = "https://drop.example"', 'folder = "/nowhere"'))
    settings.NEWSROOM = Newsroom(desk.newsroom.folder)
    with pytest.raises(ConfigError, match="give a drop its url"):
        desk.sign_up()
    assert Reader.objects.count() == 0


def test_the_name_under_which_readers_agreed_stays(desk: Desk) -> None:
    weekly = Newsletter.objects.get(slug="weekly")
    weekly.slug = "friday"
    weekly.full_clean()  # Nobody asked for it yet.
    weekly.slug = "weekly"
    desk.sign_up()
    weekly.title = "The Friday Letter"
    weekly.full_clean()
    weekly.slug = "friday"
    with pytest.raises(ValidationError, match="stays as it is"):
        weekly.full_clean()
