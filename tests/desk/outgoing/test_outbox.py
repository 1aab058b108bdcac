# SPDX-License-Identifier: AGPL-3.0-or-later
"""The demo's mails can be read on the desk; a real newsroom has no such page."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tamizdat.config import Newsroom, RelaySettings
from tamizdat.desk.outgoing import outbox
from tamizdat.desk.outgoing.relay_outbox import Outbox
from tamizdat.desk.staff.models import User
from tamizdat.mail.smtp import Outgoing

pytestmark = pytest.mark.django_db
EVIL = "<html><head></head><body><script>alert(1)</script><img src='cid:p'>Hi</body></html>"


def newsroom(folder: Path, demo: bool) -> Newsroom:
    folder.mkdir()
    (folder / "tamizdat.toml").write_text(
        f'name = "M"\naddress = "https://m.example"\ndemo = {str(demo).lower()}\n'
    )
    return Newsroom(folder)


@pytest.fixture
def demo(tmp_path: Path, settings: Any) -> Newsroom:
    made = settings.NEWSROOM = newsroom(tmp_path / "demo", True)
    mails = []
    for to in ("ada@post.example", "oskar@port.example"):
        message = EmailMessage()
        message["To"], message["Subject"], message["From"] = to, f"For {to[:3]}", "x@m.example"
        message.set_content("Hi, see https://m.example/x")
        message.add_alternative(EVIL, subtype="html")
        html = message.get_body(("html",))
        assert html is not None
        html.add_related(b"\x89PNG", "image", "png", cid="<p>")
        mails.append(Outgoing(key=to, sender="b@m.example", recipient=to, data=message.as_bytes()))
    assert [o.state for o in Outbox(made, RelaySettings(name="o")).send(mails)] == ["sent"] * 2
    return made


def test_mails_are_listed_and_found_by_address(
    demo: Newsroom, editor: User, signed_in: Callable[[User], Client]
) -> None:
    client = signed_in(editor)
    page = client.get(reverse("outgoing:outbox")).content.decode()
    assert "For ada" in page
    assert "For osk" in page
    page = client.get(reverse("outgoing:outbox"), {"address": "PORT.example"}).content.decode()
    assert "For ada" not in page
    assert "For osk" in page


def test_a_mail_is_shown_in_a_frame_in_which_nothing_runs(
    demo: Newsroom, editor: User, signed_in: Callable[[User], Client]
) -> None:
    client = signed_in(editor)
    name = outbox.newest(demo)[0][0].name
    page = client.get(reverse("outgoing:mail", args=[name])).content.decode()
    assert 'sandbox="allow-popups' in page
    assert "https://m.example/x" in page
    assert "alert(1)" not in page
    frame = client.get(reverse("outgoing:frame", args=[name]))
    assert "default-src 'none'" in frame.headers["Content-Security-Policy"]
    assert "sandbox allow-popups" in frame.headers["Content-Security-Policy"]
    assert b"data:image/png;base64" in frame.content


@pytest.mark.parametrize("name", ["x", "0" * 20 + "-" + "a" * 8, "..%2fsecrets"])
def test_no_other_file_is_shown(
    demo: Newsroom, editor: User, signed_in: Callable[[User], Client], name: str
) -> None:
    assert signed_in(editor).get(f"/desk/outbox/{name}/").status_code == 404


def test_a_real_newsroom_has_no_outbox(
    tmp_path: Path, settings: Any, editor: User, signed_in: Callable[[User], Client]
) -> None:
    settings.NEWSROOM = newsroom(tmp_path / "real", False)
    client = signed_in(editor)
    assert client.get(reverse("outgoing:outbox")).status_code == 404
    assert "Outbox" not in client.get(reverse("wagtailadmin_home")).content.decode()
