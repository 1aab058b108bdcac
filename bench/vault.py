# SPDX-License-Identifier: AGPL-3.0-or-later
"""The vault: adding, finding and opening readers' addresses, beside the usual way.

What always holds: both sides lie in the same SQLite file (WAL, synchronous FULL) and are asked in
the same process, one after the other; figures of work are CPU seconds of the process, so that a
busy machine makes no difference, and wall seconds beside them. Memory is the growth of the largest
resident size while all addresses are opened.

The peer is what a Django project does with an encrypted field: a model with the address as a
Fernet token (AES-CBC and HMAC, base64) and its SHA-256 to find it by, read through the ORM. It
knows no other key, binds nothing to its row, and its index can be guessed by who has the file.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import resource
import sys
import time
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import measure
from bench.measure import Scratch

LOOKUPS, ADDS, PEER = 20_000, 5_000, 100_000
LIMITS = {"look-ups": 5_000, "opened": 100_000}  # a second
AT_ONCE = 10_000


def address(number: int) -> str:
    return f"Reader.{number:07d}@post{number % 977}.example"


def timed(work: Callable[[], int]) -> dict[str, float]:
    """Count, CPU and wall seconds, and how many a second of CPU."""
    wall, cpu = time.perf_counter(), time.process_time()
    count = work()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"count": count, "cpu": cpu, "wall": wall, "rate": count / cpu, "by_wall": count / wall}


def inside(folder: Path, size: int) -> dict[str, Any]:
    """All figures, in a newsroom's folder of its own. Runs in a process of its own."""
    import django

    django.setup()
    ours, peer = _Ours(folder), _Peer()
    figures: dict[str, Any] = {"size": size, "peer_size": min(size, PEER)}
    for name, side, rows in (("ours", ours, size), ("peer", peer, min(size, PEER))):
        side.prepare(rows)
        chosen = random.Random(1)
        wanted = [chosen.randrange(int(rows * 1.1)) for _ in range(LOOKUPS)]
        found = timed(
            lambda s=side, w=wanted: sum(s.find(address(n).upper()) for n in w) and len(w)
        )
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        opened = timed(side.open_all)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        together = timed(lambda s=side, r=rows: s.add(range(2 * r, 2 * r + ADDS), together=True))
        alone = timed(
            lambda s=side, r=rows: s.add(range(3 * r, 3 * r + ADDS // 10), together=False)
        )
        assert opened["count"] == rows, (opened, rows)
        figures[name] = {
            "look-ups": found,
            "opened": {**opened, "grown": grown},
            "added": together,
            "added alone": alone,
        }
    if size <= PEER:
        figures["rotation"] = timed(ours.rotate)
    return figures


class _Ours:
    def __init__(self, folder: Path) -> None:
        import pyrage
        from django.conf import settings
        from django.core.management import call_command

        from tamizdat.desk.readers import keyring
        from tamizdat.desk.readers.models import VaultState
        from tamizdat.desk.readers.vault import Vault

        call_command("migrate", verbosity=0)
        operator = pyrage.x25519.Identity.generate().to_public()
        file = keyring.found(settings.NEWSROOM, operator)
        file.write(keyring.Keyring(current=1, keys={1: keyring.new_key()}))
        VaultState.objects.create(version=1)
        self.vault = Vault.open(settings.NEWSROOM)

    def prepare(self, rows: int) -> None:
        from django.utils import timezone

        from tamizdat.desk.readers.addresses import normalised
        from tamizdat.desk.readers.models import Reader, random_id
        from tamizdat.desk.readers.vault import blind_of, seal_address

        keys, today = self.vault.file.keys(), timezone.localdate()
        for start in range(0, rows, AT_ONCE):
            made = []
            for number in range(start, min(start + AT_ONCE, rows)):
                pk, plain = random_id(), address(number)
                blind = blind_of(keys.blind[1], normalised(plain))
                sealed = seal_address(keys, pk, plain)
                made.append(
                    Reader(
                        pk=pk, blind=blind, sealed=sealed, key_version=1, language="en", added=today
                    )
                )
            Reader.objects.bulk_create(made)

    def find(self, wanted: str) -> bool:
        return self.vault.find(wanted) is not None

    def open_all(self) -> int:
        from tamizdat.desk.readers.models import Reader

        return sum(1 for _ in self.vault.addresses(Reader.objects.all()))

    def add(self, numbers: range, *, together: bool) -> int:
        from contextlib import nullcontext

        from django.db import transaction

        with transaction.atomic() if together else nullcontext():
            for number in numbers:
                self.vault.add(address(number), "en")
        return len(numbers)

    def rotate(self) -> int:
        from tamizdat.desk.readers import rotation

        return rotation.run(self.vault)


class _Peer:
    """An encrypted field, as it is commonly made."""

    def __init__(self) -> None:
        from cryptography.fernet import Fernet
        from django.db import connection, models

        fernet = Fernet(Fernet.generate_key())

        class EncryptedField(models.TextField):  # type: ignore[type-arg] # a plain one
            def get_prep_value(self, value: Any) -> Any:
                return fernet.encrypt(value.encode()).decode()

            def from_db_value(self, value: Any, *_: Any) -> Any:
                return fernet.decrypt(value.encode()).decode()

        class Subscriber(models.Model):
            digest = models.CharField(max_length=64, unique=True)
            address = EncryptedField()
            language = models.CharField(max_length=35)
            added = models.DateField(auto_now_add=True)

            class Meta:
                app_label = "readers"

            def __str__(self) -> str:
                return str(self.pk)

        with connection.schema_editor() as editor:
            editor.create_model(Subscriber)
        self.model: Any = Subscriber

    def _row(self, plain: str) -> Any:
        digest = hashlib.sha256(plain.lower().encode()).hexdigest()
        return self.model(digest=digest, address=plain, language="en")

    def prepare(self, rows: int) -> None:
        for start in range(0, rows, AT_ONCE):
            numbers = range(start, min(start + AT_ONCE, rows))
            self.model.objects.bulk_create([self._row(address(n)) for n in numbers])

    def find(self, wanted: str) -> bool:
        digest = hashlib.sha256(wanted.lower().encode()).hexdigest()
        return self.model.objects.filter(digest=digest).first() is not None

    def open_all(self) -> int:
        return sum(1 for row in self.model.objects.iterator() if row.address)

    def add(self, numbers: range, *, together: bool) -> int:
        from contextlib import nullcontext

        from django.db import transaction

        with transaction.atomic() if together else nullcontext():
            for number in numbers:
                row = self._row(address(number))
                defaults = {"address": row.address, "language": "en"}
                self.model.objects.get_or_create(digest=row.digest, defaults=defaults)
        return len(numbers)


def newsroom(folder: Path) -> dict[str, str]:
    """A newsroom's folder with nothing in it; the environment of a process inside."""
    (folder / "tamizdat.toml").write_text('name = "Bench"\naddress = "https://bench.example"\n')
    (folder / "secrets").mkdir()
    for name in ("desk-key", "factor-key"):
        (folder / "secrets" / name).write_text("x" * 64)
    inherited = {k: v for k, v in os.environ.items() if k != "TAMIZDAT_TEST_DATABASE"}
    return {
        **inherited,
        "TAMIZDAT_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "tamizdat.desk.settings.newsroom",
    }


def main() -> None:
    parser = measure.arguments(__doc__ or "", size=1_000_000, runs=1)
    parser.add_argument("--inside", type=Path, help="(used by itself)")
    options: Namespace = parser.parse_args()
    if options.inside:
        print(json.dumps(inside(options.inside, options.size)))
        return
    runs = []
    with Scratch(options.work, keep=options.keep) as scratch:
        for number in range(options.runs):
            folder, log = scratch.fresh(f"vault-{number}"), scratch.folder / f"vault-{number}.log"
            environment = newsroom(folder)
            command = [sys.executable, "-m", "bench.vault", "--inside", folder]
            measure.say(f"{options.size:,} addresses, run {number + 1}")
            measure.run(
                [*map(str, command), "--size", str(options.size)],
                cwd=measure.ROOT,
                log=log,
                env=environment,
            )
            runs.append(json.loads(log.read_text().splitlines()[-1]))
    figures = {**measure.machine(), "runs": runs}
    _tell(runs)
    measure.report(figures, options.json)


def _tell(runs: list[dict[str, Any]]) -> None:
    rows = []
    for what in ("look-ups", "opened", "added", "added alone"):
        ours, peer = (
            measure.median([run[side][what]["rate"] for run in runs]) for side in ("ours", "peer")
        )
        wall = measure.median([run["ours"][what]["by_wall"] for run in runs])
        limit = f"{LIMITS[what]:,}" if what in LIMITS else ""
        rows.append(
            [what, f"{ours:,.0f}", f"{wall:,.0f}", f"{peer:,.0f}", f"{ours / peer:.1f}", limit]
        )
    head = ["a second", "ours (CPU)", "ours (wall)", "peer (CPU)", "ours / peer", "at least"]
    print(measure.table(head, rows))
    size, peer_size = runs[0]["size"], runs[0]["peer_size"]
    opened = measure.median([run["ours"]["opened"]["cpu"] for run in runs])
    grown = measure.median([run["ours"]["opened"]["grown"] for run in runs])
    print(
        f"\n{size:,} addresses (the peer has {peer_size:,}): all opened in {opened:.1f} s of CPU, "
    )
    print(f"memory grew by {grown:.1f} MiB meanwhile.")


if __name__ == "__main__":
    main()
