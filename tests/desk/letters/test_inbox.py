# SPDX-License-Identifier: AGPL-3.0-or-later
"""The inbox, as the readers' desk uses it."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from wagtail.models import ModelLogEntry

from tamizdat.config import LettersSettings
from tamizdat.desk.letters import actions, safe
from tamizdat.desk.letters.letter import Written, open_letter
from tamizdat.desk.letters.models import Aside, Message
from tamizdat.desk.readers import retention
from tamizdat.desk.readers.requests import erase, export
from tamizdat.desk.staff.models import User
from tamizdat.drop.envelope import submission
from tests.desk.letters.conftest import NOW, Place, message

Enter = Callable[[User], Client]
INBOX = "/desk/messages/"


def put(text: str, *, now: datetime.datetime = NOW, **fields: Any) -> Message:
    written = Written(text=text, **{"language": "en", **fields})
    with transaction.atomic():
        sealed = safe.seal(safe.LETTER, msgspec.json.encode(written))
        return Message.objects.create(sealed=sealed, arrived=now)


@pytest.fixture
def desk(place: Place, readers_desk: User, signed_in: Enter) -> Client:
    return signed_in(readers_desk)


def shown(client: Client, address: str = INBOX, **form: Any) -> str:
    answer = client.post(address, form, follow=True) if form else client.get(address)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


@pytest.mark.parametrize("role", ["reporter", "editor", "publisher", "operator"])
def test_nobody_else_sees_messages(
    place: Place, role: str, request: pytest.FixtureRequest, signed_in: Enter
) -> None:
    user = request.getfixturevalue(role)
    user.is_superuser = True
    user.save()
    letter = put("Canary.")
    client = signed_in(user)
    for address in (INBOX, f"{INBOX}{letter.pk}/", f"{INBOX}{letter.pk}/delete/"):
        for answer in (client.get(address), client.post(address, {"state": "away", "q": "Canary"})):
            assert answer.status_code in (302, 403)
            assert b"Canary" not in answer.content
    letter.refresh_from_db()
    assert letter.state == "new"
    assert '"/desk/messages/"' not in client.get("/desk/").content.decode()


def test_a_message_is_read_noted_marked_and_put_away(desk: Client) -> None:
    letter = put(
        "Why no word\nabout the quay?", name="Ada", contact="ada@post.example", story="/en/quay/"
    )
    page = shown(desk)
    assert "Why no word about the quay?" in page
    here = f"{INBOX}{letter.pk}/"
    page = shown(desk, here)
    assert "ada@post.example" in page
    assert 'href="https://meridian.example/en/quay/"' in page
    assert "no-store" in desk.get(here).headers["Cache-Control"]

    assert "Ask the harbour office." in shown(desk, here, note="Ask the harbour office.")
    letter.refresh_from_db()
    assert b"harbour" not in bytes(letter.note)
    shown(desk, here, state="answered")
    assert "about the quay" in shown(desk, f"{INBOX}?show=answered")
    shown(desk, here, state="away")
    letter.refresh_from_db()
    assert letter.put_away is not None
    assert "about the quay" not in shown(desk, f"{INBOX}?show=new")
    assert "is deleted after 90 days" in shown(desk)


def test_the_log_says_who_did_what_and_nothing_of_the_reader(
    desk: Client, readers_desk: User
) -> None:
    letter = put("Canary text", name="Canary", contact="canary@post.example")
    here = f"{INBOX}{letter.pk}/"
    for form in ({"note": "canary"}, {"state": "answered"}):
        desk.post(here, form)
    desk.post(f"{here}delete/")
    desk.post(here, {"bring_back": "1"})
    rows = ModelLogEntry.objects.filter(object_id=str(letter.pk), user=readers_desk)
    assert sorted(rows.values_list("action", flat=True)) == [
        "tamizdat.letter_bring_back",
        "tamizdat.letter_delete",
        "tamizdat.letter_mark",
        "tamizdat.letter_note",
    ]
    for row in ModelLogEntry.objects.values():
        assert "canary" not in str(row).lower()


def test_words_are_found_in_every_script_and_stand_in_no_address(desk: Client) -> None:
    put("Где причал? Ёлка у моста.", language="ru")
    put("أين العبّارة؟", language="ar")
    put("Nothing of this.", name="Zoë")
    for words in ("причал", "елка МОСТА", "العبارة", "zoe"):
        page = shown(desk, INBOX, q=words)
        assert "1 found" in page, words
    assert "Nothing found" in shown(desk, INBOX, q="harbour master")


def test_a_search_looks_at_the_newest_thousand_that_are_not_deleted(
    desk: Client, readers_desk: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tamizdat.desk.letters.views.SEARCHED", 2)
    put("Ferry one")
    put("Ferry two")
    gone = put("Ferry three")
    put("Ferry four")
    actions.delete(message=gone.pk, acting_user=readers_desk, now=NOW)
    page = shown(desk, INBOX, q="ferry")
    assert "2 found" in page
    assert "Ferry four" in page
    assert "Ferry one" not in page


def test_many_are_put_away_at_once(desk: Client) -> None:
    pks = [put(f"Same thing {n}").pk for n in range(3)]
    page = shown(desk, INBOX, away="1", message=pks[:2])
    assert "2 messages were put away." in page
    assert Message.objects.filter(state="away").count() == 2
    assert "Tick the messages" in shown(desk, INBOX, away="1")


def test_a_long_inbox_comes_in_pages(desk: Client) -> None:
    with transaction.atomic():
        for n in range(51):
            put(f"Letter {n:03}.")
    assert "Letter 000." not in shown(desk)
    assert "Page 1 of 2" in shown(desk)
    assert "Letter 000." in shown(desk, f"{INBOX}?show=new&p=2")


def test_deleting_asks_first_and_can_be_undone_for_a_day(desk: Client) -> None:
    letter = put("Sent by mistake.")
    here = f"{INBOX}{letter.pk}/"
    assert "For 24 hours it can be brought back" in shown(desk, f"{here}delete/")
    assert Message.objects.filter(deleted=None).count() == 1
    assert "Nothing new." in shown(desk, f"{here}delete/", sure="1")
    assert "Sent by mistake." in shown(desk, f"{INBOX}?show=deleted")
    assert "It is gone for good" in shown(desk, here)
    shown(desk, here, bring_back="1")
    assert "Sent by mistake." in shown(desk)


def test_what_was_deleted_is_gone_after_its_time(desk: Client, readers_desk: User) -> None:
    letter = put("Sent by mistake.")
    actions.delete(message=letter.pk, acting_user=readers_desk, now=NOW)
    assert actions.tidy(now=NOW + timedelta(hours=23)) == 0
    assert actions.tidy(now=NOW + timedelta(hours=24)) == 1
    assert desk.get(f"{INBOX}{letter.pk}/").status_code == 404


def test_without_time_for_undoing_it_is_gone_at_once_and_the_page_warns(
    desk: Client, place: Place, settings: Any
) -> None:
    changed = msgspec.structs.replace(
        place.newsroom.settings, letters=LettersSettings(undo_hours=0)
    )
    place.newsroom.settings = changed
    letter = put("Sent by mistake.")
    page = shown(desk, f"{INBOX}{letter.pk}/delete/")
    assert "nobody can bring it back" in page
    assert "Deleted for good." in shown(desk, f"{INBOX}{letter.pk}/delete/", sure="1")
    assert not Message.objects.exists()


def test_what_was_put_away_goes_after_its_days_and_nothing_else_does(
    place: Place, readers_desk: User
) -> None:
    letters = [put("Old."), put("Also old, answered."), put("New.")]
    mark = {"acting_user": readers_desk, "now": NOW}
    actions.mark(messages=[letters[0].pk], state=Message.State.AWAY, **mark)
    actions.mark(messages=[letters[1].pk], state=Message.State.ANSWERED, **mark)
    rule = retention.RULES["letters"]
    assert rule.due(NOW.date() + timedelta(days=89)) == 0
    assert rule.erase(NOW.date() + timedelta(days=90)) == 1
    assert set(Message.objects.values_list("pk", flat=True)) == {m.pk for m in letters[1:]}


def test_what_cannot_be_opened_says_so_and_hides_no_other(desk: Client, place: Place) -> None:
    put("A good one.")
    with transaction.atomic():
        Message.objects.create(sealed=safe.seal("other", b"{}"), arrived=NOW)
    page = shown(desk)
    assert "It cannot be opened" in page
    assert "A good one." in page
    (place.newsroom.secrets / "vault-key.age").unlink()
    assert "the vault is shut" in shown(desk)


def test_a_note_that_cannot_be_kept_is_not_lost(desk: Client) -> None:
    letter = put("Hello.")
    long = "word " * 1_200
    answer = desk.post(f"{INBOX}{letter.pk}/", {"note": long})
    assert answer.status_code == 422
    assert long.strip()[-200:] in answer.content.decode()
    assert "5,000 characters at most" in answer.content.decode()


@pytest.mark.parametrize(
    "story", ["//evil.example/", "https://evil.example/", "/\\evil", "javascript:1"]
)
def test_a_page_that_a_reader_names_leads_into_the_paper_or_nowhere(
    place: Place, story: str
) -> None:
    assert open_letter(put("x", story=story)).story_url == ""


def test_what_a_reader_wrote_is_shown_as_text(desk: Client) -> None:
    letter = put("<script>alert(1)</script>", name="<b>x</b>")
    for address in (INBOX, f"{INBOX}{letter.pk}/"):
        page = shown(desk, address)
        assert "<script>alert(1)" not in page
        assert "<b>x</b>" not in page


def test_the_database_refuses_what_makes_no_sense(place: Place) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Message.objects.create(sealed=b"x", arrived=NOW, state="away")
    with pytest.raises(IntegrityError), transaction.atomic():
        Aside.objects.create(state="waiting", sealed=b"x", digest="x", drop="a", hour=NOW)


def test_a_persons_request_finds_and_erases_what_they_wrote(place: Place, unhandled: str) -> None:
    put("From Ada.", contact="Ada@Post.example")
    put("From Ben.", contact="ben@post.example")
    fields = {"address": "ada@post.example", "newsletters": ["w"], "privacy": 1, "form": "f"}
    form = submission(unhandled, "en", fields)
    place.send(form, message("By the drop.", contact="ada@post.example"))
    place.collect()
    vault = safe.vault()
    found = export(vault=vault, address="ada@post.example", acting_user=None)
    records = next(part.records for part in found.parts if part.title == "Messages to the desk")
    assert [record.get("text", record.get("newsletters")) for record in records] == [
        "From Ada.", "By the drop.", "w",
    ]  # fmt: skip
    receipt = erase(vault=vault, address="ada@post.example", acting_user=None)
    assert next((part.title, part.count) for part in receipt.erased) == ("Messages to the desk", 3)
    assert Message.objects.count() == 1
    assert not Aside.objects.exists()
    place.send(form)
    assert place.collect().known == 1


def test_operators_see_what_is_kept_aside_and_why(
    place: Place, operator: User, editor: User, signed_in: Enter
) -> None:
    client = signed_in(operator)
    address = reverse("letters:aside")
    assert "Nothing is kept aside" in shown(client, address)
    fields = {"address": "canary@post.example", "months": 3, "privacy": 1}
    place.send(submission("remind", "en", fields))
    place.spool.append([b"age-encryption.org/v1\n" + b"x" * 900])
    place.spool.close_open()
    place.collect()
    page = shown(client, address)
    assert "it cannot be opened" in page
    assert "remind" in page
    assert "canary" not in page
    assert signed_in(editor).get(address).status_code in (302, 403)
