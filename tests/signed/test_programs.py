# SPDX-License-Identifier: AGPL-3.0-or-later
"""What readers run, filled in for one newsroom."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import re
from pathlib import Path

import brotli
import msgspec
import pytest

from tamizdat.edition.signed import ceremony, programs
from tamizdat.edition.signed.told import Mirror, site_json
from tests.edition.papers import SITE
from tests.signed.newsroom import Newsroom

WORDS = [programs.words(code) for code in programs.LANGUAGES]


@pytest.fixture
def room(tmp_path: Path) -> Newsroom:
    found = Newsroom(tmp_path, mirrors=[Mirror("https://today.example/", "")])
    site = site_json(
        "The </script> Lantern",
        SITE,
        ["https://entry.example"],
        [Mirror.at("https://seed.example/x"), Mirror.at("https://other.example/", "south")],
    )
    found.root = ceremony.found(found.desk, found.holders, site, found.now)
    return found.build(3)


def facts(script: bytes) -> dict[str, object]:
    first, _, _ = script.partition(b"\n")
    found: dict[str, object] = json.loads(first.removeprefix(b"const TAMIZDAT=").removesuffix(b";"))
    return found


def test_the_worker_is_one_line_of_the_newsrooms_own_and_the_program_of_all(
    room: Newsroom,
) -> None:
    script = programs.worker(room.desk.folder.path) or b""
    first, _, rest = script.partition(b"\n")
    site = msgspec.json.decode(room.reader("iva").target("site.json"))
    assert hashlib.sha256(rest).hexdigest() == site["reader"]["sw.js"]
    said = facts(script)
    assert said["root"] == room.root.decode()
    assert said["name"] == "The </script> Lantern"
    assert b"<" not in first
    assert said["mirrors"] == [
        "https://seed.example/x/",
        "https://today.example/",
        "https://entry.example/",
    ]
    assert set(said["words"]) == {"en", "ru"}  # type: ignore[call-overload]  # JSON


def test_an_unsigned_paper_has_neither_worker_nor_single_file(tmp_path: Path) -> None:
    room = Newsroom(tmp_path).build(1)
    assert programs.worker(room.desk.folder.path) is None
    assert programs.single_file(room.desk.folder.path) is None


def test_the_single_file_runs_its_own_script_and_no_other(room: Newsroom) -> None:
    page = (programs.single_file(room.desk.folder.path) or b"").decode()
    script = page[page.index("<script>") + 8 : page.rindex("</script>")]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page
    assert "</script" not in script
    assert "PAPER_NAME" not in page
    assert "The &lt;/script&gt; Lantern" in page


def test_worker_and_verifier_are_small(room: Newsroom) -> None:
    """Program and words of a paper in two languages; its root, which no packing makes smaller,
    comes to that."""
    found = programs.facts_of(room.desk.folder.path)
    assert found is not None
    script = programs.fill(msgspec.structs.replace(found, root=""), programs.WORKER)
    alone, filled = (
        len(brotli.compress(programs.program(programs.WORKER))),
        len(brotli.compress(script)),
    )
    print(f"worker and verifier: {alone} bytes, with words {filled}")  # noqa: T201
    assert filled <= 16_000
    assert len(programs.single_file(room.desk.folder.path) or b"") <= 100_000


@pytest.mark.parametrize(
    "codes",
    [
        codes
        for count in range(1, len(programs.LANGUAGES) + 1)
        for codes in itertools.combinations(programs.LANGUAGES, count)
    ],
    ids="-".join,
)
def test_a_worker_in_any_languages_of_the_theme_is_small(codes: tuple[str, ...]) -> None:
    fronts = {code: f"/{code}/" for code in codes}
    spoken = {code: programs.words(code) for code in {"en", *codes}}
    mirrors = [f"https://{name}.example/" for name in ("riga", "oslo", "tartu")]
    facts = programs.Facts("The Lantern", "", "", mirrors, fronts, spoken)
    script = programs.fill(facts, programs.WORKER)
    print(f"{codes}: {len(brotli.compress(script))} bytes")  # noqa: T201
    assert len(brotli.compress(script)) <= 16_000


def test_every_language_has_the_readers_words_with_the_same_holes_in_the_same_order() -> None:
    def plain(words: dict[str, str]) -> list[tuple[str, set[str]]]:
        return [(key, set(re.findall(r"\{(\w+)\}", text))) for key, text in words.items()]

    assert all(plain(words) == plain(WORDS[0]) for words in WORDS)
    assert all(words["dir"] in ("ltr", "rtl") for words in WORDS)
    assert not any("|" in text for words in WORDS for text in words.values())


def test_the_scripts_know_the_words_by_their_places() -> None:
    source = (Path(__file__).parents[2] / "reader" / "src" / "said.ts").read_text()
    _, _, members = source.partition("export const enum Said {")
    places = re.findall(r"\w+", members)
    keys = list(WORDS[0])
    assert places == [re.sub(r"\.(\w)", lambda found: found[1].upper(), key) for key in keys]
    single = [key.startswith("single.") for key in keys]
    assert single == sorted(single), "the worker has no use for what stands last"


def test_a_worker_has_the_words_of_its_paper_in_their_order(room: Newsroom) -> None:
    words = facts(programs.worker(room.desk.folder.path) or b"")["words"]
    order = [key for key in WORDS[0] if not key.startswith("single.")]
    assert words == {
        code: "|".join(programs.words(code)[key] for key in order) for code in ("en", "ru")
    }
