# SPDX-License-Identifier: AGPL-3.0-or-later
"""Links in mails: whole, ours, in time, and telling nothing to who passes them on."""

from __future__ import annotations

import datetime
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamizdat.config import ConfigError, Newsroom
from tamizdat.desk.outgoing import links
from tamizdat.desk.outgoing.errors import (
    ForgedLinkError,
    LinkError,
    MalformedLinkError,
    OldLinkError,
)
from tamizdat.desk.outgoing.links import DAYS, Link, Links, Purpose, day_stamp, require
from tamizdat.drop.kinds import TOKEN
from tamizdat.mail.content import TOKEN_LENGTH

TODAY = datetime.date(2026, 11, 23)
STAMP = day_stamp(TODAY)


@pytest.fixture
def newsroom(tmp_path: Path) -> Newsroom:
    (tmp_path / "tamizdat.toml").write_text('name = "M"\naddress = "https://m.example"\n')
    found = Newsroom(tmp_path)
    links.ensure_key(found)
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Links:
    folder = tmp_path_factory.mktemp("newsroom")
    (folder / "tamizdat.toml").write_text('name = "M"\naddress = "https://m.example"\n')
    links.ensure_key(Newsroom(folder))
    return Links(Newsroom(folder))


@given(
    purpose=st.sampled_from(Purpose),
    subject=st.integers(0, 2**64 - 1),
    extra=st.integers(0, 255),
)
def test_what_was_put_into_a_link_is_read_from_it(
    made: Links, purpose: Purpose, subject: int, extra: int
) -> None:
    token = made.make(purpose, subject, STAMP, extra)
    assert len(token) == TOKEN_LENGTH
    assert re.fullmatch(r"[A-Za-z0-9_-]+", token)
    assert TOKEN.match(token)  # A drop takes it.
    assert made.read(token, today=TODAY) == Link(purpose, subject, STAMP, extra)


@given(at=st.integers(0, TOKEN_LENGTH - 1), other=st.sampled_from("Az0_-"))
def test_a_link_with_one_letter_changed_is_refused(made: Links, at: int, other: str) -> None:
    token = made.make(Purpose.UNSUBSCRIBE, 7, STAMP)
    changed = token[:at] + other + token[at + 1 :]
    if changed != token:
        with pytest.raises(LinkError):
            made.read(changed, today=TODAY)


@pytest.mark.parametrize("token", ["", "abc", "ü" * TOKEN_LENGTH, "a" * 41, "A" * 40, "~" * 40])
def test_what_is_no_link_is_called_not_whole(made: Links, token: str) -> None:
    with pytest.raises(MalformedLinkError, match="in the mail again"):
        made.read(token, today=TODAY)


def test_a_link_of_another_newsroom_is_not_believed(made: Links, newsroom: Newsroom) -> None:
    foreign = Links(newsroom).make(Purpose.PREFERENCES, 7, STAMP)
    with pytest.raises(ForgedLinkError):
        made.read(foreign, today=TODAY)


@pytest.mark.parametrize("purpose", [p for p, days in DAYS.items() if days is not None])
def test_a_link_ages_as_the_table_says(made: Links, purpose: Purpose) -> None:
    token, days = made.make(purpose, 7, STAMP), DAYS[purpose]
    assert days is not None
    assert made.read(token, today=TODAY + datetime.timedelta(days)).subject == 7
    with pytest.raises(OldLinkError, match=f"{days} days"):
        made.read(token, today=TODAY + datetime.timedelta(days + 1))


def test_who_wants_to_leave_may_do_so_by_a_mail_of_any_age(made: Links) -> None:
    token = made.make(Purpose.UNSUBSCRIBE, 7, 3)
    assert made.read(token, today=datetime.date(2099, 1, 1)).subject == 7


def test_two_links_of_one_reader_have_nothing_in_common_to_others(made: Links) -> None:
    one, two = (made.make(Purpose.UNSUBSCRIBE, 7, stamp) for stamp in (1, 2))
    assert sum(a == b for a, b in zip(one[2:], two[2:], strict=True)) < 10
    assert made.make(Purpose.UNSUBSCRIBE, 7, 1) == one


def test_a_link_for_one_thing_does_nothing_else(made: Links) -> None:
    link = made.read(made.make(Purpose.CONFIRM, 7, STAMP), today=TODAY)
    assert require(link, Purpose.CONFIRM) == 7
    with pytest.raises(ForgedLinkError):
        require(link, Purpose.PREFERENCES)


def test_links_that_are_under_way_survive_a_change_of_the_key(newsroom: Newsroom) -> None:
    first = Links(newsroom).make(Purpose.UNSUBSCRIBE, 1, STAMP)
    links.rotate_key(newsroom)
    second = Links(newsroom).make(Purpose.UNSUBSCRIBE, 1, STAMP)
    links.rotate_key(newsroom)
    now = Links(newsroom)
    assert now.read(first, today=TODAY) == now.read(second, today=TODAY)
    assert len({first, second, now.make(Purpose.UNSUBSCRIBE, 1, STAMP)}) == 3
    assert {path.name for path in newsroom.secrets.iterdir()} == {
        "link-key",
        "link-key.1",
        "link-key.2",
    }
    assert all(path.stat().st_mode & 0o077 == 0 for path in newsroom.secrets.iterdir())


def test_without_the_key_it_is_said_how_to_get_one(newsroom: Newsroom) -> None:
    (newsroom.secrets / "link-key").unlink()
    with pytest.raises(ConfigError, match="tamizdat init"):
        Links(newsroom)
