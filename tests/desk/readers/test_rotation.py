# SPDX-License-Identifier: AGPL-3.0-or-later
"""Another key, while people go on working; and the end of all keys."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from django.db import transaction
from django.utils import timezone

from tamizdat import letterbox
from tamizdat.desk.readers import actions, keyring, retention, rotation, sealed_columns
from tamizdat.desk.readers.chores import Chores
from tamizdat.desk.readers.errors import KeyFileError, SealedError, VaultError, VaultShutError
from tamizdat.desk.readers.models import Reader, RetentionRun, VaultState
from tamizdat.desk.readers.vault import Vault, version_of
from tamizdat.drop.envelope import open_sealed, seal, submission
from tamizdat.drop.errors import SealError

COUNT = 25


@pytest.fixture
def addresses(vault: Vault) -> list[str]:
    made = [f"Reader{number}@post.example" for number in range(COUNT)]
    for address in made:
        vault.add(address, "en")
    return made


def everybody_is_found(vault: Vault, addresses: list[str]) -> bool:
    found = [vault.find(address.lower()) for address in addresses]
    return [vault.address_of(reader) for reader in found if reader] == addresses


def test_a_new_key_takes_over_and_the_old_one_is_destroyed(
    vault: Vault, addresses: list[str]
) -> None:
    before = vault.file.read()
    told: list[tuple[int, int]] = []
    assert rotation.run(vault, lambda done, of: told.append((done, of))) == COUNT
    assert told[-1] == (COUNT, COUNT)
    after = vault.file.read()
    assert (after.current, after.opening, list(after.keys)) == (2, [2], [2])
    assert before.keys[1] not in after.keys.values()
    assert set(Reader.objects.values_list("key_version", flat=True)) == {2}
    assert everybody_is_found(vault, addresses)
    assert not rotation.under_way(vault)


def test_everybody_is_found_and_nobody_twice_at_every_step(
    vault: Vault, addresses: list[str]
) -> None:
    stale = Vault(vault.newsroom)  # Another process, which read the file before.
    assert everybody_is_found(stale, addresses)
    rotation.begin(vault)
    going = rotation.Pass(vault)
    fresh = 0
    while going.step(4):
        assert everybody_is_found(stale, addresses)
        assert everybody_is_found(vault, addresses)
        for address in (addresses[fresh], addresses[-1].upper()):
            stale.add(address, "ru")
        addresses.append(f"fresh{fresh}@post.example")
        stale.add(addresses[-1], "en")
        fresh += 1
        assert Reader.objects.count() == COUNT + fresh
    assert rotation.finish(vault)
    assert everybody_is_found(stale, addresses)


def test_a_rotation_that_was_stopped_is_taken_up_wherever_it_was(
    vault: Vault, addresses: list[str]
) -> None:
    ring = vault.file.read()
    ring.keys[2] = keyring.new_key()  # Killed after the key was written, before it was in force.
    vault.file.write(keyring.Keyring(current=2, keys=ring.keys))
    late = vault.add("late@post.example", "en")
    assert late.key_version == 1
    assert rotation.under_way(vault)
    assert rotation.begin(vault) == 2
    rotation.Pass(vault).step(3)  # Killed in the middle.
    assert rotation.remaining(vault) == COUNT + 1 - 3
    while rotation.advance(vault, 0.0):
        rotation.advance(vault, 1.0)
    assert vault.file.read().opening == [2]
    assert everybody_is_found(vault, [*addresses, "late@post.example"])


def test_the_worker_has_nothing_to_do_when_nothing_is_under_way(vault: Vault) -> None:
    assert rotation.advance(vault, 1.0) is False
    assert vault.file.read().current == 1


def test_what_is_left_of_erased_people_is_still_found_after_a_rotation(
    vault: Vault, addresses: list[str]
) -> None:
    gone = vault.find(addresses[0])
    assert gone is not None
    Reader.objects.filter(pk=gone.pk).update(sealed=b"", erased="2026-01-01")
    rotation.run(vault)
    ring = vault.file.read()
    assert (ring.opening, ring.keys[1].data) == ([2], "")
    assert vault.find(addresses[0], erased=True) == gone
    assert vault.add(addresses[0], "en").pk == gone.pk
    rotation.run(vault)
    assert list(vault.file.read().keys) == [3]


def test_a_row_that_nobody_can_open_does_not_keep_the_old_key_alive(
    vault: Vault, addresses: list[str]
) -> None:
    broken = vault.find(addresses[3])
    assert broken is not None
    Reader.objects.filter(pk=broken.pk).update(sealed=b"x" * 60)
    rotation.run(vault)
    assert vault.file.read().opening == [2]
    with pytest.raises(SealedError):
        vault.address_of(broken)
    assert actions.lost(vault) == 1


@pytest.fixture
def column() -> Iterator[sealed_columns.Column]:
    """A column with sealed texts, of whatever table has one: the readers' own will do."""
    made = sealed_columns.Column("readers.Reader", "blind", "test.text")
    before = list(sealed_columns.COLUMNS)
    sealed_columns.COLUMNS[:] = [made]
    yield made
    sealed_columns.COLUMNS[:] = before


def test_texts_of_other_apps_get_the_new_key_too(
    vault: Vault, column: sealed_columns.Column
) -> None:
    with transaction.atomic():
        blobs = [vault.seal("test.text", f"text {number}".encode()) for number in range(7)]
        for number, blob in enumerate(blobs):
            # Of a key that no row of the vault has, so that only the column is looked at.
            Reader.objects.create(
                pk=number + 1, blind=blob, key_version=0, sealed=b"", language="en",
                added="2026-11-22",
            )  # fmt: skip
    rotation.run(vault)
    now = list(Reader.objects.order_by("pk").values_list("blind", flat=True))
    assert {version_of(blob) for blob in now} == {2}
    assert [vault.open_sealed("test.text", blob) for blob in now] == [
        f"text {number}".encode() for number in range(7)
    ]
    with pytest.raises(SealedError):
        vault.open_sealed("test.text", blobs[0])


def test_shredding_takes_an_instant_and_leaves_nothing_to_open_with(
    vault: Vault, addresses: list[str]
) -> None:
    stale = Vault(vault.newsroom)
    assert everybody_is_found(stale, addresses)
    inode = vault.file.path.open("rb")
    started = time.monotonic()
    done = keyring.shred(vault.newsroom)
    assert time.monotonic() - started < 10
    assert done.destroyed == [str(vault.file.path), str(vault.file.identity_path)]
    assert not inode.read().startswith(b"age-encryption.org")
    inode.close()
    with pytest.raises(VaultShutError):
        stale.find(addresses[0])
    assert keyring.shred(vault.newsroom).destroyed == []
    actions.note_shred()
    assert VaultState.objects.get().shredded is not None


def test_shredding_takes_what_opens_letters_that_wait(vault: Vault) -> None:
    letterbox.ensure_keys(vault.newsroom)
    key = vault.newsroom.secrets / "letterbox-key"
    (key.parent / "letterbox-key.1").write_bytes(key.read_bytes())
    [identity, _] = letterbox.identities(vault.newsroom)
    waits = seal(submission("confirm", "en", {"token": "quince"}), [identity.to_public()])
    keyring.shred(vault.newsroom)
    [fresh] = letterbox.identities(vault.newsroom)
    with pytest.raises(SealError):
        open_sealed(waits, [fresh])
    assert not (key.parent / "letterbox-key.1").exists()


def test_what_a_killed_writer_left_goes_with_the_old_key(vault: Vault) -> None:
    left = vault.file.path.with_name(f".{keyring.NAME}.12345")
    left.write_bytes(vault.file.path.read_bytes())
    rotation.run(vault)
    assert not left.exists()


def test_after_shredding_a_newsroom_can_begin_anew(vault: Vault, addresses: list[str]) -> None:
    operator = keyring.operator_recipient(vault.newsroom.secrets)
    keyring.shred(vault.newsroom)
    keyring.found(vault.newsroom, operator)
    actions.begin_vault(newsroom=vault.newsroom)
    assert vault.file.read().current == 2
    assert actions.lost(vault) == COUNT
    assert vault.find(addresses[0]) is None
    again = vault.add(addresses[0], "en")
    assert vault.address_of(again) == addresses[0]
    with pytest.raises(SealedError, match="lost"):
        list(vault.addresses(Reader.objects.order_by("key_version")))
    with pytest.raises(VaultError, match="there is a vault"):
        actions.begin_vault(newsroom=vault.newsroom)


def test_a_rotation_without_the_identity_changes_nothing(vault: Vault) -> None:
    before = vault.file.path.read_bytes()
    vault.file.identity_path.write_text("AGE-SECRET-KEY-NONSENSE")
    with pytest.raises(KeyFileError):
        rotation.run(vault)
    assert vault.file.path.read_bytes() == before


def test_the_worker_finishes_what_was_begun_and_lets_data_go(
    vault: Vault, addresses: list[str]
) -> None:
    chores = Chores()
    rotation.begin(vault)
    chores.look(timezone.localdate())
    while chores.step():
        pass
    assert vault.file.read().opening == [2]
    assert everybody_is_found(vault, addresses)
    assert RetentionRun.objects.count() == len(retention.RULES)


def test_a_worker_lives_on_where_the_vault_is_shut(vault: Vault) -> None:
    chores = Chores()
    rotation.begin(vault)
    chores.look(timezone.localdate())
    keyring.shred(vault.newsroom)
    assert chores.step() is False
    chores.look(timezone.localdate())
