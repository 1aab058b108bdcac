# SPDX-License-Identifier: AGPL-3.0-or-later
"""Another key for the vault: everything is sealed anew while people go on working.

What always holds:

- The new key lies in the file before it is in force, and is in force (``VaultState``) before the
  first row is sealed with it; from then on nothing is sealed with the old one. So every look-up
  finds its row at every instant (``vault``), and one address never gets two rows.
- What is done is done in small transactions; killed anywhere it is taken up again by whoever asks
  next (``advance``, ``run``). Several may work at it at once.
- The old data key leaves the file, and the file it lay in is overwritten, only after no row and no
  registered column can be opened with it any more. Index keys stay while rows of erased people
  bear them: their index cannot be made anew without the address.

What is not done here: the key file's own safety (``keyring``).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from tamizdat.desk.readers import sealed_columns
from tamizdat.desk.readers.addresses import normalised
from tamizdat.desk.readers.errors import RotationError, SealedError
from tamizdat.desk.readers.keyring import Keyring, Keys, StoredKey, new_key
from tamizdat.desk.readers.models import Reader, VaultState
from tamizdat.desk.readers.vault import Sealed, Vault, blind_of, open_address, seal_address

BATCH = 1_000
TRIES = 10
Progress = Callable[[int, int], None]


def under_way(vault: Vault) -> bool:
    """Whether keys are being changed. Raises ``VaultError`` where there is no key."""
    ring = vault.file.read()
    return len(ring.opening) > 1 or ring.current != VaultState.objects.get().version


def begin(vault: Vault) -> int:
    """Put a new key in force, or go on with the one that is under way; its version."""
    with vault.file.exclusively():
        ring = vault.file.read()
        if len(ring.opening) == 1:
            version = max(ring.keys) + 1
            keys = {**ring.keys, version: new_key()}
            vault.file.write(Keyring(current=version, keys=keys))
        else:
            version = ring.opening[-1]
        with transaction.atomic():
            state = VaultState.objects.select_for_update().get()
            state.version = version
            state.save(update_fields=["version"])
    return version


def remaining(vault: Vault) -> int:
    """How many rows and texts are still sealed with an older key that is at hand."""
    current, versions = VaultState.objects.get().version, vault.file.keys().data
    older = Reader.objects.filter(erased=None, key_version__in=set(versions) - {current})
    return older.count() + sum(
        sealed_columns.of_older_keys(column, current).count() for column in sealed_columns.COLUMNS
    )


class Pass:
    """One way through everything that is sealed with an older key."""

    def __init__(self, vault: Vault) -> None:
        self.vault = vault
        self._columns = list(sealed_columns.COLUMNS)
        self._last: Any = None
        self._rows_done = False

    def step(self, limit: int = 0) -> int:
        """Seal at most ``limit`` (``BATCH``) rows anew; how many were looked at, 0 at the end."""
        limit = limit or BATCH
        if not self._rows_done:
            looked_at, self._last = _reseal_rows(self.vault, self._last, limit)
            if looked_at:
                return looked_at
            self._rows_done, self._last = True, None
        while self._columns:
            looked_at, self._last = sealed_columns.reseal(
                self.vault, self._columns[0], self._last, limit
            )
            if looked_at:
                return looked_at
            self._columns.pop(0)
            self._last = None
        return 0


@transaction.atomic
def _reseal_rows(vault: Vault, last: Any, limit: int) -> tuple[int, Any]:
    keys = vault.sealing_keys()
    older = _older(keys).filter(Q() if last is None else Q(pk__gt=last)).order_by("pk")
    rows = list(older.select_for_update().values_list("pk", "key_version", "sealed")[:limit])
    changed = [row for row in (_resealed(keys, *row) for row in rows) if row is not None]
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE readers_reader SET blind = %s, sealed = %s, key_version = %s WHERE id = %s",
            changed,
        )
    return len(rows), rows[-1][0] if rows else last


def _older(keys: Keys) -> QuerySet[Reader]:
    """Rows that a key at hand can open, other than the one in force."""
    return Reader.objects.filter(erased=None, key_version__in=set(keys.data) - {keys.current})


def _resealed(keys: Keys, pk: int, version: int, sealed: Sealed) -> tuple[Any, ...] | None:
    """What the row has to become; None where nobody can open it, now or ever."""
    try:
        address = open_address(keys, pk, version, sealed)
    except SealedError:
        return None
    blind = blind_of(keys.blind[keys.current], normalised(address))
    return blind, seal_address(keys, pk, address), keys.current, pk


def finish(vault: Vault) -> bool:
    """Destroy the old keys. False where something can still be opened with one."""
    with vault.file.exclusively(), transaction.atomic():
        VaultState.objects.select_for_update().get()
        ring, keys = vault.file.read(), vault.sealing_keys()
        if _something_opens(vault, keys):
            return False
        stubs = set(
            Reader.objects.exclude(erased=None).values_list("key_version", flat=True).distinct()
        )
        kept = {
            version: key if version == keys.current else StoredKey(index=key.index)
            for version, key in ring.keys.items()
            if version == keys.current or version in stubs
        }
        if kept != ring.keys:
            vault.file.write(Keyring(current=keys.current, keys=kept))
    return True


def _something_opens(vault: Vault, keys: Keys) -> bool:
    for row in _older(keys).values_list("pk", "key_version", "sealed").iterator():
        if _resealed(keys, *row) is not None:
            return True
    return any(sealed_columns.something_opens(column, keys) for column in sealed_columns.COLUMNS)


def run(vault: Vault, progress: Progress = lambda done, total: None) -> int:
    """Change the key, from beginning to end; how many rows were looked at.

    Killed, it is taken up again by the next call. Raises ``VaultError``.
    """
    begin(vault)
    return complete(vault, progress)


def complete(vault: Vault, progress: Progress = lambda done, total: None) -> int:
    """Finish a rotation that has begun."""
    done, total = 0, remaining(vault)
    for _ in range(TRIES):
        going = Pass(vault)
        while looked_at := going.step():
            done += looked_at
            progress(done, max(total, done))
        if finish(vault):
            return done
    raise RotationError("the key could not be changed: others keep sealing with the old one")


def advance(vault: Vault, seconds: float) -> bool:
    """Work at a rotation that is under way for about so long. Whether there is more to do."""
    if not under_way(vault):
        return False
    begin(vault)
    until, going = time.monotonic() + seconds, Pass(vault)
    while time.monotonic() < until:
        if not going.step():
            return not finish(vault)
    return True
