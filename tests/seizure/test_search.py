# SPDX-License-Identifier: AGPL-3.0-or-later
"""What looks for secrets finds them, in each dress and each hiding place."""

from __future__ import annotations

import gzip
import io
import random
import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import brotli
import pytest

from tests.drop.machines import memory_of
from tests.seizure.search import Searcher, forms, hashes

SECRET = "qzx7vk-Vera.Sorrow+news@port.example"
NOISE = random.Random(7).randbytes(5000)
SEARCHER = Searcher([SECRET], [SECRET])
WRITTEN = [*forms(SECRET), *hashes(SECRET)]


def brotlied(data: bytes) -> bytes:
    packed: bytes = brotli.compress(b"\xff" + data)
    return packed


def zipped(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inner", data)
    return out.getvalue()


@pytest.mark.parametrize("form", dict.fromkeys(form for form, _ in WRITTEN))
@pytest.mark.parametrize("offset", [0, 1, 2, 3])
def test_each_form_is_found_wherever_it_starts(form: str, offset: int) -> None:
    for name, pattern in WRITTEN:
        if name == form:
            hits = SEARCHER.in_bytes(NOISE[:offset] + pattern + NOISE[offset:], "here")
            assert SECRET in {hit.secret for hit in hits}


def test_base64_is_found_inside_of_longer_base64() -> None:
    import base64

    for offset in range(6):
        text = base64.b64encode(b"a" * offset + SECRET.encode() + b"more of it")
        assert {hit.form for hit in SEARCHER.in_bytes(text, "here")} == {"base64"}


@pytest.mark.parametrize("wrap", [gzip.compress, brotlied, zipped, lambda d: zipped(zipped(d))])
def test_what_is_compressed_is_looked_into(wrap: Callable[[bytes], bytes]) -> None:
    assert SEARCHER.in_bytes(wrap(b"\x80 padding \x81" + SECRET.encode() * 3), "here")


def test_a_database_is_looked_into_with_its_journal(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / "d.sqlite3")
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("CREATE TABLE t (v TEXT)")
    database.commit()
    database.execute("INSERT INTO t VALUES (?)", [SECRET])
    database.commit()
    assert {hit.where for hit in SEARCHER.in_folder(tmp_path)} == {"d.sqlite3-wal"}
    database.close()
    assert {hit.where for hit in SEARCHER.in_folder(tmp_path)} == {"d.sqlite3"}


def test_names_of_files_are_looked_at_and_key_files_left_out(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "key").write_text(SECRET)
    (tmp_path / SECRET).write_text("")
    assert [h.where for h in SEARCHER.in_folder(tmp_path, but=["secrets"])] == [
        f"the name of {SECRET}"
    ]


def test_memory_of_another_process_is_looked_through() -> None:
    program = (
        "import sys; kept = sys.stdin.readline(); print('ready', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(SECRET.encode() + b"\n")
        process.stdin.flush()
        process.stdout.readline()
        assert SEARCHER.in_parts(memory_of(process.pid), "memory")
        process.stdin.close()


def test_nothing_is_found_where_nothing_is() -> None:
    assert SEARCHER.in_bytes(NOISE * 20 + b"vera at the port, not the whole of it", "here") == []
