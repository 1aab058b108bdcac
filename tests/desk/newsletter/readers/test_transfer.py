# SPDX-License-Identifier: AGPL-3.0-or-later
"""Subscribers from other systems, as those export them; and out again."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tamizdat.config import Newsroom
from tamizdat.desk.audit.models import Record
from tamizdat.desk.newsletter.models import Newsletter, Subscription
from tamizdat.desk.newsletter.transfer import exporting, importing
from tamizdat.desk.newsletter.transfer.errors import EvidenceError, TableError, TransferError
from tamizdat.desk.newsletter.transfer.importing import Import, Report
from tamizdat.desk.newsletter.transfer.reading import opened
from tamizdat.desk.outgoing import suppression
from tamizdat.desk.outgoing.models import Suppression
from tamizdat.desk.readers import requests, retention
from tamizdat.desk.readers.errors import VaultShutError
from tamizdat.desk.readers.models import Consent, Reader
from tests.desk.newsletter.readers.conftest import ADA, Desk

MAILCHIMP = (
    '"Email Address","First Name","Last Name",MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,'
    "CONFIRM_IP,LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,{more}LAST_CHANGED,LEID,EUID,"
    "NOTES,TAGS\n"
    '{address},Ada,Canary,4,"2021-03-04 10:11:12",192.0.2.7,"2021-03-04 10:12:00",192.0.2.7,52.1,'
    '13.2,1,2,Europe/Berlin,DE,BE,{value}"2025-01-01 00:00:00",12,ab12,"a note","tag"\n'
)
GHOST = (
    "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,"
    "deleted_at,labels,tiers\n"
    "1,ada@post.example,Ada Canary,,true,false,cus_1,2022-05-06T07:08:09.000Z,,friend,\n"
    "2,bela@post.example,Bela,,false,false,,2022-05-06T07:08:09.000Z,,,\n"
    "3,cyril@post.example,Cyril,,true,false,,2022-05-06T07:08:09.000Z,2023-01-01T00:00:00.000Z,,\n"
)
LISTMONK = (
    "uuid,email,name,attributes,status,created_at,updated_at\n"
    'u1,ada@post.example,Ada Canary,"{""city"":""Velm""}",enabled,2023-01-02,2023-02-03\n'
    "u2,bela@post.example,Bela,{},disabled,2023-01-02,2023-02-03\n"
    "u3,cyril@post.example,Cyril,{},blocklisted,2023-01-02,2023-02-03\n"
)
PROOF = "Sign-up sheets of the reading in Velm, 12 May 2026"
Bring = Callable[..., Report]


@pytest.fixture
def bring(desk: Desk, tmp_path: Path) -> Bring:
    """Bring a file's content in, as the command does."""

    def run(
        content: str | bytes, *, name: str = "list.csv", wanted: str = "auto", **more: Any
    ) -> Report:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return Import(Newsletter.objects.get(slug="weekly"), **more).run(path, wanted=wanted)

    return run


def mailchimp(address: str = ADA, more: str = "", value: str = "") -> str:
    return MAILCHIMP.format(address=address, more=more, value=value)


def test_mailchimps_subscribers_come_with_the_day_they_confirmed(desk: Desk, bring: Bring) -> None:
    report = bring(mailchimp(), name="subscribed_email_audience_export_0a1b.csv")
    assert (report.format, report.subscribed, report.reasons) == ("mailchimp", 1, {})
    assert desk.state() == "active"
    consent = Consent.objects.get()
    assert (consent.event, consent.form, consent.evidence) == (
        "imported",
        "import",
        "Mailchimp: confirmed 2021-03-04",
    )
    assert "First Name" in report.left_out
    assert "OPTIN_IP" in report.left_out
    assert "Email Address" not in report.left_out


@pytest.mark.parametrize(
    ("name", "more", "value", "state"),
    [
        ("unsubscribed_email_audience_export_0a1b.csv", "", "", "left"),
        ("cleaned_email_audience_export_0a1b.csv", "", "", "suppressed"),
        ("nonsubscribed_email_audience_export_0a1b.csv", "", "", ""),
        ("list.csv", "UNSUB_TIME,", '"2024-01-01 00:00:00",', "left"),
        ("list.csv", "CLEAN_TIME,", '"2024-01-01 00:00:00",', "suppressed"),
    ],
)
def test_mailchimps_others_are_not_written_to(
    desk: Desk, bring: Bring, name: str, more: str, value: str, state: str
) -> None:
    report = bring(mailchimp(more=more, value=value), name=name)
    assert report.subscribed == 0
    assert desk.state() == ("left" if state == "left" else "")
    reader = desk.reader()
    held = reader is not None and suppression.in_force(reader)
    assert bool(held) == (state == "suppressed")
    if held:
        assert held.reason == Suppression.Reason.IMPORTED
    if not state:
        assert report.reasons == {"never subscribed there": 1}
        assert reader is None


def test_ghosts_members_as_they_are(desk: Desk, bring: Bring) -> None:
    report = bring(GHOST)
    assert (report.format, report.subscribed, report.left) == ("ghost", 1, 1)
    assert report.reasons == {"deleted there": 1}
    assert [desk.state(f"{name}@post.example") for name in ("ada", "bela", "cyril")] == [
        "active",
        "left",
        "",
    ]
    assert Consent.objects.filter(event="imported").first().evidence == (  # type: ignore[union-attr] # there are two
        "Ghost: member since 2022-05-06"
    )


def test_listmonks_subscribers_as_they_are(desk: Desk, bring: Bring) -> None:
    report = bring(LISTMONK)
    assert (report.format, report.subscribed, report.left, report.suppressed) == (
        *("listmonk", 1, 1, 1),
    )
    assert report.left_out == ["uuid", "name", "attributes", "updated_at"]


def test_no_name_note_or_network_address_is_taken_in(desk: Desk, bring: Bring) -> None:
    for content in (mailchimp("dora@post.example"), GHOST, LISTMONK):
        bring(content)
    for model in (Reader, Consent, Subscription, Record):
        for row in model.objects.values():
            said = str(row)
            assert "Canary" not in said
            assert "192.0.2" not in said
            assert "post.example" not in said


def test_a_plain_table_needs_to_say_that_its_readers_agreed(desk: Desk, bring: Bring) -> None:
    table = "Name;E-Mail;Language;Status\nAda;ada@post.example;ru;active\nB;b@post.example;;left\n"
    with pytest.raises(EvidenceError, match="--evidence"):
        bring(table)
    with pytest.raises(EvidenceError, match="addresses out"):
        bring(table, evidence="ask ada@post.example")
    report = bring(table, evidence=PROOF)
    assert (report.format, report.subscribed, report.left) == ("plain", 1, 1)
    assert report.left_out == ["Name"]
    assert Consent.objects.filter(event="imported").first().evidence == PROOF  # type: ignore[union-attr] # there are two
    reader = desk.reader()
    assert reader is not None
    assert reader.language == "ru"


def test_addresses_alone_are_a_table_too(desk: Desk, bring: Bring) -> None:
    report = bring("ada@post.example\nbela@post.example\n", evidence=PROOF)
    assert report.subscribed == 2
    assert report.left_out == []


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("cp1251", "cp1251"),
    ],
)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_whatever_program_wrote_it(
    desk: Desk, bring: Bring, encoding: str, said: str, separator: str
) -> None:
    lines = [("Имя", "Почта"), ("Ада, с запятой", ADA), ("Бела", "bela@post.example")]
    content = "\r\n".join(separator.join(f'"{cell}"' for cell in line) for line in lines)
    report = bring(content.encode(encoding), evidence=PROOF)
    assert (report.encoding, report.subscribed, report.left_out) == (said, 2, ["Имя"])


def test_a_row_that_is_wrong_is_named_by_its_number_alone(
    desk: Desk, bring: Bring, caplog: pytest.LogCaptureFixture
) -> None:
    refused: list[tuple[int, str, str]] = []
    with caplog.at_level(logging.DEBUG):
        report = bring(
            "email\nada@post.example\ncanary-at-post\n\nADA@post.example\n   ,x\nbela@post.example",
            evidence=PROOF,
            on_refused=lambda *row: refused.append(row),
        )
    assert report.subscribed == 2
    assert [(one.row, one.why) for one in report.refused] == [
        (3, "not a mail address"),
        (5, "twice in the file"),
        (6, "no address"),
    ]
    assert "canary" not in json.dumps(report.reasons) + str(report.refused) + caplog.text
    assert refused[0] == (3, "not a mail address", "canary-at-post")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"\n\n\n", "empty"),
        (b"name,city\nAda,Velm\n", "no column is called email"),
        (b"PK\x03\x04\x00\x00rest", "no text"),
        (b"email\n\x98\xff\xfe\xfa@x", "neither"),
        (b"a," * 600 + b"\n", "columns"),
    ],
)
def test_what_is_no_list_is_refused_in_words(bring: Bring, content: bytes, words: str) -> None:
    with pytest.raises(TableError, match=words):
        bring(content, evidence=PROOF)


def test_the_export_of_another_system_than_was_said_is_refused(bring: Bring) -> None:
    with pytest.raises(TableError, match="no export of Mailchimp"):
        bring(GHOST, wanted="mailchimp")


def test_a_quotation_mark_without_its_other_half_stops_and_keeps_what_came_before(
    desk: Desk, bring: Bring
) -> None:
    many = "".join(f"reader{n}@post.example\n" for n in range(5))
    rest = '"' + "".join(f"later{n}@post.example\n" for n in range(9_000))
    report = bring(f"email\n{many}{rest}", evidence=PROOF)
    assert report.subscribed == 5
    assert "after row 6" in report.stopped


def test_who_left_here_stays_away(desk: Desk, bring: Bring) -> None:
    desk.join()
    desk.take("unsubscribe", token=desk.leaving())
    report = bring(mailchimp())
    assert report.reasons == {"left here before": 1}
    assert desk.state() == "left"


def test_who_was_erased_here_is_not_taken_in_again(desk: Desk, bring: Bring) -> None:
    desk.join()
    requests.erase(vault=desk.vault, address=ADA, acting_user=None)
    report = bring(mailchimp())
    assert report.reasons == {"left here before": 1}
    assert bytes(Reader.objects.get().sealed) == b""


def test_who_is_not_written_to_here_stays_so(desk: Desk, bring: Bring) -> None:
    reader = desk.vault.add(ADA, "en")
    suppression.suppress(reader=reader, reason=Suppression.Reason.COMPLAINT)
    report = bring(mailchimp())
    assert list(report.reasons.values()) == [1]
    assert desk.state() == ""


@pytest.mark.parametrize("name", ["subscribed.csv", "unsubscribed.csv", "cleaned.csv"])
def test_who_is_subscribed_here_stays_so(desk: Desk, bring: Bring, name: str) -> None:
    desk.join()
    report = bring(mailchimp(), name=name)
    assert (report.here_before, desk.state()) == (1, "active")
    assert desk.said() == ["asked", "confirmed"]


def test_who_waits_to_confirm_is_subscribed_by_what_they_said_there(
    desk: Desk, bring: Bring
) -> None:
    desk.sign_up()
    bring(mailchimp())
    assert desk.state() == "active"
    assert desk.said() == ["asked", "imported"]


def test_run_again_nothing_happens_twice(desk: Desk, bring: Bring) -> None:
    bring(LISTMONK)
    before = [list(m.objects.order_by("pk").values()) for m in (Reader, Consent, Subscription)]
    report = bring(LISTMONK)
    assert (report.subscribed, report.left, report.suppressed, report.here_before) == (0, 0, 0, 3)
    assert before == [
        list(m.objects.order_by("pk").values()) for m in (Reader, Consent, Subscription)
    ]


def test_a_rehearsal_says_the_same_and_keeps_nothing(
    bring: Bring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "AT_ONCE", 2)
    dry, records = bring(LISTMONK, dry=True), Record.objects.count()
    assert not Reader.objects.exists()
    assert not Suppression.objects.exists()
    done = bring(LISTMONK)
    assert (dry.subscribed, dry.left, dry.suppressed) == (1, 1, 1)
    assert (done.subscribed, done.left, done.suppressed) == (1, 1, 1)
    assert Record.objects.count() == records + 1


def test_the_trail_says_that_a_list_came_and_how_many(bring: Bring) -> None:
    bring(LISTMONK)
    record = Record.objects.order_by("pk").last()
    assert record is not None
    assert record.action == "tamizdat.newsletter_import"
    assert "post.example" not in str(record.entry)


def test_what_left_there_is_remembered_as_long_as_its_proof(desk: Desk, bring: Bring) -> None:
    import datetime

    bring(GHOST)
    retention.run(datetime.date.today() + datetime.timedelta(days=30))
    assert desk.state("bela@post.example") == "left"


def test_what_goes_out_comes_in_again(desk: Desk, bring: Bring) -> None:
    desk.join()
    desk.join("bela@post.example", language="ru")
    desk.take("unsubscribe", token=desk.leaving("bela@post.example"))
    bounced = desk.join("=cyril@post.example").reader
    suppression.suppress(reader=bounced, reason=Suppression.Reason.HARD)
    desk.sign_up("dora@post.example")
    out = io.StringIO()
    weekly, harbour = Newsletter.objects.get(slug="weekly"), Newsletter.objects.get(slug="harbour")
    counts = exporting.export(newsletter=weekly, out=out)
    assert counts == {"subscribed": 1, "unsubscribed": 1, "bounced": 1}
    assert "dora" not in out.getvalue()
    assert "\n'=cyril" in out.getvalue()
    path = desk.newsroom.folder / "out.csv"
    path.write_text(out.getvalue())
    report = Import(harbour, evidence=PROOF).run(path)
    assert report.reasons == {}
    assert (report.subscribed, report.left, report.here_before) == (1, 1, 1)
    assert desk.state(slug="harbour") == "active"
    assert desk.state("bela@post.example", "harbour") == "left"


COHORTS = """
[[cohorts]]
name = "north"
[[cohorts]]
name = "friends"
"""


def test_readers_are_put_into_a_cohort_and_take_it_along(
    desk: Desk, bring: Bring, settings: Any
) -> None:
    toml = desk.newsroom.settings_file
    toml.write_text(toml.read_text() + COHORTS)
    settings.NEWSROOM = Newsroom(desk.newsroom.folder)
    desk.join()
    table = "email,cohort\nbela@post.example,north\ncyril@post.example,elsewhere\n"
    bring(table, evidence=PROOF)
    cohorts = [
        reader.cohort
        for reader in map(desk.reader, (ADA, "bela@post.example", "cyril@post.example"))
        if reader
    ]
    assert cohorts == ["", "north", ""]
    moved = "ada@post.example\nbela@post.example\ndora@post.example\n"
    bring(moved, evidence=PROOF, cohort="friends", dry=True)
    assert not Reader.objects.filter(cohort="friends").exists()
    bring(moved, evidence=PROOF, cohort="friends")
    assert Reader.objects.filter(cohort="friends").count() == 3
    bring(table, evidence=PROOF)
    assert Reader.objects.filter(cohort="friends").count() == 3, "a table moves nobody"
    out = io.StringIO()
    exporting.export(newsletter=Newsletter.objects.get(slug="weekly"), out=out)
    assert out.getvalue().count(",friends\r\n") == 3
    vault = desk.vault
    told = requests.export(vault=vault, address=ADA, acting_user=None)
    assert told.parts[0].records[0]["cohort"] == "friends"
    requests.erase(vault=vault, address=ADA, acting_user=None)
    assert Reader.objects.filter(cohort="friends").count() == 2


def test_only_who_holds_the_vaults_key_can_do_either(desk: Desk, bring: Bring) -> None:
    (desk.newsroom.secrets / "vault-key.age").unlink()
    with pytest.raises(VaultShutError):
        bring(mailchimp())
    with pytest.raises(VaultShutError):
        exporting.export(newsletter=Newsletter.objects.get(slug="weekly"), out=io.StringIO())


@given(content=st.binary(max_size=400))
@examples(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_file_breaks_the_reader(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    with contextlib.suppress(TransferError), opened(path) as table:
        for _, cells in table.rows:
            assert cells


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_memory_does_not_grow_with_the_list(
    bring: Bring, record_property: Callable[[str, Any], None]
) -> None:
    rows, began = 40_000, time.process_time()
    content = "email,since\n" + "".join(
        f"reader{n}@post{n % 977}.example,2024-01-01\n" for n in range(rows)
    )
    tracemalloc.start()
    try:
        report = bring(content, evidence=PROOF)
        peak = tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()
    took = time.process_time() - began
    assert report.subscribed == rows
    record_property("figure", f"{rows:,} subscribers brought in: {took:.0f} s, {peak:.0f} MB")
    assert peak < 30
