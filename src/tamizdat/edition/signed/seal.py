# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sealing the archive: everything published so far, signed by the holders.

What always holds: what was published when it was prepared is in the archive, to the byte; what is
published until it is finished lies over it; readers see no difference before and after. Preparing
changes nothing that readers see.

What is not done here: signing (``ceremony.sign``), finishing (``ceremony.finish``).
"""

from __future__ import annotations

from datetime import datetime

from tamizdat.edition.index import Index
from tamizdat.edition.signed import slots
from tamizdat.edition.signed.ceremony import Desk, prepare_archive
from tamizdat.edition.signed.errors import CeremonyError
from tamizdat.edition.signed.request import Request
from tamizdat.edition.signed.shards import PER_SHARD_SEALED
from tamizdat.edition.store import Store


def prepare(desk: Desk, now: datetime) -> Request:
    """Write the index of all that is published now and ask for the holders' signatures. Call it
    with the builder's lock. Raises ``CeremonyError`` where nothing was published."""
    store = Store(desk.folder.path)
    pointer, index = store.pointer(), Index(store)
    if pointer is None or not pointer.files:
        raise CeremonyError("nothing was published yet: there is nothing to seal")
    desk.signer.follow(index, pointer)
    entries = slots.packed(index.walk(pointer.root), desk.signer.days)
    per_shard = PER_SHARD_SEALED
    record = desk.folder.write_index(entries, count=pointer.files, per_shard=per_shard)
    record = record._replace(edition=pointer.edition, built=int(now.timestamp()))
    desk.signer.keep([f"shards/{record.root.hex()}"])
    return prepare_archive(desk, record, now)
