# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a reader agreed to is written once, and kept as long as it must be and no longer."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from tamizdat.desk.readers import consents
from tamizdat.desk.readers.errors import ConsentError
from tamizdat.desk.readers.models import Consent, Reader, Term
from tamizdat.desk.readers.vault import Vault


@pytest.fixture
def ada(vault: Vault) -> Reader:
    return vault.add("ada@post.example", "en")


def asked(reader: Reader, **changed: Any) -> Consent:
    said: dict[str, Any] = {
        "purpose": "newsletter",
        "subject": "weekly",
        "form": "article",
        "privacy": 3,
        "language": "en",
    }
    return consents.ask(reader=reader, **{**said, **changed})


def confirmed(reader: Reader, **changed: Any) -> Consent:
    return consents.confirm(
        asked=asked(reader, **changed), token="t0ken", form="mail", language="ru"
    )


def test_a_confirmation_proves_itself_without_the_token(ada: Reader) -> None:
    consent = confirmed(ada)
    assert consent.proof == hashlib.sha256(b"t0ken").hexdigest()
    assert (consent.privacy, consent.language, consent.form) == (3, "ru", "mail")
    assert consent.day == timezone.localdate()
    assert consents.in_force(ada, "newsletter", "weekly")


def test_nothing_is_in_force_before_it_was_confirmed_or_after_it_was_withdrawn(ada: Reader) -> None:
    asked(ada)
    assert not consents.in_force(ada, "newsletter", "weekly")
    confirmed(ada)
    asked(ada)  # Somebody filled the form in again: what was confirmed stands.
    assert consents.in_force(ada, "newsletter", "weekly")
    assert consents.subjects_in_force(ada) == [("newsletter", "weekly")]
    left = {"reader": ada, "purpose": "newsletter", "subject": "weekly"}
    assert consents.withdraw(**left, form="mail", language="en")
    assert not consents.in_force(ada, "newsletter", "weekly")
    assert consents.withdraw(**left, form="mail", language="en") is None


def test_a_consent_says_what_for_through_what_and_under_which_policy(ada: Reader) -> None:
    with pytest.raises(ConsentError, match="register of purposes"):
        asked(ada, purpose="marketing")
    with pytest.raises(ConsentError, match="which one"):
        asked(ada, subject="")
    with pytest.raises(ConsentError, match="the form"):
        asked(ada, form="")
    with pytest.raises(ConsentError, match="token"):
        consents.confirm(asked=asked(ada), token="", form="mail", language="en")
    with pytest.raises(IntegrityError), transaction.atomic():
        asked(ada, privacy=None)


def test_what_was_brought_along_names_its_evidence_and_no_address(ada: Reader) -> None:
    brought = {"reader": ada, "purpose": "newsletter", "subject": "weekly", "language": "en"}
    for wrong in ("", "ada@post.example said yes"):
        with pytest.raises(ConsentError):
            consents.bring(**brought, evidence=wrong)
    consents.bring(**brought, evidence="listmonk, double opt-in on 2024-03-02")
    assert consents.in_force(ada, "newsletter", "weekly")


def refused(statement: str, *values: Any) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, values)
    except IntegrityError:
        return True
    return False


def aged(consent: Consent, days: int) -> Consent:
    """The same row as it would stand there if it had been written earlier."""
    consent.pk, consent.day = None, timezone.localdate() - timedelta(days=days)
    consent.save(force_insert=True)
    return consent


def test_the_database_changes_no_word_of_it(ada: Reader) -> None:
    consent = confirmed(ada)
    for change in ("day = '2020-01-01'", "event = 'withdrawn'", "privacy = 9", "proof = 'x'"):
        statement = f"UPDATE readers_consent SET {change} WHERE id = %s"  # noqa: S608 - ours
        assert refused(statement, consent.pk), change


def test_the_database_keeps_it_for_its_term(ada: Reader) -> None:
    delete = "DELETE FROM readers_consent WHERE id = %s"
    Term.objects.create(name="withdrawn", days=100)
    yes = confirmed(ada)
    assert refused(delete, yes.pk)
    young = Consent(
        reader=ada, purpose="newsletter", subject="weekly", event="withdrawn", form="mail"
    )
    young.language = "en"
    aged(young, 98)
    assert refused(delete, yes.pk)
    assert refused(delete, young.pk)
    confirmed(ada)
    old = aged(young, 100)
    assert not refused(delete, yes.pk)
    assert not refused("DELETE FROM readers_consent WHERE event <> 'withdrawn'")
    assert not refused(delete, old.pk)


def test_without_a_term_the_database_keeps_it_for_three_years(ada: Reader) -> None:
    confirmed(ada)
    gone = Consent(reader=ada, purpose="newsletter", subject="weekly", event="withdrawn")
    gone.form, gone.language = "mail", "en"
    aged(gone, 1090)
    assert refused("DELETE FROM readers_consent")
    aged(gone, 1095)
    assert not refused("DELETE FROM readers_consent WHERE event <> 'withdrawn'")


def test_what_was_never_confirmed_may_go_at_any_time(ada: Reader) -> None:
    confirmed(ada, subject="daily")
    asked(ada)
    assert not refused("DELETE FROM readers_consent WHERE subject = 'weekly'")
    assert Consent.objects.filter(subject="daily").count() == 2
