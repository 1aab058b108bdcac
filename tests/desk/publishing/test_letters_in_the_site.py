# SPDX-License-Identifier: AGPL-3.0-or-later
"""The paper has a form for letters where the newsroom has drops that readers can reach."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from django.conf import LazySettings

from tamizdat import letterbox
from tamizdat.cli.folder import start_folder
from tamizdat.config import DropSettings, Newsroom
from tamizdat.desk.publishing.site import site_from_desk
from tamizdat.edition.errors import SiteError
from tamizdat.edition.site import Letters

pytestmark = pytest.mark.django_db
DROPS = (
    DropSettings(name="near", url="https://near.example/"),
    DropSettings(name="here", folder="/srv/drop"),
    DropSettings(name="far", url="http://abc.onion", folder="/srv/far"),
)


@pytest.fixture
def newsroom(tmp_path: Path, settings: LazySettings) -> Newsroom:
    made = start_folder(
        tmp_path / "observer",
        name="The Observer",
        address="https://observer.example",
        languages=("en",),
        timezone="UTC",
    )
    settings.NEWSROOM = made
    return made


def test_without_drops_there_is_no_form(newsroom: Newsroom) -> None:
    assert site_from_desk().letters == Letters()


def test_letters_go_to_the_drops_that_have_an_address_in_their_order(newsroom: Newsroom) -> None:
    newsroom.settings = msgspec.structs.replace(newsroom.settings, drops=DROPS)
    letters = site_from_desk().letters
    assert letters.drops == ("https://near.example", "http://abc.onion")
    assert letters.recipient == letterbox.recipient(newsroom)


def test_no_form_is_published_that_nobody_could_open_the_letters_of(newsroom: Newsroom) -> None:
    newsroom.settings = msgspec.structs.replace(newsroom.settings, drops=DROPS)
    (newsroom.secrets / "letterbox-key").unlink()
    with pytest.raises(SiteError, match="letterbox-key is missing"):
        site_from_desk()
