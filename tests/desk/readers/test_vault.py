# SPDX-License-Identifier: AGPL-3.0-or-later
"""An address goes in, is found however it is spelt, and comes out for nobody without the key."""

from __future__ import annotations

import os
import stat

import pyrage
import pytest
from django.db import connections, transaction

from tamizdat.desk.readers import keyring
from tamizdat.desk.readers.errors import (
    AddressError,
    ErasedError,
    KeyFileError,
    SealedError,
    VaultError,
    VaultShutError,
)
from tamizdat.desk.readers.models import Reader
from tamizdat.desk.readers.vault import Vault

ADA = "Ada.Lorn@Post.Example"


def test_an_address_is_found_however_it_is_spelt_and_kept_as_it_was_typed(vault: Vault) -> None:
    reader = vault.add(ADA, "en")
    assert vault.find("ada.lorn@post.example") == reader
    assert vault.find(" ADA.LORN@POST.EXAMPLE. ") == reader
    assert vault.address_of(reader) == ADA
    assert vault.find("adalorn@post.example") is None


def test_adding_an_address_again_gives_the_row_that_is_there(vault: Vault) -> None:
    first = vault.add(ADA, "en")
    again = vault.add(ADA.upper(), "ru")
    assert (again.pk, again.language) == (first.pk, "en")
    assert vault.address_of(again) == ADA
    assert Reader.objects.count() == 1


def test_what_is_no_address_is_refused_without_being_repeated(vault: Vault) -> None:
    for wrong in ("", "ada", "@post.example", "ada@", "a@b@c", "ada@post..example", "a da@x.y"):
        with pytest.raises(AddressError) as refused:
            vault.add(wrong, "en")
        assert not wrong or wrong not in str(refused.value)


def test_many_are_opened_in_their_order(vault: Vault) -> None:
    for number in range(30):
        vault.add(f"reader{number}@post.example", "en" if number % 2 else "ru")
    russian = Reader.objects.filter(language="ru").order_by("pk")
    assert list(vault.addresses(russian)) == [vault.address_of(reader) for reader in russian]
    assert sorted(vault.addresses(list(russian))) == sorted(
        f"reader{number}@post.example" for number in range(0, 30, 2)
    )


def test_no_row_carries_an_address_or_how_long_it_is(vault: Vault) -> None:
    short, long = vault.add("a@b.example", "en"), vault.add("somebody.else@post.example", "en")
    for reader in (short, long):
        assert b"example" not in bytes(reader.sealed) + bytes(reader.blind)
    assert len(short.sealed) == len(long.sealed)


def test_the_same_address_is_sealed_differently_in_each_row(vault: Vault) -> None:
    first = vault.add(ADA, "en")
    sealed = bytes(first.sealed)
    Reader.objects.all().delete()
    assert bytes(vault.add(ADA, "en").sealed) != sealed


def test_what_is_copied_from_another_row_does_not_open(vault: Vault) -> None:
    first, second = vault.add("one@post.example", "en"), vault.add("two@post.example", "en")
    Reader.objects.filter(pk=first.pk).update(sealed=second.sealed)
    with pytest.raises(SealedError):
        vault.address_of(Reader.objects.get(pk=first.pk))
    with pytest.raises(SealedError):
        list(vault.addresses(Reader.objects.all()))


def test_a_bit_that_was_changed_is_noticed(vault: Vault) -> None:
    reader = vault.add(ADA, "en")
    for at in (0, 13, len(reader.sealed) - 1):
        altered = bytearray(reader.sealed)
        altered[at] ^= 1
        Reader.objects.filter(pk=reader.pk).update(sealed=bytes(altered))
        with pytest.raises(SealedError):
            vault.address_of(Reader.objects.get(pk=reader.pk))


def test_once_the_key_file_is_gone_nothing_is_found_or_opened(vault: Vault) -> None:
    reader = vault.add(ADA, "en")
    vault.file.path.unlink()
    for use in (
        lambda: vault.find(ADA),
        lambda: vault.address_of(reader),
        lambda: vault.add(ADA, "en"),
        lambda: list(vault.addresses([reader])),
        lambda: Vault.open(vault.newsroom),
    ):
        with pytest.raises(VaultShutError, match="the vault is shut"):
            use()


def test_another_key_file_is_used_at_once_and_opens_nothing_of_the_first(vault: Vault) -> None:
    reader = vault.add(ADA, "en")
    ring = vault.file.read()
    vault.file.write(keyring.Keyring(current=1, keys={1: keyring.new_key()}))
    with pytest.raises(SealedError):
        vault.address_of(reader)
    assert vault.find(ADA) is None
    vault.file.write(ring)
    assert vault.find(ADA) == reader


def test_a_key_file_of_another_day_is_refused_before_anything_is_sealed(vault: Vault) -> None:
    vault.file.write(keyring.Keyring(current=7, keys={7: keyring.new_key()}))
    with pytest.raises(KeyFileError, match="from the same day"):
        vault.add(ADA, "en")


@pytest.mark.parametrize("broken", [b"", b"age-encryption.org/v1\n", None])
def test_a_damaged_key_file_is_said_to_be_one(vault: Vault, broken: bytes | None) -> None:
    whole = vault.file.path.read_bytes()
    vault.file.path.write_bytes(whole[:-3] if broken is None else broken)
    with pytest.raises(KeyFileError, match="damaged"):
        vault.find(ADA)


def test_the_identity_may_lie_on_another_medium(vault: Vault, tmp_path: os.PathLike[str]) -> None:
    vault.file.identity_path.unlink()
    with pytest.raises(KeyFileError, match="put in the medium"):
        Vault.open(vault.newsroom)


def test_the_operator_can_open_the_key_file_and_others_cannot(made: object, vault: Vault) -> None:
    sealed = vault.file.path.read_bytes()
    assert keyring.open_keyring(sealed, made.operator).current == 1  # type: ignore[attr-defined] # Made
    with pytest.raises(KeyFileError):
        keyring.open_keyring(sealed, pyrage.x25519.Identity.generate())


def test_the_files_are_for_the_newsroom_alone(vault: Vault) -> None:
    for path in (vault.file.path, vault.file.identity_path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert b"vault key" not in vault.file.path.read_bytes()


def test_an_erased_reader_is_not_found_until_taken_in_again(vault: Vault) -> None:
    reader = vault.add(ADA, "en")
    Reader.objects.filter(pk=reader.pk).update(sealed=b"", erased="2026-11-22")
    assert vault.find(ADA) is None
    assert vault.find(ADA, erased=True) == reader
    with pytest.raises(ErasedError):
        vault.address_of(Reader.objects.get(pk=reader.pk))
    assert list(vault.addresses(Reader.objects.all())) == []
    again = vault.add(ADA, "ru")
    assert (again.pk, again.language, again.erased) == (reader.pk, "ru", None)
    assert vault.address_of(again) == ADA


def test_a_text_opens_for_what_it_was_sealed_for(vault: Vault) -> None:
    with transaction.atomic():
        blob = vault.seal("letters.message", b"they came at night")
    assert vault.open_sealed("letters.message", blob) == b"they came at night"
    assert len(blob) == len(b"they came at night") + 32
    for wrong, purpose in (
        (blob, "letters.note"),
        (blob[:-1] + bytes([blob[-1] ^ 1]), "letters.message"),
        (blob[:20], "letters.message"),
        (b"\0\0\0\7" + blob[4:], "letters.message"),
        (b"", "letters.message"),
    ):
        with pytest.raises(SealedError):
            vault.open_sealed(purpose, wrong)


def test_sealing_outside_a_transaction_is_refused(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as outside:
        outside.setattr(connections["default"], "in_atomic_block", False)
        with pytest.raises(VaultError, match="same transaction"):
            vault.seal("letters.message", b"x")
