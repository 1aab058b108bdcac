# SPDX-License-Identifier: AGPL-3.0-or-later
from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamizdat.mail import reports
from tamizdat.mail.content import TOKEN_LENGTH
from tamizdat.mail.reports import Kind, read, without_addresses
from tamizdat.mail.verdicts import judge, status_in
from tests.mail.returned import BOX, OUR_ID, READER, SAMPLES, TOKEN, Sample, feedback

by_name = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
QUOTING = [s for s in SAMPLES if OUR_ID in s.text]


@by_name
def test_what_comes_back_is_understood(sample: Sample) -> None:
    report = read(sample.data)
    assert (report.kind, report.code) == (sample.kind, sample.code)


@by_name
def test_no_word_that_is_kept_names_an_address(sample: Sample) -> None:
    report = read(sample.data, recipient=BOX)
    assert "@" not in report.said + report.why + report.code
    assert "vera" not in report.said


@by_name
def test_the_token_of_the_envelope_comes_first(sample: Sample) -> None:
    other = "z" * TOKEN_LENGTH
    assert read(sample.data, recipient=f"bounces+{other}@x.example").tokens[0] == other


@pytest.mark.parametrize("sample", QUOTING, ids=lambda sample: sample.name)
def test_the_mail_that_came_back_is_known_by_its_message_id(sample: Sample) -> None:
    assert read(sample.data).message_id == OUR_ID


@pytest.mark.parametrize("sample", QUOTING, ids=lambda sample: sample.name)
def test_without_an_envelope_the_token_is_found_in_what_is_quoted(sample: Sample) -> None:
    assert read(sample.data).tokens[0] == TOKEN


def test_a_complaint_that_hides_the_reader_still_names_the_token_of_the_way_out() -> None:
    link = "L" * TOKEN_LENGTH
    hidden = feedback("abuse").replace(BOX, "redacted").replace(
        f"To: {READER}", f"List-Unsubscribe: <https://drop.example/u/{link}>"
    )  # fmt: skip
    report = read(hidden.encode())
    assert (report.kind, report.tokens) == (Kind.COMPLAINT, (link,))


@pytest.mark.parametrize(
    ("code", "said", "kind"),
    [
        ("550 5.1.1", "no such user", "hard"),
        ("5.1.2", "bad destination system", "hard"),
        ("5.1.8", "bad sender address", "policy"),
        ("5.2.1", "disabled", "hard"),
        ("552", "Mailbox quota exceeded", "soft"),
        ("550 5.7.515", "access denied", "policy"),
        ("550", "blocked: see our blocklist", "policy"),
        ("550", "not this time", "soft"),
        ("452 4.2.2", "no such user", "soft"),
        ("5.3.4", "message too large", "policy"),
        ("", "user unknown", "hard"),
        ("", "", "soft"),
    ],
)
def test_a_refusal_is_judged(code: str, said: str, kind: str) -> None:
    assert judge(code, said) == kind


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("550-5.1.1 x", "5.1.1"),
        ("at 192.5.1.1.7", ""),
        ("(#5.1.1)", "5.1.1"),
        ("550 no", "550"),
        ("in 5505 days", ""),
    ],
)
def test_a_status_is_told_from_other_numbers(text: str, status: str) -> None:
    assert status_in(text) == status


@pytest.mark.parametrize("recipient", ["", "bounces@x.example", f"bounces+{'a' * 39}@x.example"])
def test_what_is_no_token_is_none(recipient: str) -> None:
    assert read(b"", recipient=recipient).tokens == ()


def test_a_server_that_writes_capitals_changes_no_token() -> None:
    assert read(b"", recipient=BOX.upper()).tokens == (TOKEN,)


HOSTILE = {
    "nested without end": b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(9_000)
    ),
    "nested in what folds": b"content-type:\n multipart/mixed;boundary=a\n\n--a\n" * 5_000,
    "mails in mails": b"Content-Type: message/rfc822\n\n" * 9_000,
    "one line of a gigabyte's look": b"Subject: " + b"a@" * 5_000_000,
    "a header without end": b"To: " + b" <a@b.example>,\n" * 100_000,
    "parameters without end": b"Content-Type: multipart/report" + b';a="\\"' * 60_000 + b"\n\n",
    "parts without end": b"Content-Type: multipart/report; boundary=a\n\n" + b"--a\n\nx\n" * 40_000,
    "fields without end": b"Content-Type: message/delivery-status\n\n" + b"Action: x\n\n" * 40_000,
    "tags without end": b"Content-Type: text/html\n\n" + b"<a " * 100_000,
    "a charset that nobody knows": b"Content-Type: text/plain; charset=x-\xff\n\n5.1.1",
    "base64 that is none": b"Content-Transfer-Encoding: base64\nX-Failed-Recipients: a\n\n\xff=",
    "zeros": b"\0" * 1_000_000,
    "nothing": b"",
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_mail_is_read_soon(data: bytes) -> None:
    began = time.process_time()
    assert read(data, recipient=BOX).tokens == (TOKEN,)
    assert time.process_time() - began < 3


MANGLED = st.sampled_from(SAMPLES).flatmap(
    lambda sample: st.tuples(
        st.just(sample.data), st.integers(0, len(sample.data)), st.binary(max_size=60)
    )
)


@given(MANGLED)
@settings(max_examples=150, deadline=None)
def test_a_damaged_report_is_read_or_unknown(mangled: tuple[bytes, int, bytes]) -> None:
    data, at, noise = mangled
    for broken in (data[:at], data[:at] + noise + data[at:], data[at:]):
        report = read(broken, recipient="\r\n")
        assert "@" not in report.said
        assert len(report.said) <= reports.SAID


@given(st.binary(max_size=2_000))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_read(data: bytes) -> None:
    assert read(data).kind in Kind


@given(st.text(max_size=400))
def test_words_without_addresses_have_none(text: str) -> None:
    assert "@" not in without_addresses(text + " a@b.example")
