# SPDX-License-Identifier: AGPL-3.0-or-later
"""What receivers would refuse, from records alone."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamizdat.mail.records import Records, dig
from tamizdat.mail.standing import DkimKey, Setup, judge, questions

PUBLIC = "TWVyaWRpYW4="
SETUP = Setup(
    senders=("meridian.example",),
    bounces="news.meridian.example",
    keys=(
        DkimKey(
            domain="meridian.example", selector="m1", algorithm="rsa", public=PUBLIC, bits=2048
        ),
    ),
    addresses=("192.0.2.7",),
    helo="mx.meridian.example",
    leave="https://drop.meridian.example",
)
GOOD = """\
; <<>> as dig prints it
;news.meridian.example.  IN TXT
news.meridian.example. 3600 IN TXT "v=spf1 include:relay.example a:mx.meridian.example " "-all"
news.meridian.example. 3600 IN MX 10 mx.meridian.example.
relay.example. 60 IN TXT "v=spf1 ip4:198.51.100.0/24 -all"
mx.meridian.example. 60 IN A 192.0.2.7
;mx.meridian.example. IN AAAA
_dmarc.meridian.example. 60 IN TXT "v=DMARC1; p=quarantine"
m1._domainkey.meridian.example. 60 IN CNAME m1.keys.example.
m1.keys.example. 60 IN TXT "v=DKIM1; k=rsa; p=TWVyaWRpYW4="
7.2.0.192.in-addr.arpa. 60 IN PTR mx.meridian.example.
"""
SPF = '"v=spf1 include:relay.example a:mx.meridian.example " "-all"'
DKIM = '"v=DKIM1; k=rsa; p=TWVyaWRpYW4="'
DMARC = '"v=DMARC1; p=quarantine"'


def bad(setup: Setup, text: str) -> list[str]:
    found = [f for f in judge(setup, Records(text)) if f.level != "fine"]
    assert all(f.advice for f in found)
    return [f"{f.level} {f.name}: {f.what} {' '.join(f.refused)}".strip() for f in found]


def test_a_domain_that_is_well_set_up_is_said_to_be() -> None:
    assert bad(SETUP, GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (SPF, '"hello"', "problem spf: news.meridian.example has no SPF record Gmail"),
        (SPF, f'{SPF}\nnews.meridian.example. IN TXT "v=spf1 -all"', "has 2 SPF records"),
        (SPF, '"v=spf1 ip4:192.0.2.9 -all"', "does not name 192.0.2.7"),
        (SPF, '"v=spf1 ip4:192.0.2.0/28 +all"', "lets everybody"),
        (SPF, '"v=spf1 ip4:192.0.2.0/28"', "does not say what to do with others"),
        (SPF, '"v=spf1 ip4:300.1.1.1 ip4:192.0.2.7 -all"', "“300.1.1.1” in it"),
        (SPF, '"v=spf1 ptr ip4:192.0.2.7 -all"', "“ptr” is slow"),
        (SPF, f'"v=spf1 {"a:mx.meridian.example " * 11}-all"', "needs 11 lookups"),
        (SPF, '"v=spf1 include:gone.example ip4:192.0.2.7 -all"', "gone.example (TXT) were not"),
        (SPF, '"v=spf1 include:news.meridian.example -all"', "lookups, 10 are allowed"),
        (DKIM, '"v=DKIM1; p="', "is withdrawn"),
        (DKIM, '"v=DKIM1; p=b3RoZXI="', "is not ours"),
        (DKIM, '"v=DKIM1; k=ed25519; p=TWVyaWRpYW4="', "names another algorithm"),
        (DKIM, '"v=DKIM1; t=y; p=TWVyaWRpYW4="', "warning dkim: m1._domainkey"),
        (DMARC, '"v=DMARC1; p=none"', "says p=none"),
        (DMARC, '"v=DMARC1; p=nothing"', "the policy of meridian.example is none of"),
        (DMARC, '"other"', "_dmarc.meridian.example has no records Gmail Yahoo Microsoft"),
        (
            "7.2.0.192.in-addr.arpa. 60 IN PTR mx",
            ";7.2.0.192.in-addr.arpa. IN PTR\nx",
            "192.0.2.7 has no name",
        ),
        ("PTR mx.meridian", "PTR other.meridian", "other.meridian.example (A) were not given"),
        (
            "IN A 192.0.2.7",
            "IN A 192.0.2.8",
            "does not lead back",
        ),
        (
            "news.meridian.example. 3600 IN MX",
            ";news.meridian.example. IN A\n;news.meridian.example. IN MX\nx. IN MX",
            "no mail can come back",
        ),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(old: str, new: str, expected: str) -> None:
    assert old in GOOD
    assert any(expected in line for line in bad(SETUP, GOOD.replace(old, new)))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"keys": ()}, "mails are not signed"),
        ({"senders": ("gmail.com",)}, "which only gmail.com may send Gmail"),
        ({"senders": ()}, "no sender is set"),
        ({"addresses": ()}, "was not said"),
        ({"helo": "localhost"}, "greets as localhost"),
        ({"leave": ""}, "one click (RFC 8058) Gmail Yahoo"),
        ({"bounces": ""}, "nothing says where"),
        ({"senders": ("else.example",)}, "_dmarc.else.example were not given"),
    ],
)
def test_what_is_set_up_wrong_is_said(change: dict[str, object], expected: str) -> None:
    assert any(expected in line for line in bad(msgspec.structs.replace(SETUP, **change), GOOD))


def test_a_signature_and_an_envelope_of_others_are_not_aligned() -> None:
    setup = msgspec.structs.replace(SETUP, senders=("else.example",))
    text = GOOD + '_dmarc.else.example. IN TXT "v=DMARC1; p=reject"\n'
    assert any("DMARC fails" in line for line in bad(setup, text))


def test_strict_alignment_is_taken_at_its_word() -> None:
    text = GOOD.replace(DMARC, '"v=DMARC1; p=reject; adkim=s; aspf=s"')
    setup = msgspec.structs.replace(SETUP, senders=("www.meridian.example",))
    assert any("DMARC fails" in line for line in bad(setup, text))
    assert bad(SETUP, text) == []


def test_without_records_everything_is_unknown_and_nothing_absent() -> None:
    found = bad(SETUP, "")
    assert found
    assert all(line.startswith("warning") for line in found)


def test_the_questions_are_one_command() -> None:
    asked = dig(questions(SETUP))
    for name in ("_dmarc.meridian.example TXT", "m1._domainkey.meridian.example TXT",
                 "7.2.0.192.in-addr.arpa PTR", "news.meridian.example MX"):  # fmt: skip
        assert name in asked


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    judge(SETUP, Records(text))
    judge(SETUP, Records(GOOD.replace(SPF, f'"v=spf1 {text}"')))
