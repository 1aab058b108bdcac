# SPDX-License-Identifier: AGPL-3.0-or-later
"""The log-in speaks Russian to those who ask for it, whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from babel.messages import mofile, pofile

import tamizdat.desk.staff
from tests.desk.staff.conftest import LOGIN, Browser

PLACE = Path(tamizdat.desk.staff.__file__).parent / "locale" / "ru" / "LC_MESSAGES"


def test_every_sentence_is_translated_and_the_compiled_file_is_the_newest() -> None:
    with (PLACE / "django.po").open("rb") as source, (PLACE / "django.mo").open("rb") as made:
        words, compiled = pofile.read_po(source, locale="ru"), mofile.read_mo(made)
    for message in words:
        if message.id:
            assert all(message.string), message.id
            made_of_it = compiled.get(message.id)
            assert made_of_it is not None, message.id
            assert list(made_of_it.string) == list(message.string)


@pytest.mark.django_db
def test_the_door_speaks_russian() -> None:
    page = Browser().get(LOGIN, headers={"accept-language": "ru"}).content.decode()
    assert "Войти с ключом доступа" in page
    assert "Запомнить меня" in page
    for _ in range(10):
        Browser().post(LOGIN, {"username": "n", "password": "x"}, headers={"accept-language": "ru"})
    late = Browser().post(
        LOGIN, {"username": "n", "password": "x"}, headers={"accept-language": "ru"}
    )
    assert "через 15 минут." in late.content.decode()
