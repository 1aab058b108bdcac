# SPDX-License-Identifier: AGPL-3.0-or-later
"""Somebody seizes the desk and the drop of a paper that its readers pay for: they learn of nobody.

Gifts, reminders, wishes by link, calls that wait, failed or lie in the drop, receipts that wait,
and an error that quotes what it was given. That the search can fail is shown by planting.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tamizdat.config import Newsroom
from tests.prepared import put_database
from tests.seizure.search import Searcher
from tests.seizure.traffic import MARK, Person

SCENE = Path(__file__).with_name("giving_scene.py")
GIVERS = [Person(number) for number in range(30)]
SEARCHER = Searcher([MARK], [GIVERS[n].address for n in (0, 1, 6, 17)])
SETTINGS = """
name = "The Meridian"
address = "https://meridian.example"
demo = true
[mail]
sender = "desk@meridian.example"
[[drops]]
name = "pier"
url = "https://drop.example"
folder = "DROP"
[[giving.providers]]
kind = "sandbox"
url = "http://127.0.0.1:1"
[[giving.offers]]
kind = "monthly"
currency = "EUR"
amounts = ["5"]
least = "2"
most = "500"
"""


@pytest.fixture(scope="module")
def seized(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """What was carried away, and what there was."""
    base = tmp_path_factory.mktemp("seized")
    folder, file = base / "desk", base.with_name(f"{base.name}-addresses.json")
    put_database(folder)
    (base / "drop").mkdir()
    (folder / "tamizdat.toml").write_text(SETTINGS.replace("DROP", str(base / "drop")))
    Newsroom(folder).secret("desk-key", create=True)
    file.write_text(json.dumps([who.address for who in GIVERS]))
    environment = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
    with (base / "errors").open("w") as errors:
        done = subprocess.run(
            [sys.executable, str(SCENE), "make", str(file)],
            env={**environment, "TAMIZDAT_DIR": str(folder), "PYTHONPATH": str(SCENE.parents[2])},
            cwd=SCENE.parents[2],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    assert done.returncode == 0, (base / "errors").read_text()[-3000:]
    file.unlink()
    return base, json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_a_desk_and_a_drop_that_are_paid_through_name_nobody(
    seized: tuple[Path, dict[str, Any]],
) -> None:
    base, had = seized
    assert had["gifts"] == had["paid"] == len(GIVERS)
    assert had["readers"] == len(GIVERS) - 1
    assert had["mails"] > len(GIVERS)
    assert all(had[name] for name in ("reminders", "wishes", "aside"))
    assert list((base / "drop").glob("*.batch"))
    assert SEARCHER.in_folder(base, but=["secrets"]) == []


@pytest.mark.slow
@pytest.mark.parametrize("where", ["desk/run/worker.log", "desk/desk.sqlite3", "errors"])
def test_a_giver_who_is_planted_is_found(
    seized: tuple[Path, dict[str, Any]], where: str, tmp_path: Path
) -> None:
    copy = tmp_path / "seized"
    shutil.copytree(seized[0], copy)
    (copy / where).parent.mkdir(parents=True, exist_ok=True)
    with (copy / where).open("ab") as file:
        file.write(f"a receipt for {GIVERS[0].address} could not be sent".encode())
    assert {hit.where for hit in SEARCHER.in_folder(copy, but=["secrets"])} == {where}
