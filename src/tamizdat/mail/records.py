# SPDX-License-Identifier: AGPL-3.0-or-later
"""DNS records as ``dig`` prints them, to be looked up in a file instead of on the network.

``dig +noall +question +answer NAME TYPE`` prints a line ``;NAME. IN TYPE`` for what was asked and
one a record; several may follow one another in a file. Zone files of that form are read as well.

What always holds: reading is pure, of any text; names are compared without capitals and final dots.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from typing import Protocol

Question = tuple[str, str]
TYPES = ("TXT", "MX", "A", "AAAA", "PTR", "CNAME")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_LINE = re.compile(
    rf"^(;?)\s*(\S{{1,255}})\s+(?:\d+\s+)?(?:IN\s+)?({'|'.join(TYPES)})(?:\s+(.+))?$", re.IGNORECASE
)
_LONGEST_CHAIN = 8


class Resolver(Protocol):
    """Who knows records. ``find`` gives the values, empty where there are none, and None where
    nobody asked."""

    def find(self, name: str, kind: str) -> list[str] | None: ...


class Records:
    """Those of a text."""

    def __init__(self, text: str) -> None:
        self._found: dict[Question, list[str]] = {}
        for line in text.splitlines():
            parsed = _LINE.match(line.strip()[:5_000])
            if parsed is None:
                continue
            asked, name, kind, value = parsed.groups()
            values = self._found.setdefault((_plain(name), kind.upper()), [])
            if not asked and value:
                values.append(_value(kind.upper(), value))

    def find(self, name: str, kind: str) -> list[str] | None:
        name = _plain(name)
        for _ in range(_LONGEST_CHAIN):
            if (found := self._found.get((name, kind))) is not None and (found or kind == "CNAME"):
                return found
            alias = self._found.get((name, "CNAME"))
            if not alias:
                return self._found.get((name, kind))
            name = _plain(alias[0])
        return []


def _plain(name: str) -> str:
    return name.rstrip(".").lower()


def _value(kind: str, value: str) -> str:
    if kind == "TXT":
        parts = _QUOTED.findall(value)
        return "".join(re.sub(r"\\(.)", r"\1", part) for part in parts) if parts else value.strip()
    return _plain(value.split()[-1])


def reverse(address: str) -> str:
    """The name at which the PTR record of an address stands. Raises ``ValueError``."""
    return ipaddress.ip_address(address).reverse_pointer


def dig(questions: Iterable[Question]) -> str:
    """What to type to have these asked."""
    asked = " ".join(f"{name} {kind}" for name, kind in dict.fromkeys(questions))
    return f"dig +noall +question +answer {asked}"
