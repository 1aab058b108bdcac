# SPDX-License-Identifier: AGPL-3.0-or-later
"""What readers run, filled in for one newsroom: the worker of its entries, and the single file.

What always holds: the newsroom's own facts (its keys, its mirrors, words) are the constant in the
first line of the worker, and nothing else differs between newsrooms. ``site.json`` names the
sha-256 of what follows that line (``told.script_hashes``), so that anybody can tell whether an
entry serves the reader that the holders signed.

What is not done here: building the scripts (``reader/``), serving them.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

import msgspec
from tuf.api.metadata import Root, Targets

from tamizdat.edition.signed import layout, roles
from tamizdat.edition.signed.cohorts import Cohort, urls
from tamizdat.edition.signed.errors import BadFormatError
from tamizdat.edition.signed.folder import Folder
from tamizdat.theme import style

WORKER: Final = "sw.js"
SINGLE: Final = "reader.js"
PAGE: Final = "reader.html"  # that the single file's program is put into
FALLBACK: Final = "ed25519.js"  # for browsers without Ed25519
# Of a paper without keys: it does nothing, takes the place of a worker from when there were some,
# and gives way to one when there are.
IDLE: Final = b"""// SPDX-License-Identifier: AGPL-3.0-or-later
// This paper is not signed: there is nothing to verify.
self.addEventListener("install", () => self.skipWaiting());
// A form asks which key was signed for letters: none.
self.addEventListener("message", ({ data, ports }) => {
  if (data && data.letter && ports[0]) ports[0].postMessage({ recipient: "" });
});
"""
LANGUAGES: Final[tuple[str, ...]] = ("en", "ru", "ar")
_ONLY_SINGLE: Final = "single."


class Facts(msgspec.Struct, frozen=True):
    """What the constant ``TAMIZDAT`` of the scripts says (``Settings`` in reader/src/words.ts)."""

    name: str
    address: str
    root: str
    mirrors: list[str]
    fronts: dict[str, str]
    words: dict[str, dict[str, str]]
    cohort: str = ""


@cache
def program(name: str) -> bytes:
    """A built script, as it is for every newsroom."""
    return (resources.files("tamizdat.theme") / "reader" / name).read_bytes()


def worker(folder: Path, cohort: Cohort | None = None) -> bytes | None:
    """The worker of the newsroom whose signed edition lies in ``folder``, for readers of a cohort
    or for those of none; None where it has no keys yet. Raises ``BadFormatError``."""
    facts = facts_of(folder, cohort)
    if facts is None:
        return None
    return fill(facts, WORKER)


def single_file(folder: Path, cohort: Cohort | None = None) -> bytes | None:
    """The reader as one HTML file, likewise. Raises ``BadFormatError``."""
    facts = facts_of(folder, cohort)
    if facts is None:
        return None
    script = fill(facts, SINGLE).decode()
    page = program(PAGE).decode().replace("SCRIPT_HASH", style.csp_hash(script))
    page = page.replace("PAPER_NAME", html.escape(facts.name))
    before, _, after = page.partition("PROGRAM")
    return (before + script + after).encode()


def fill(facts: Facts, name: str) -> bytes:
    """A program with the newsroom's facts; the worker has no use for the single file's words, nor
    for English where every page's language has its own. Words go without their names,
    in the order that the scripts know (reader/src/said.ts)."""
    spoken, order = set(facts.words), list(words("en"))
    if name == WORKER:
        own = {code.partition("-")[0] for code in facts.fronts}
        spoken = own if own and own <= set(LANGUAGES) else spoken
        order = [key for key in order if not key.startswith(_ONLY_SINGLE)]
        facts = msgspec.structs.replace(facts, fronts={}, address="")
    codes = [code for code in facts.words if code in spoken]
    said = {code: "|".join(facts.words[code][key] for key in order) for code in codes}
    told = msgspec.structs.asdict(facts) | {"words": said}
    return b"const TAMIZDAT=" + literal(told) + b";\n" + program(name)


def facts_of(folder: Path, cohort: Cohort | None = None) -> Facts | None:
    """What readers of a cohort must know. None where the newsroom has no keys yet."""
    files = Folder(folder)
    versions = files.versions("root")
    if not versions:
        return None
    root = files.read(layout.metadata_name("root", versions[-1]))
    roles.decode(root, Root)
    site = _site(files)
    languages = [one for one in site.get("languages", []) if isinstance(one, dict)]
    present = _said(files, "live", layout.MIRRORS)
    own = urls(cohort, present) if cohort else []
    listed = [*own, *_urls(site, "seeds"), *_urls(present, "mirrors"), *_entries(site)]
    fronts = {str(one.get("code", "")): str(one.get("front", "")) for one in languages}
    return Facts(
        name=str(site.get("name", "")),
        address=str(site.get("address", "")),
        root=root.decode(),
        mirrors=list(dict.fromkeys(listed)),
        fronts=fronts,
        words={code: words(code) for code in _spoken(fronts)},
        cohort=cohort.told if cohort else "",
    )


@cache
def words(code: str) -> dict[str, str]:
    """The reader's words in one of ``LANGUAGES``."""
    file = resources.files("tamizdat.theme") / "locales" / "reader" / f"{code}.json"
    return msgspec.json.decode(file.read_bytes(), type=dict[str, str])


def literal(value: Any) -> bytes:
    """A value as a JavaScript literal that may stand in a script in a page."""
    return msgspec.json.encode(value).replace(b"<", b"\\u003c")


def _spoken(codes: Iterable[str]) -> list[str]:
    """The languages that there are words for, of these; English besides, and all for none."""
    found = {code.partition("-")[0] for code in codes}
    known = [code for code in LANGUAGES if code in found or code == "en"]
    return known if found else list(LANGUAGES)


def _urls(said: dict[str, Any], name: str) -> list[str]:
    found = said.get(name)
    listed = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    return [str(one["url"]) for one in listed if "url" in one and not one.get("cohort")]


def _entries(site: dict[str, Any]) -> list[str]:
    """Entries serve the signed files too."""
    found = site.get("entries")
    return [f"{one}".rstrip("/") + "/" for one in found] if isinstance(found, list) else []


def _site(files: Folder) -> dict[str, Any]:
    """``site.json`` as the holders signed it last; empty where they did not yet."""
    return _said(files, "targets", layout.SITE)


def _said(files: Folder, role: str, target: str) -> dict[str, Any]:
    """The object in a target of the newest metadata of a role; empty where there is none."""
    versions = files.versions(role)
    if not versions:
        return {}
    metadata = roles.decode(files.read(layout.metadata_name(role, versions[-1])), Targets)
    sha256 = roles.target_sha256(metadata, target)
    try:
        data = files.target(target, sha256) if sha256 else b"{}"
        found = msgspec.json.decode(data, type=dict[str, Any])
    except (FileNotFoundError, msgspec.DecodeError) as error:
        raise BadFormatError(f"{target} in {files.path}/targets is missing or damaged") from error
    return found
