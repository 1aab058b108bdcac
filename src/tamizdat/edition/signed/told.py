# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a newsroom tells readers about itself: site.json and mirrors.json (edition-v1.md, 8).

What always holds: the same content gives the same bytes. Nothing is signed here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from tamizdat import theme
from tamizdat.edition.signed import cohorts
from tamizdat.edition.site import Site

SCRIPTS = ("sw.js", "reader.js")


class Mirror(msgspec.Struct, frozen=True):
    """A copy to fetch from: ``url`` ends with a slash; ``cohort`` is empty for all readers."""

    url: str
    cohort: str = ""

    @classmethod
    def at(cls, url: str, cohort: str = "") -> Mirror:
        return cls(url.rstrip("/") + "/", cohort)


def mirrors_json(mirrors: Sequence[Mirror], secrets: Path) -> bytes:
    """Those for all readers in clear, those of each cohort under its key, which comes from a file
    in ``secrets``. Raises ``KeyFileError``."""
    found: dict[str, object] = {"format": 1, "mirrors": [m for m in mirrors if not m.cohort]}
    names = sorted({mirror.cohort for mirror in mirrors if mirror.cohort})
    if names:
        found["sealed"] = dict(_sealed(mirrors, names, cohorts.secret(secrets)))
    return msgspec.json.encode(found)


def _sealed(
    mirrors: Sequence[Mirror], names: Sequence[str], secret: bytes
) -> Iterator[tuple[str, str]]:
    for name in names:
        one = cohorts.cohort(secret, name)
        listed = {"format": 1, "mirrors": [m for m in mirrors if m.cohort == name]}
        yield one.identifier, cohorts.seal(one, msgspec.json.encode(listed))


def site_json(
    name: str, site: Site, entries: Sequence[str], seeds: Sequence[Mirror], recipient: str = ""
) -> bytes:
    """``entries`` are addresses that serve the reader, ``recipient`` the desk's age recipient. Of
    ``seeds`` those for all readers are named: anybody may read this file."""
    languages = [
        {
            "code": language.code,
            "name": language.name,
            "direction": language.direction,
            "front": f"/{language.code}/",
        }
        for language in site.languages
    ]
    found = {
        "format": 1,
        "name": name,
        "address": site.address,
        "languages": languages,
        "entries": list(dict.fromkeys(entries)),
        "recipient": recipient,
        "reader": script_hashes(),
        "seeds": [seed for seed in seeds if not seed.cohort],
    }
    return msgspec.json.encode(found)


def script_hashes() -> dict[str, str]:
    """The sha-256 of the reader's scripts, as this program carries them."""
    folder = Path(theme.__file__).parent
    found = {name: next(iter(sorted(folder.rglob(name))), None) for name in SCRIPTS}
    return {n: hashlib.sha256(f.read_bytes()).hexdigest() for n, f in found.items() if f}
