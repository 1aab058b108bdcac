# SPDX-License-Identifier: AGPL-3.0-or-later
"""From the drop to the desk: each submission once, none lost, none in the way of others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pyrage
import pytest
from django.core.exceptions import ImproperlyConfigured

from tamizdat import letterbox
from tamizdat.cli.folder import start_folder
from tamizdat.config import ConfigError, DropSettings
from tamizdat.desk.letters import actions, collecting, handlers, taking, writing
from tamizdat.desk.letters.collecting import Round, claim_due
from tamizdat.desk.letters.letter import open_letter
from tamizdat.desk.letters.models import Aside, Drop, Handled, Message
from tamizdat.desk.readers import retention
from tamizdat.drop.batches import Batch
from tamizdat.drop.client_folder import FolderLetterbox
from tamizdat.drop.envelope import Submission, pad, seal, submission
from tamizdat.drop.errors import LetterboxError, UnknownKindError
from tests.desk.letters.conftest import NOW, Acted, Place, message

SUBSCRIBE = {
    "address": "ada@post.example",
    "newsletters": ["weekly"],
    "privacy": 1,
    "form": "front",
}
Handle = Callable[..., Acted]
LATER = NOW + timedelta(hours=2)


def keys(place: Place) -> list[pyrage.x25519.Identity]:
    return letterbox.identities(place.newsroom)


def test_a_message_goes_from_the_drop_to_the_inbox_and_leaves_the_drop(place: Place) -> None:
    place.send(message("Why no word about the quay?", name="Ada", contact="ada@post.example"))
    report = place.collect()
    assert (report.handled, report.batches, report.problem) == (1, 1, "")
    assert place.left == []
    letter = open_letter(Message.objects.get())
    assert letter.written is not None
    assert letter.written.text == "Why no word about the quay?"
    assert letter.message.arrived == NOW.replace(minute=0)
    assert place.collect().handled == 0


def test_the_database_shows_nothing_of_what_a_reader_wrote(place: Place) -> None:
    place.send(message("quince canary", name="canary name", contact="canary@post.example"))
    place.collect()
    for row in (*Message.objects.values(), *Aside.objects.values(), *Handled.objects.values()):
        for value in row.values():
            assert b"canary" not in (
                bytes(value) if isinstance(value, bytes) else str(value).encode()
            )


def test_each_submission_is_acted_upon_once_whatever_comes_again(
    place: Place, handle: Handle
) -> None:
    acted = handle("subscribe")
    one = submission("subscribe", "en", SUBSCRIBE)
    place.send(one, one)
    assert place.collect().known == 1
    place.send(one, submission("subscribe", "ru", SUBSCRIBE))
    report = place.collect()
    assert (report.known, report.handled) == (1, 1)
    assert [sent.language for sent, _ in acted] == ["en", "ru"]


def test_the_hour_is_the_drops_but_never_one_to_come(place: Place, handle: Handle) -> None:
    acted = handle("subscribe")
    place.send(submission("subscribe", "en", SUBSCRIBE))
    place.collect(NOW - timedelta(hours=3))
    place.send(submission("subscribe", "en", SUBSCRIBE))
    place.collect(LATER)
    hours = [hour for _, hour in acted]
    assert hours == [datetime(2026, 11, 22, 11, tzinfo=UTC), datetime(2026, 11, 22, 14, tzinfo=UTC)]


def test_an_hour_of_long_ago_is_not_believed(place: Place, handle: Handle) -> None:
    """No clock shows the year 1 in a zone west of Greenwich: the inbox would not open."""
    acted = handle("subscribe")
    place.send(submission("subscribe", "en", SUBSCRIBE))
    name = place.left[0]
    path = place.spool.folder / name
    path.rename(path.with_name("0001010100" + name[10:]))
    assert place.collect().handled == 1
    assert acted[0][1] == NOW.replace(minute=0) - collecting.LAIN


def test_a_kind_that_nobody_handles_waits_sealed_until_somebody_does(
    place: Place, unhandled: str, handle: Handle
) -> None:
    one = submission(unhandled, "en", SUBSCRIBE)
    place.send(one, one)
    report = place.collect()
    assert (report.waiting, report.known) == (1, 1)
    assert place.left == []
    kept = Aside.objects.get()
    assert (kept.state, kept.kind, kept.drop) == ("waiting", "subscribe", "pier")
    assert b"ada@post.example" not in bytes(kept.sealed)
    assert taking.retry(keys(place), NOW) == []
    acted = handle("subscribe")
    assert taking.retry(keys(place), LATER) == ["handled"]
    assert acted == [(one, NOW.replace(minute=0))]
    assert not Aside.objects.exists()
    place.send(one)
    assert place.collect().known == 1


def test_one_that_fails_is_kept_and_holds_up_nobody(place: Place, handle: Handle) -> None:
    trouble: list[Exception] = [RuntimeError("no row for ada@post.example")]
    acted = handle("subscribe", trouble)
    place.send(submission("subscribe", "en", SUBSCRIBE), message("Another one."))
    report = place.collect()
    assert (report.failed, report.handled, place.left) == (1, 1, [])
    kept = Aside.objects.get()
    assert kept.reason.startswith("RuntimeError in conftest.py, line ")
    assert "ada" not in kept.reason
    assert not Handled.objects.filter(pk=kept.submission).exists()
    assert kept.next_try is not None

    assert taking.retry(keys(place), NOW) == []
    assert taking.retry(keys(place), kept.next_try) == ["failed"]
    again = Aside.objects.get()
    assert again.attempts == 2
    assert again.next_try == kept.next_try + timedelta(minutes=4)
    trouble.clear()
    assert taking.retry(keys(place), LATER) == ["handled"]
    assert len(acted) == 1
    assert not Aside.objects.exists()


def test_who_floods_the_desk_fills_the_drop_and_not_the_desk(
    place: Place, monkeypatch: pytest.MonkeyPatch, unhandled: str, handle: Handle
) -> None:
    monkeypatch.setattr(taking, "MOST_ASIDE", 2)
    monkeypatch.setattr(writing, "MOST_NEW", 1)
    place.send(*(submission(unhandled, "en", SUBSCRIBE) for _ in range(4)), message("One."))
    report = place.collect()
    assert (report.waiting, report.handled, len(place.left)) == (2, 1, 1)
    assert "flood" in report.problem
    place.send(message("Two."))
    assert place.collect().handled == 0
    assert (Aside.objects.count(), Message.objects.count(), len(place.left)) == (2, 1, 2)

    Message.objects.update(state=Message.State.AWAY, put_away=NOW)
    acted = handle("subscribe")
    assert taking.retry(keys(place), LATER) == ["handled", "handled"]
    assert (place.collect(LATER).problem, place.left) == ("", [])
    assert (len(acted), Message.objects.count()) == (4, 2)


def test_what_a_handler_wrote_before_it_failed_is_not_there(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(_: Submission, /, *, arrived_hour: datetime) -> None:
        Message.objects.create(sealed=b"half", arrived=arrived_hour)
        raise RuntimeError

    monkeypatch.setitem(handlers._handlers, "subscribe", half)
    place.send(submission("subscribe", "en", SUBSCRIBE))
    assert place.collect().failed == 1
    assert not Message.objects.exists()


def test_what_fails_after_the_end_of_its_transaction_is_done_all_the_same(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = taking._hand_over

    def then_fail(*arguments: Any) -> bool:
        """As where a callback of ``on_commit`` raises."""
        whole(*arguments)
        raise RuntimeError

    monkeypatch.setattr(taking, "_hand_over", then_fail)
    place.send(message())
    assert place.collect().known == 1
    assert Message.objects.count() == 1
    assert not Aside.objects.exists()


def test_what_cannot_be_read_is_kept_aside_with_the_reason(place: Place, tmp_path: Path) -> None:
    other = start_folder(
        tmp_path / "other", name="Other", address="https://other.example",
        languages=("en",), timezone="UTC",
    )  # fmt: skip
    place.send(message("To somebody else."), to=other)
    recipient = pyrage.x25519.Recipient.from_str(letterbox.recipient(place.newsroom))
    strange = Submission(v=1, id="x" * 22, kind="poem", language="en", fields={})
    place.spool.append([seal(strange, [recipient])])
    place.send(message("A good one."))
    report = place.collect()
    assert (report.unreadable, report.handled, place.left) == (2, 1, [])
    reasons = sorted(Aside.objects.values_list("reason", flat=True))
    assert reasons[0].startswith("it cannot be opened: ")
    assert reasons[1] == "nobody here knows the kind “poem”"


def test_a_reason_quotes_nothing_that_cannot_be_stored(place: Place) -> None:
    recipient = pyrage.x25519.Recipient.from_str(letterbox.recipient(place.newsroom))
    odd = Submission(v=1, id="A" * 22, kind="a\0b\x1b[2J", language="en", fields={})
    plain = pad(msgspec.json.encode(odd))
    place.spool.append([pyrage.encrypt(plain, [recipient])])
    place.spool.close_open()
    assert place.collect().unreadable == 1
    assert taking.retry(keys(place), LATER, everything=True) == ["unreadable"]
    assert Aside.objects.get().reason == "nobody here knows the kind “a�b�[2J”"


def test_what_could_not_be_read_can_be_tried_again_with_the_right_key(place: Place) -> None:
    right = (place.newsroom.secrets / "letterbox-key").read_text()
    place.send(message("Sealed to the key that was lost."))
    (place.newsroom.secrets / "letterbox-key").write_text(f"{pyrage.x25519.Identity.generate()}\n")
    assert place.collect().unreadable == 1
    assert taking.retry(keys(place), NOW, everything=True) == ["unreadable"]
    assert Aside.objects.get().attempts == 1
    (place.newsroom.secrets / "letterbox-key.1").write_text(right)
    assert taking.retry(keys(place), NOW, everything=True) == ["handled"]
    assert Message.objects.count() == 1
    assert not Aside.objects.exists()


def test_a_slot_that_is_damaged_is_kept_and_an_empty_one_is_nothing(place: Place) -> None:
    place.send(message("First."), message("Second."))
    path = place.spool.folder / place.left[0]
    data = bytearray(path.read_bytes())
    data[0:4] = b"\xff\xff\xff\xff"
    path.write_bytes(bytes(data) + bytes(len(data) // 2) + b"torn")
    report = place.collect()
    assert (report.unreadable, report.handled, place.left) == (2, 1, [])


def test_many_unreadable_ones_are_forgotten_only_where_the_key_is_known_to_be_right(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "MOST_UNREADABLE", 2)
    other = start_folder(
        tmp_path / "other", name="Other", address="https://other.example",
        languages=("en",), timezone="UTC",
    )  # fmt: skip
    place.send(*(message(str(n)) for n in range(4)), to=other)
    report = place.collect()
    assert (report.unreadable, report.forgotten) == (2, 0)
    assert "is secrets/letterbox-key the one" in report.problem
    assert len(place.left) == 1

    place.send(message("From a reader."))
    report = place.collect(NOW + timedelta(minutes=5))
    assert report.handled == 1
    report = place.collect(NOW + timedelta(minutes=9))
    assert (report.forgotten, report.problem, place.left) == (2, "", [])
    assert Aside.objects.count() == 2

    assert actions.discard_unreadable(acting_user=None) == 2
    assert not Aside.objects.exists()


class Faulty:
    """A drop of which one batch, or everything, fails."""

    def __init__(self, box: FolderLetterbox, bad: tuple[str, ...] = (), *, silent: bool = False):
        self.box, self.bad, self.silent, self.read_names = box, bad, silent, list[str]()

    def batches(self) -> list[Batch]:
        if self.silent:
            raise LetterboxError("the drop https://pier.example cannot be reached: no")
        return self.box.batches()

    def read(self, name: str) -> bytes:
        self.read_names.append(name)
        if name in self.bad:
            raise LetterboxError(f"the drop sent {name} cut off or altered")
        return self.box.read(name)

    def remove(self, name: str, sha256: str) -> None:
        self.box.remove(name, sha256)

    def close(self) -> None:
        self.box.close()


def faulty(place: Place, *bad: str, silent: bool = False) -> Faulty:
    return Faulty(FolderLetterbox(place.spool.folder), bad, silent=silent)


def one_round(place: Place, box: Faulty, **options: Any) -> collecting.Report:
    Drop.objects.get_or_create(name="pier")
    return Round(place.drop, box, keys(place), clock=lambda: NOW, **options).run()


def test_a_batch_that_does_not_come_whole_stays_and_the_others_come(place: Place) -> None:
    for text in ("One.", "Two.", "Three."):
        place.send(message(text))
    bad = place.left[1]
    report = one_round(place, faulty(place, bad))
    assert (report.handled, place.left) == (2, [bad])
    assert "cut off or altered" in report.problem


def test_a_round_that_is_stopped_leaves_the_batch_for_the_next(place: Place) -> None:
    place.send(message("One."), message("Two."))
    asked = iter([False, False, False, True, True, True])
    report = one_round(place, faulty(place), stopped=lambda: next(asked))
    assert report.handled == 1
    assert len(place.left) == 1
    assert (place.collect().handled, Message.objects.count(), place.left) == (1, 2, [])


def test_a_drop_that_does_not_answer_is_asked_later_each_time(place: Place, tmp_path: Path) -> None:
    nowhere = DropSettings(name="pier", folder=str(tmp_path / "not-there"))
    now, pauses = NOW, []
    for _ in range(6):
        collecting.collect(place.newsroom, nowhere, clock=lambda now=now: now)  # type: ignore[misc] # mypy cannot tell a lambda's default
        row = Drop.objects.get()
        pauses.append(int((row.next_try - now).total_seconds() // 60))
        now = row.next_try
    assert pauses == [2, 4, 8, 15, 15, 15]
    assert row.silent_since == NOW
    assert "not-there" in row.problem
    place.collect(now)
    row.refresh_from_db()
    assert (row.failures, row.problem, row.silent_since, row.collected) == (0, "", None, now)
    assert row.next_try == now + timedelta(minutes=1)


def test_of_two_workers_one_collects_from_a_drop(place: Place) -> None:
    assert claim_due("pier", NOW)
    assert not claim_due("pier", NOW)
    assert claim_due("pier", NOW + timedelta(minutes=3)), "the first one died"


def test_ids_are_remembered_for_more_than_a_year_and_then_forgotten(place: Place) -> None:
    place.send(message())
    place.collect()
    row = Handled.objects.get()
    assert row.day == NOW.date()
    assert [field.name for field in Handled._meta.fields] == ["submission", "day"]
    rule = retention.RULES["submission-ids"]
    for day in (400, 401):
        assert Handled.objects.exists()
        today = NOW.date() + timedelta(days=day)
        assert rule.due(today) == rule.erase(today) == day - 400
    assert not Handled.objects.exists()


def test_a_kind_has_one_handler_and_must_be_one_that_there_is() -> None:
    with pytest.raises(UnknownKindError):
        handlers.handler("poem")
    with pytest.raises(ImproperlyConfigured, match="have a handler already"):
        handlers.handler("message")(lambda *_, **__: None)


def test_while_the_vault_is_shut_messages_wait(place: Place) -> None:
    key = place.newsroom.secrets / "vault-key.age"
    kept = key.read_bytes()
    key.unlink()
    place.send(message("Written while it was shut."))
    assert place.collect().failed == 1
    key.write_bytes(kept)
    assert taking.retry(keys(place), LATER) == ["handled"]


def test_a_newsroom_without_its_key_collects_nothing_and_says_so(place: Place) -> None:
    place.send(message())
    (place.newsroom.secrets / "letterbox-key").unlink()
    with pytest.raises(ConfigError, match="letterbox-key is missing or"):
        place.collect()
    assert len(place.left) == 1
