# SPDX-License-Identifier: AGPL-3.0-or-later
"""Mails as programs read them: what went in comes out, whatever it is, and nothing breaks out."""

from __future__ import annotations

import datetime
import email
import re
from email.header import decode_header, make_header
from email.utils import parseaddr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamizdat.mail.content import PREFERENCES, TOKEN_LENGTH, UNSUBSCRIBE, File
from tamizdat.mail.errors import MessageError
from tests.mail.made import NOW, TOKENS, filled, personal, read, template, texts, whole

_ENDS = re.compile(r"\r\n|\r|\n")
words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n"))
names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=80)
odd = st.sampled_from(
    [UNSUBSCRIBE, PREFERENCES, "\n.", "\nFrom ", "=", " \n", "ж" * 60, "=?utf-8?"]
)
bodies = st.lists(st.text(st.characters(exclude_categories=["Cs"])) | odd).map("".join)
tokens = st.text("ABCxyz019-_", min_size=TOKEN_LENGTH, max_size=TOKEN_LENGTH)
LINKS = {
    "list_id": "weekly.news.example",
    "list_unsubscribe": f"https://drop.example/leave/{UNSUBSCRIBE}",
    "list_unsubscribe_mail": "leave@news.example",
}


@given(words)
def test_any_subject_is_read_as_it_was_written(subject: str) -> None:
    data = personal(template(subject))
    whole(data)
    assert data.partition(b"\r\n\r\n")[0].isascii()
    assert max(len(line) for line in data.split(b"\r\n")) <= 100
    assert read(data)["Subject"] == subject


@pytest.mark.parametrize(
    "subject",
    [
        "Выборы, которых не было: четыре истории с Дальней набережной и одна с Ближней",
        "أربعة أخبار من الميناء القديم وخبر واحد من السوق",
        "Café “déjà vu” — naïve",
        "a" * 300,
        "word " * 60 + "end",
        "=?utf-8?q?not=20encoded?=",
        "two  blanks",
        "👩‍👩‍👧 " * 30,
    ],
)
def test_subjects_of_every_script(subject: str) -> None:
    data = personal(template(subject))
    whole(data)
    assert all(len(line) <= 78 for line in data.partition(b"\r\n\r\n")[0].split(b"\r\n"))
    assert read(data)["Subject"] == subject


@given(names)
def test_any_name_of_a_sender_is_read_as_it_was_written(name: str) -> None:
    data = personal(template(sender_name=name))
    whole(data)
    # The library's newer parser puts blanks between encoded words of a name, against RFC 2047, 6.2.
    phrase, address = parseaddr(email.message_from_bytes(data)["From"])
    assert address == "weekly@news.example"
    assert str(make_header(decode_header(phrase))) == " ".join(name.split())
    assert read(data)["From"].addresses[0].addr_spec == "weekly@news.example"


@given(bodies, bodies, st.booleans())
def test_any_text_is_read_as_it_was_written(plain: str, html: str, eight_bit: bool) -> None:
    html = f"<p>{html}"
    data = personal(template(plain=plain or "x", html=html, eight_bit=eight_bit))
    whole(data)
    assert eight_bit or data.isascii()
    found = texts(read(data))
    for kind, text in (("text/plain", plain or "x"), ("text/html", html)):
        expected = filled(_ENDS.sub("\r\n", text))
        assert found[kind] == expected + ("" if expected.endswith("\r\n") else "\r\n")


@given(bodies, tokens, tokens)
def test_a_token_of_one_length_makes_mails_of_one_length(
    text: str, first: str, second: str
) -> None:
    made = template(plain=text + UNSUBSCRIBE + "ж" * 50, html=f"<p>{text}{PREFERENCES}")
    mails = [
        personal(made, tokens={UNSUBSCRIBE: one, PREFERENCES: other})
        for one, other in ((first, second), (second, first))
    ]
    assert len(mails[0]) == len(mails[1])
    assert first + "ж" * 50 in texts(read(mails[0]))["text/plain"]


@pytest.mark.parametrize("before", range(6))
@pytest.mark.parametrize("gap", range(4))
def test_places_anywhere_in_base64_are_filled(before: int, gap: int) -> None:
    text = "ж" * 400 + "x" * before + UNSUBSCRIBE + "y" * gap + PREFERENCES + "z" + UNSUBSCRIBE
    data = personal(template(plain=text))
    assert b"base64" in data
    assert max(map(len, data.split(b"\r\n"))) <= 78
    assert texts(read(data))["text/plain"] == filled(text) + "\r\n"


def test_a_soft_break_never_divides_a_place() -> None:
    for start in range(80):
        text = f"<a href='é{'x' * start}{UNSUBSCRIBE}'> and much more of the text behind it"
        data = personal(template(html=text))
        assert b"quoted-printable" in data
        assert data.count(TOKENS[UNSUBSCRIBE].encode()) == 1
        assert max(map(len, data.split(b"\r\n"))) <= 78


@given(st.emails())
def test_any_valid_address_gets_its_mail(address: str) -> None:
    data = personal(template(), to=address)
    whole(data)
    (found,) = read(data)["To"].addresses
    local, _, domain = address.rpartition("@")
    assert found.addr_spec == f"{local}@{domain}"


@pytest.mark.parametrize(
    ("address", "written"),
    [
        ("ада@пример.example", "ада@xn--e1afmkfd.example"),
        ("ada@مثال.example", "ada@xn--mgbh0fb.example"),
        ('"two words..dots"@b.example', None),
        ('"odd..dots"@b.example', '"odd..dots"@b.example'),
        ("odd..dots@b.example", '"odd..dots"@b.example'),
        ("o'neil+tag@b.example.", "o'neil+tag@b.example"),
    ],
)
def test_addresses_in_every_script(address: str, written: str | None) -> None:
    if written is None:
        with pytest.raises(MessageError):
            personal(template(), to=address)
        return
    data = personal(template(), to=address)
    assert f"\r\nTo: {written}\r\n".encode() in data


@pytest.mark.parametrize("where", ["sender", "reply_to", "list_unsubscribe_mail"])
def test_an_address_of_ours_in_other_letters_is_refused_in_words(where: str) -> None:
    """Half of the readers' servers could not answer to it."""
    with pytest.raises(MessageError, match="ASCII"):
        template(**{where: "неделя@news.example"})


INJECTIONS = ("a\r\nBcc: x@y.example", "a\nb", "a\rb", "a\0b", "\ud800")


@pytest.mark.parametrize("value", INJECTIONS)
@pytest.mark.parametrize(
    "where",
    [
        *("subject", "sender", "sender_name", "reply_to", "list_id", "list_name"),
        *("list_unsubscribe", "list_unsubscribe_mail", "message_id_domain"),
        *("file", "cid", "header", "header_name"),
    ],
)
def test_no_value_brings_a_line_of_its_own(where: str, value: str) -> None:
    file = File(name="a.png", media_type="image/png", sha256="", cid="c")
    given: dict[str, object] = {
        "file": {"files": [(File(name=value, media_type="image/png", sha256=""), b"")]},
        "cid": {"files": [(File(name="", media_type=file.media_type, sha256="", cid=value), b"")]},
        "header": {"headers": {"X-Paper": value}},
        "header_name": {"headers": {value: "x"}},
        "list_name": {"list_id": "a.b", "list_name": value},
    }.get(where, {where: value})  # type: ignore[assignment]  # Every case gives arguments.
    with pytest.raises(MessageError):
        template(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [*INJECTIONS, "", "a b@c.example", "a@b.example, c@d.example"])
def test_no_address_of_a_reader_brings_a_line_of_its_own(value: str) -> None:
    with pytest.raises(MessageError):
        personal(template(), to=value)


@pytest.mark.parametrize("value", [*INJECTIONS, "", "a b", "a>", "a..b"])
def test_no_message_id_brings_a_line_of_its_own(value: str) -> None:
    with pytest.raises(MessageError):
        personal(template(), message_id=value)


@pytest.mark.parametrize("token", ["", "a" * 39, "a" * 41, "a" * 39 + "\n", "ж" * 40])
def test_a_token_of_another_form_is_refused(token: str) -> None:
    with pytest.raises(MessageError):
        personal(template(plain=UNSUBSCRIBE), tokens={UNSUBSCRIBE: token})


def test_a_token_that_the_text_needs_must_be_given() -> None:
    with pytest.raises(MessageError):
        personal(template(plain=UNSUBSCRIBE), tokens={})
    personal(template(plain="none needed"), tokens={})


def test_the_date_and_the_message_id_come_from_outside() -> None:
    made = template()
    zone = datetime.timezone(datetime.timedelta(hours=3))
    data = personal(made, date=NOW.astimezone(zone), message_id="issue-7.abc")
    found = read(data)
    assert found["Date"].datetime == NOW
    assert found["Message-ID"] == "<issue-7.abc@news.example>"
    assert data == personal(template(), date=NOW, message_id="issue-7.abc")
    with pytest.raises(MessageError):
        personal(made, date=NOW.replace(tzinfo=None))


def test_a_mail_of_a_list_says_how_to_leave_it() -> None:
    """RFC 2919, 2369, 8058."""
    more = {"List-Help": "https://news.example/help", "List-Archive": "https://news.example/all"}
    data = personal(template(**LINKS, list_name="Неделя", headers=more))
    found = read(data)
    token = TOKENS[UNSUBSCRIBE]
    assert found["List-Unsubscribe"] == (
        f"<https://drop.example/leave/{token}>, <mailto:leave@news.example>"
    )
    assert found["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert str(found["List-Id"]).endswith("<weekly.news.example>")
    assert found["List-Help"] == "<https://news.example/help>"
    assert found["Precedence"] == "bulk"
    assert found["Auto-Submitted"] is None
    names = [name.lower() for name in found]
    assert len(names) == len(set(names))


def test_one_click_needs_https() -> None:
    data = personal(template(list_unsubscribe=f"http://drop.example/{UNSUBSCRIBE}"))
    assert b"One-Click" not in data
    assert b"List-Unsubscribe: <http://drop.example/" in data


def test_a_mail_of_no_list_is_answered_by_no_machine() -> None:
    assert read(personal(template()))["Auto-Submitted"] == "auto-generated"
    replied = read(personal(template(headers={"auto-submitted": "auto-replied"})))
    assert replied.get_all("Auto-Submitted") == ["auto-replied"]


@pytest.mark.parametrize("name", ["From", "bcc", "Content-Type", "DKIM-Signature", "Return-Path"])
def test_a_header_that_is_ours_is_not_taken_from_outside(name: str) -> None:
    with pytest.raises(MessageError):
        template(headers={name: "x"})


def kinds(data: bytes) -> list[str]:
    return [part.get_content_type() for part in read(data).walk()]


def test_a_mail_is_only_as_deep_as_it_must_be() -> None:
    picture = (File(name="a.png", media_type="image/png", sha256="", cid="a@x"), b"\x89PNG")
    attached = (File(name="paper.html", media_type="text/html", sha256=""), b"<p>whole paper")
    texts = ["multipart/alternative", "text/plain", "text/html"]
    assert kinds(personal(template(html=""))) == ["text/plain"]
    assert kinds(personal(template())) == texts
    assert kinds(personal(template(files=[picture]))) == ["multipart/related", *texts, "image/png"]
    assert kinds(personal(template(files=[attached]))) == ["multipart/mixed", *texts, "text/html"]
    assert kinds(personal(template(files=[attached, picture]))) == [
        *("multipart/mixed", "multipart/related", *texts, "image/png", "text/html")
    ]
    with pytest.raises(MessageError):
        template(plain="", html="")


@settings(max_examples=50)
@given(names.filter(bool), st.binary(max_size=200))
def test_a_file_arrives_with_its_name(name: str, data: bytes) -> None:
    file = File(name=name, media_type="application/octet-stream", sha256="")
    mail = personal(template(files=[(file, data)]))
    whole(mail)
    (found,) = read(mail).iter_attachments()
    assert found.get_filename() == name.strip()  # The library strips.
    assert found.get_payload(decode=True) == data


def test_a_picture_is_found_by_its_cid() -> None:
    file = File(name="лампа.png", media_type="image/png", sha256="", cid="lamp@news.example")
    mail = read(personal(template(files=[(file, b"\x89PNG")])))
    (found,) = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert found["Content-ID"] == "<lamp@news.example>"
    assert found.get_content_disposition() == "inline"
    assert found.get_filename() == "лампа.png"


@pytest.mark.parametrize("kind", ["message/rfc822", "multipart/mixed", "image", "a/b; c=d", ""])
def test_a_file_of_a_kind_that_mails_do_not_carry_is_refused(kind: str) -> None:
    with pytest.raises(MessageError):
        template(files=[(File(name="a", media_type=kind, sha256=""), b"")])


def test_a_russian_text_is_not_swollen() -> None:
    text = "Фонарь на набережной снова не горит, и никто не идёт его чинить. " * 100
    assert len(personal(template(plain=text))) < 1.5 * len(text.encode())


def test_a_short_english_text_stays_readable() -> None:
    data = personal(template(plain="The lamp is out again.\n\nNobody comes.", html=""))
    assert b"\r\n\r\nThe lamp is out again.\r\n\r\nNobody comes.\r\n" in data
    assert b"Content-Transfer-Encoding: 7bit" in data
