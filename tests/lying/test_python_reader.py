# SPDX-License-Identifier: AGPL-3.0-or-later
"""The verifying reader in Python against mirrors that lie, and an honest one after each."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest

from tamizdat.edition.signed import fetch
from tamizdat.edition.signed.errors import VerifyError
from tamizdat.edition.signed.fetch import HttpFetcher
from tests.lying.liar import Answer, Mirror, honest
from tests.lying.lies import BYTES, METADATA, OLDER, READS, Lie
from tests.lying.manners import MANNERS
from tests.lying.scene import Scene

PATIENCE = 15.0  # seconds in which every lie must be over, on a busy machine
# Each is told to this reader, the browser's and the worker; what a run without the slow tests
# leaves out here is among the vectors too.
LIES = [
    pytest.param(lie, id=lie.name, marks=[pytest.mark.slow] if lie.slow or lie in BYTES else [])
    for lie in (*BYTES, *METADATA, *MANNERS)
]


@pytest.fixture(autouse=True)
def _little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "_HEAD_SECONDS", 2.0)


def read(scene: Scene, answer: Answer, state: Path, expected: str = READS) -> str:
    """What is read of a mirror, in the words of a ``Lie``; fails where it is false. Whom silence
    is expected of is not waited for; of others a busy machine may be slow."""
    silent = expected == "unreachable"
    fetch._HEAD_SECONDS = 2.0 if silent else 20.0  # Put back by the fixture above.
    with Mirror(answer) as mirror:
        fetcher = HttpFetcher(mirror.url, timeout=1.0 if silent else 20.0)
        try:
            reader = scene.reader(fetcher, state)
            reader.refresh()
            found = reader.read(scene.path)
        except VerifyError as error:
            return error.code
        finally:
            fetcher.close()
    assert found in (scene.text(scene.present), scene.text(scene.seen), scene.text(scene.old))
    return READS if found == scene.text(scene.present) else OLDER


@pytest.mark.parametrize(
    "returning",
    [pytest.param(False, id="first"), pytest.param(True, id="returning", marks=pytest.mark.slow)],
)
@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_never_shown_and_the_next_mirror_serves(
    lie: Lie, returning: bool, scene: Scene, tmp_path: Path
) -> None:
    state = scene.remembering(tmp_path / "state") if returning else tmp_path / "state"
    began = time.monotonic()
    expected = lie.said_by("python", returning=returning)
    assert read(scene, lie.tell(scene), state, expected) == expected
    assert time.monotonic() - began < PATIENCE
    assert read(scene, honest(scene.present), state) == READS


def test_who_has_read_the_newer_is_not_led_back(scene: Scene, tmp_path: Path) -> None:
    assert read(scene, honest(scene.present), tmp_path / "state") == READS
    for files in (scene.seen, scene.old):
        assert read(scene, honest(files), tmp_path / "state") == "rollback"
    assert read(scene, honest(scene.present), tmp_path / "state") == READS


def test_a_frozen_copy_is_read_with_its_date(scene: Scene, tmp_path: Path) -> None:
    with Mirror(honest(scene.seen)) as mirror:
        fetcher = HttpFetcher(mirror.url)
        reader = scene.reader(fetcher, tmp_path, later=timedelta(days=30))
        proof = reader.find(scene.path)
        assert proof.stale
        assert timedelta(days=29) < scene.newsroom.now + timedelta(days=30) - proof.as_of
        assert reader.read(scene.path) == scene.text(scene.seen)
        fetcher.close()


def test_a_lie_leaves_no_trace_in_what_is_remembered(scene: Scene, tmp_path: Path) -> None:
    state = scene.remembering(tmp_path / "state")
    before = {p.name: p.read_bytes() for p in state.rglob("*") if p.is_file()}
    for lie in METADATA:
        if lie.said_by("python", returning=True) not in (READS, OLDER):
            read(scene, lie.tell(scene), state)
            now = {p.name: p.read_bytes() for p in state.rglob("*") if p.is_file()}
            assert now == before, lie.name


def test_the_cases_have_names_of_their_own_and_are_enough() -> None:
    names = [lie.name for lie in (*BYTES, *METADATA, *MANNERS)]
    assert len(set(names)) == len(names) >= 100
    refused = [lie for lie in (*BYTES, *METADATA, *MANNERS) if READS not in lie.python]
    assert len(refused) >= 40
