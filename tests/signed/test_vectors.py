# SPDX-License-Identifier: AGPL-3.0-or-later
"""The vectors that every reader is held to, run against ours: honest copies and lying ones."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tamizdat.edition.signed import layout
from tamizdat.edition.signed.client import SignedReader
from tamizdat.edition.signed.errors import VerifyError
from tamizdat.edition.signed.shards import Record, decode, key_of
from tests.signed.copies import MemoryFetcher

TOP = Path(__file__).parent.parent.parent
VECTORS = json.loads((TOP / "tests/vectors/vectors.json").read_bytes())
BLOBS = {name: base64.b64decode(data) for name, data in VECTORS["blobs"].items()}
ROOT = BLOBS[VECTORS["root"]]


def folder(name: str) -> dict[str, bytes]:
    return {file: BLOBS[blob] for file, blob in VECTORS["folders"][name].items()}


def reader(step: dict[str, Any], state: Path) -> SignedReader:
    files = folder(step["folder"])
    for name, blob in step["files"].items():
        if blob is None:
            del files[name]
        else:
            files[name] = BLOBS[blob]
    now = datetime.fromisoformat(step.get("now", VECTORS["now"]))
    return SignedReader(MemoryFetcher(files, step.get("endless", ())), state, ROOT, lambda: now)


@pytest.mark.parametrize("case", VECTORS["cases"], ids=lambda case: case["name"])
def test_a_copy_is_read_or_refused_as_it_deserves(case: dict[str, Any], tmp_path: Path) -> None:
    for step in case["steps"]:
        reading = reader(step, tmp_path)
        if step["error"]:
            with pytest.raises(VerifyError) as raised:
                reading.read(step["path"])
            assert raised.value.code == step["error"], raised.value
            continue
        body = reading.read(step["path"])
        proof = reading.find(step["path"])
        assert hashlib.sha256(body).hexdigest() == step["expect"]["sha256"]
        assert proof.stale is step["expect"]["stale"]
        assert proof.changed_after_sealing is step["expect"]["changed_after_sealing"]


@pytest.mark.parametrize("lookup", VECTORS["lookups"], ids=lambda lookup: lookup["path"])
def test_every_path_is_proven(lookup: dict[str, Any], tmp_path: Path) -> None:
    slot = reader({"folder": "second", "files": {}}, tmp_path).find(lookup["path"]).slot
    assert slot is not None
    assert {
        "path": lookup["path"],
        "status": layout.HTTP_STATUS[slot.status],
        "sha256": slot.sha256.hex(),
        "length": slot.length,
        "edition": slot.edition,
        "day": slot.day,
        "media": layout.media_type(slot.media),
    } == lookup


@pytest.mark.parametrize("vector", VECTORS["keys"], ids=lambda vector: vector["path"])
def test_keys_of_paths(vector: dict[str, str]) -> None:
    assert key_of(vector["path"]).hex() == vector["key"]


@pytest.mark.parametrize("vector", VECTORS["records"], ids=lambda vector: vector["target"])
def test_records(vector: dict[str, Any]) -> None:
    record = Record.decode(bytes.fromhex(vector["bytes"]))
    assert {**record._asdict(), "root": record.root.hex()}.items() <= vector.items()


@pytest.mark.parametrize("vector", VECTORS["indexes"], ids=lambda v: str(len(v["entries"])))
def test_indexes(vector: dict[str, Any]) -> None:
    record = Record.decode(bytes.fromhex(vector["record"]))
    shards = [decode(BLOBS[b], record, n) for n, b in enumerate(vector["shards"])]
    slots = [slot for shard in shards for slot in shard.slots()]
    shown = [{**s._asdict(), "key": s.key.hex(), "sha256": s.sha256.hex()} for s in slots]
    assert shown == vector["entries"]


def test_there_are_enough_lies_among_the_cases() -> None:
    lies = [c for c in VECTORS["cases"] if any(step["error"] for step in c["steps"])]
    assert len(lies) >= 80
    assert len({case["name"] for case in VECTORS["cases"]}) == len(VECTORS["cases"])


def test_the_script_makes_the_same_bytes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, TOP / "scripts/make-vectors", tmp_path], check=True)
    made = tmp_path / "vectors.json"
    assert made.read_bytes() == (TOP / "tests/vectors/vectors.json").read_bytes()
    assert made.stat().st_size < 500_000
