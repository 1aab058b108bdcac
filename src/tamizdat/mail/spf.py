# SPDX-License-Identifier: AGPL-3.0-or-later
"""What an SPF record (RFC 7208) says of the addresses that we send from.

What always holds: at most ``MOST`` lookups are followed, as receivers do; records that nobody asked
for are named in ``unasked`` and count as unknown, not as absent.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field

from tamizdat.mail.records import Question, Resolver

MOST = 10  # RFC 7208, 4.6.4
_STOP = 25
_TERM = re.compile(
    r"([+\-~?]?)([a-z0-9]+)(?:[:=]([^/\s]+))?(?:/(\d+))?(?://(\d+))?$", re.IGNORECASE
)
_LOOKS = ("include", "a", "mx", "ptr", "exists", "redirect")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass
class Spf:
    """``records`` of the domain itself; ``covered`` the addresses that it lets through; ``all`` its
    last word (``-``, ``~``, ``?``, ``+``, empty without one)."""

    domain: str
    records: list[str] = field(default_factory=list)
    lookups: int = 0
    covered: set[str] = field(default_factory=set)
    all: str = ""
    uses_ptr: bool = False
    wrong: list[str] = field(default_factory=list)
    unasked: list[Question] = field(default_factory=list)


def look(domain: str, addresses: list[str], resolver: Resolver) -> Spf:
    """Follow the record of a domain. ``addresses`` are those that our mail leaves from."""
    found = Spf(domain)
    found.records = _records(domain, resolver, found)
    if len(found.records) == 1:
        wanted = [ipaddress.ip_address(address) for address in addresses]
        _follow(found.records[0], domain, wanted, resolver, found, top=True)
    return found


def _records(domain: str, resolver: Resolver, found: Spf) -> list[str]:
    texts = resolver.find(domain, "TXT")
    if texts is None:
        found.unasked.append((domain, "TXT"))
    return [t for t in texts or [] if t.lower().split(" ")[0] == "v=spf1"]


def _follow(
    record: str, domain: str, wanted: list[Address], resolver: Resolver, found: Spf, *, top: bool
) -> None:
    for term in record.split()[1:]:
        parsed = _TERM.match(term)
        if parsed is None:
            if "%" not in term:
                found.wrong.append(term[:60])
            continue
        sign, name, value, four, six = parsed.groups()
        name = name.lower()
        found.lookups += name in _LOOKS
        if found.lookups > _STOP:
            return
        found.uses_ptr |= name == "ptr"
        if name == "all" and top:
            found.all = sign or "+"
        elif name == "redirect" or (name == "include" and sign in ("", "+")):
            _into(value or "", wanted, resolver, found, top=top and name == "redirect")
        elif sign in ("", "+"):
            _match(name, value or domain, (four, six), term, wanted, resolver, found)


def _into(domain: str, wanted: list[Address], resolver: Resolver, found: Spf, *, top: bool) -> None:
    records = _records(domain, resolver, found)
    if len(records) == 1:
        _follow(records[0], domain, wanted, resolver, found, top=top)
    elif (domain, "TXT") not in found.unasked:
        found.wrong.append(f"include:{domain} has no record of its own"[:90])


def _match(
    name: str,
    value: str,
    length: tuple[str | None, str | None],
    term: str,
    wanted: list[Address],
    resolver: Resolver,
    found: Spf,
) -> None:
    if name in ("ip4", "ip6"):
        _in_network(term.partition(":")[2], wanted, found)
    elif name in ("a", "mx"):
        hosts = [value] if name == "a" else _asked(value, "MX", resolver, found)
        for host in hosts:
            for kind, size in (("A", length[0]), ("AAAA", length[1])):
                for address in _asked(host, kind, resolver, found):
                    _in_network(f"{address}/{size}" if size else address, wanted, found)


def _asked(name: str, kind: str, resolver: Resolver, found: Spf) -> list[str]:
    values = resolver.find(name, kind)
    if values is None and kind != "AAAA":
        found.unasked.append((name, kind))
    return values or []


def _in_network(text: str, wanted: list[Address], found: Spf) -> None:
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        found.wrong.append(text[:60])
        return
    found.covered |= {str(a) for a in wanted if a.version == network.version and a in network}
