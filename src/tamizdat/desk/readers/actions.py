# SPDX-License-Identifier: AGPL-3.0-or-later
"""Everything that changes what is known of readers, but for rotation, which has a module.

What always holds: whatever was done for or to a reader is in the audit trail without the address.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from wagtail.log_actions import log

from tamizdat.config import Newsroom
from tamizdat.desk.readers.errors import VaultError
from tamizdat.desk.readers.keyring import KeyFile, Keyring, new_key
from tamizdat.desk.readers.models import Reader, VaultState
from tamizdat.desk.readers.vault import Vault


@transaction.atomic
def begin_vault(*, newsroom: Newsroom) -> Vault:
    """Write the first key of a vault, or the first after all keys were destroyed or lost.

    The version is one that this database never had. Addresses of lost keys stay unreadable.
    Raises ``VaultError`` where there is a key file.
    """
    file = KeyFile(newsroom)
    with file.exclusively():
        if file.exists():
            raise VaultError(f"there is a vault: {file.path}")
        state = VaultState.objects.select_for_update().first()
        version = 1 if state is None else state.version + 1
        VaultState.objects.update_or_create(id=1, defaults={"version": version, "shredded": None})
        file.write(Keyring(current=version, keys={version: new_key()}))
        log(VaultState.objects.get(), "tamizdat.vault_begin", data={"version": version})
    return Vault(newsroom)


@transaction.atomic
def note_shred() -> None:
    """Write down that the key was destroyed, after it was."""
    for state in VaultState.objects.select_for_update():
        state.shredded = timezone.localdate()
        state.save(update_fields=["shredded"])
        log(state, "tamizdat.vault_shred")


def note_rotation(*, version: int) -> None:
    """Write down that another key is in force."""
    log(VaultState.objects.get(), "tamizdat.vault_rotate", data={"version": version})


def was_begun() -> bool:
    """Whether this newsroom has, or had, a vault."""
    return VaultState.objects.exists()


def lost(vault: Vault) -> int:
    """How many addresses are sealed with a key that the key file does not have."""
    held = Reader.objects.filter(erased=None)
    if not vault.file.exists():
        return held.count()
    return held.filter(~Q(key_version__in=vault.file.keys().data)).count()
