# SPDX-License-Identifier: AGPL-3.0-or-later
"""The desk opens what the vectors say that browsers seal, and refuses what they say is wrong."""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import pyrage
import pytest

from tamizdat.drop import errors
from tamizdat.drop.envelope import MOST_SEAL, Submission, open_sealed, size_of
from tamizdat.drop.kinds import fields_of, kind_of

TOP = Path(__file__).parents[2]
sys.path.insert(0, str(TOP / "scripts"))

from vectors.submissions import (  # noqa: E402  # The path had to be set first.
    Chance,
    packed,
    padded,
    seal,
    submissions,
)

FILE = TOP / "tests" / "vectors" / "submissions" / "submissions.json"
VECTORS: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
IDENTITY = pyrage.x25519.Identity.from_str(VECTORS["identity"])


def named(part: str) -> Any:
    return pytest.mark.parametrize("vector", VECTORS[part], ids=lambda vector: vector["name"])


def test_the_file_is_what_the_script_makes() -> None:
    assert FILE.read_bytes() == submissions()


@named("letters")
def test_a_letter_is_opened_and_says_what_was_sealed(vector: dict[str, Any]) -> None:
    drawn = Chance(*(bytes.fromhex(digits) for digits in vector["chance"].values()))
    sealed = seal(padded(packed(vector["letter"])), drawn)
    assert hashlib.sha256(sealed).hexdigest() == vector["sha256"]
    if "sealed" in vector:
        assert base64.b64decode(vector["sealed"]) == sealed
    assert size_of(len(sealed)) == vector["size"]
    assert len(sealed) <= vector["size"] + MOST_SEAL
    letter = vector["letter"]
    fields = fields_of(kind_of(letter["kind"]), letter["fields"])
    assert open_sealed(sealed, [IDENTITY]) == Submission(v=1, **{**letter, "fields": fields})


@named("refused")
def test_what_is_wrong_is_refused_for_its_reason(vector: dict[str, Any]) -> None:
    with pytest.raises(errors.DropError) as raised:
        open_sealed(base64.b64decode(vector["sealed"]), [IDENTITY])
    assert type(raised.value).__name__ == vector["error"]
    assert raised.value.permanent
