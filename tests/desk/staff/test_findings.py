# SPDX-License-Identifier: AGPL-3.0-or-later
"""What ``tamizdat doctor`` says of the log-in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator

from tamizdat.cli.checkup_desk import second_factors
from tamizdat.config import Newsroom
from tamizdat.desk.staff.models import User

pytestmark = pytest.mark.django_db


def _said(folder: Path, desk: str, *, demo: bool = False) -> Any:
    (folder / "tamizdat.toml").write_text(
        f'name = "The Meridian"\naddress = "https://meridian.example"\n'
        f"demo = {str(demo).lower()}\n[desk]\n{desk}\n"
    )
    (finding,) = second_factors(Newsroom(folder))
    return finding


def test_a_real_newsroom_that_leaves_it_to_a_password_is_warned(tmp_path: Path) -> None:
    User.objects.create_user(username="anna", password="a lantern in the harbour")
    found = _said(tmp_path, 'second_factor = "optional"')
    assert found.level == "warning"
    assert "a password alone opens the desk for 1 of 1 accounts" in found.what
    assert _said(tmp_path, 'second_factor = "optional"', demo=True).level == "fine"
    assert _said(tmp_path, "").level == "fine"


def test_who_is_locked_out_by_passkeys_only_is_named(tmp_path: Path) -> None:
    anna = User.objects.create_user(username="anna")
    User.objects.create_user(username="boris")
    Authenticator.objects.create(user=anna, type="webauthn", data={"name": "My phone"})
    found = _said(tmp_path, "passkeys_only = true")
    assert found.level == "warning"
    assert found.what.endswith("have none: boris")
