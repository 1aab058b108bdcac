# SPDX-License-Identifier: AGPL-3.0-or-later
"""A newsroom with a bank, as for the events; two publishers and somebody of the readers' desk."""

from __future__ import annotations

import html
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tamizdat.desk.contributions.models import Payment
from tamizdat.desk.staff.models import User
from tamizdat.desk.staff.roles import PUBLISHER, READERS_DESK
from tests.desk.conftest import make_user
from tests.desk.contributions.events.conftest import House, bank, house

__all__ = ["bank", "house"]

SignIn = Callable[[User], Client]


@pytest.fixture
def petra(house: House, publisher: User, signed_in: SignIn) -> Client:
    """A publisher, who asks."""
    return signed_in(publisher)


@pytest.fixture
def paul(house: House, signed_in: SignIn) -> Client:
    """Another one, who approves."""
    return signed_in(make_user("paul", PUBLISHER))


@pytest.fixture
def nora(house: House, signed_in: SignIn) -> Client:
    """Of the readers' desk, and nothing else."""
    return signed_in(make_user("nora", READERS_DESK))


def path(name: str, *args: Any) -> str:
    return reverse(f"contributions:{name}", args=args)


def words(client: Client, where: str, *, status: int = 200) -> str:
    """What a page says, without its marks."""
    answer = client.get(where)
    assert answer.status_code == status, answer.content.decode()[:500]
    return plain(answer.content.decode())


def plain(page: str) -> str:
    body = page.partition("<main")[2].partition(">")[2] or page
    bare = re.sub(r"<(script|style|template)\b.*?</\1>|<[^>]+>", " ", body, flags=re.DOTALL)
    return " ".join(html.unescape(bare).split())


def press(client: Client, where: str, **fields: Any) -> str:
    """A form is sent, once, and the page that it leads to."""
    sent = {"token": str(uuid.uuid4()), **fields}
    answer = client.post(where, sent, follow=True)
    assert answer.status_code == 200, answer.content.decode()[:500]
    return plain(answer.content.decode())


def asks(client: Client, payment: Payment, amount: str, why: str = "Given twice") -> str:
    return press(client, path("refund_ask", payment.pk), amount=amount, why=why)
