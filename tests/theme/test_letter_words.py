# SPDX-License-Identifier: AGPL-3.0-or-later
"""What forms for letters say, in each language."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path

import pytest

from tamizdat.edition.render.letters import words

THEME = Path(str(resources.files("tamizdat.theme")))
FOLDER = THEME / "locales" / "letters"
ENGLISH = json.loads((FOLDER / "en.json").read_text())
CODES = sorted(path.stem for path in FOLDER.glob("*.json"))


@pytest.mark.parametrize("code", CODES)
def test_a_language_has_every_word_with_the_same_holes(code: str) -> None:
    found = json.loads((FOLDER / f"{code}.json").read_text())
    assert {part: set(said) for part, said in found.items()} == {
        part: set(said) for part, said in ENGLISH.items()
    }
    for part, said in ENGLISH.items():
        for key, value in said.items():
            assert found[part][key], key
            assert re.findall(r"\{\w+\}", found[part][key]) == re.findall(r"\{\w+\}", value), key


def test_the_languages_are_those_of_the_paper() -> None:
    assert sorted(path.stem for path in (THEME / "locales").glob("*.json")) == CODES
    assert words("ru-RU") == words("ru")
    assert words("de") == words("en")


def test_the_script_has_a_sentence_for_every_way_in_which_it_ends() -> None:
    """The keys are those that forms.ts and post.ts name."""
    source = Path(__file__).parents[2] / "reader" / "src"
    told = (source / "forms.ts").read_text() + (source / "post.ts").read_text()
    known = set(ENGLISH["form"]) - {"button", "trap", "without"}
    assert {key for key in known if f'"{key}"' not in told} == set()
    outcomes = re.search(r"type Outcome = ([^;]*);.*type Step = ([^;]*);", told, re.DOTALL)
    assert outcomes
    ended = set(re.findall(r'"(\w+)"', outcomes[1] + outcomes[2])) - {"done"}
    assert ended <= known
    assert {"done", "done_text", "again"} <= set(ENGLISH["write"])
