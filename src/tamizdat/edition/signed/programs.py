# SPDX-License-Identifier: AGPL-3.0-or-later
"""What readers run, filled in for one newsroom: the worker of its entries, and the single file.

What always holds: the newsroom's own facts (its keys, its mirrors, words) are the constant in the
first line of the worker, and nothing else differs between newsrooms. ``site.json`` names the
sha-256 of what follows that line (``told.script_hashes``), so that anybody can tell whether an
entry serves the reader that the holders signed.

What is not done here: building the scripts (``reader/``), serving them.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

import msgspec
from tuf.api.metadata import Root, Targets

from tamizdat.edition.signed import layout, roles
from tamizdat.edition.signed.errors import BadFormatError
from tamizdat.edition.signed.folder import Folder

WORKER: Final = "sw.js"
FALLBACK: Final = "ed25519.js"  # for browsers without Ed25519
LANGUAGES: Final[tuple[str, ...]] = ("en", "ru", "ar")
_ONLY_SINGLE: Final = "single."


class Facts(msgspec.Struct, frozen=True):
    """The constant ``TAMIZDAT`` of the scripts (``Settings`` in reader/src/words.ts)."""

    name: str
    root: str
    mirrors: list[str]
    fronts: dict[str, str]
    words: dict[str, dict[str, str]]


@cache
def program(name: str) -> bytes:
    """A built script, as it is for every newsroom."""
    return (resources.files("tamizdat.theme") / "reader" / name).read_bytes()


def worker(folder: Path) -> bytes | None:
    """The worker of the newsroom whose signed edition lies in ``folder``; None where it has no
    keys yet. Raises ``BadFormatError``."""
    facts = facts_of(folder)
    if facts is None:
        return None
    words = {code: _without(said) for code, said in facts.words.items()}
    constant = literal(msgspec.structs.replace(facts, words=words))
    return b"const TAMIZDAT=" + constant + b";\n" + program(WORKER)


def facts_of(folder: Path) -> Facts | None:
    """What the newsroom's readers must know. None where it has no keys yet."""
    files = Folder(folder)
    versions = files.versions("root")
    if not versions:
        return None
    root = files.read(layout.metadata_name("root", versions[-1]))
    roles.decode(root, Root)
    site = _site(files)
    languages = [one for one in site.get("languages", []) if isinstance(one, dict)]
    fronts = {str(one.get("code", "")): str(one.get("front", "")) for one in languages}
    return Facts(
        name=str(site.get("name", "")),
        root=root.decode(),
        mirrors=list(dict.fromkeys(_urls(site.get("seeds", [])))),
        fronts=fronts,
        words={code: words(code) for code in _spoken(fronts)},
    )


@cache
def words(code: str) -> dict[str, str]:
    """The reader's words in one of ``LANGUAGES``."""
    file = resources.files("tamizdat.theme") / "locales" / "reader" / f"{code}.json"
    return msgspec.json.decode(file.read_bytes(), type=dict[str, str])


def literal(value: Any) -> bytes:
    """A value as a JavaScript literal that may stand in a script in a page."""
    return msgspec.json.encode(value).replace(b"<", b"\\u003c")


def _without(said: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in said.items() if not key.startswith(_ONLY_SINGLE)}


def _spoken(codes: Iterable[str]) -> list[str]:
    """The languages that there are words for, of these; English besides, and all for none."""
    found = {code.partition("-")[0] for code in codes}
    known = [code for code in LANGUAGES if code in found or code == "en"]
    return known if found else list(LANGUAGES)


def _urls(mirrors: object) -> list[str]:
    found = mirrors if isinstance(mirrors, list) else []
    return [str(one["url"]) for one in found if isinstance(one, dict) and not one.get("cohort")]


def _site(files: Folder) -> dict[str, Any]:
    """``site.json`` as the holders signed it last; empty where they did not yet."""
    versions = files.versions("targets")
    if not versions:
        return {}
    metadata = roles.decode(files.read(layout.metadata_name("targets", versions[-1])), Targets)
    sha256 = roles.target_sha256(metadata, layout.SITE)
    try:
        data = files.target(layout.SITE, sha256) if sha256 else b"{}"
        found = msgspec.json.decode(data, type=dict[str, Any])
    except (FileNotFoundError, msgspec.DecodeError) as error:
        raise BadFormatError(f"site.json in {files.path}/targets is missing or damaged") from error
    return found
