# SPDX-License-Identifier: AGPL-3.0-or-later
"""How a sending domain stands, and what the large receivers would refuse, given its DNS records.

The rules are those that Gmail, Yahoo and Microsoft published for who sends much: SPF and DKIM pass,
one of them aligned with the domain in From (DMARC), a DMARC record, leaving with one click (RFC
8058), a name for the sending address that leads back to it.

What always holds: judging is a pure function of ``Setup`` and records; every finding that is not
fine says what to do. What was not asked is said to be unknown, never to be absent.

What is not done here: asking the DNS.
"""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Iterator
from typing import Literal

import msgspec

from tamizdat.mail import spf
from tamizdat.mail.records import Question, Resolver, reverse

Level = Literal["fine", "warning", "problem"]
ALL = ("Gmail", "Yahoo", "Microsoft")
MICROSOFT = "Microsoft says 550 5.7.515."
# Their DMARC records forbid that others send in their name.
# fmt: off
PERSONAL = frozenset((
    "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com",
    "yahoo.com", "aol.com", "icloud.com", "mail.ru", "yandex.ru",
    "proton.me", "gmx.de", "gmx.net", "web.de",
))
# fmt: on


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """``refused`` names the receivers that refuse our mail, or put it aside as spam, for it."""

    name: str
    level: Level
    what: str
    advice: str = ""
    refused: tuple[str, ...] = ()


class DkimKey(msgspec.Struct, frozen=True, kw_only=True):
    """One that we sign with. ``public`` is as it stands in ``p=``; ``bits`` of an RSA key."""

    domain: str
    selector: str
    algorithm: Literal["rsa", "ed25519"]
    public: str
    bits: int = 0

    @property
    def name(self) -> str:
        return f"{self.selector}._domainkey.{self.domain}"

    @property
    def record(self) -> str:
        """What has to stand there."""
        return f"v=DKIM1; k={self.algorithm}; p={self.public}"


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """``senders`` are the domains in From, ``bounces`` that of the envelope; ``addresses`` those
    from which our mail leaves for the receivers (IPv4, IPv6), ``helo`` the name of that machine;
    ``leave`` the base of the link behind the one click."""

    senders: tuple[str, ...]
    bounces: str = ""
    keys: tuple[DkimKey, ...] = ()
    addresses: tuple[str, ...] = ()
    helo: str = ""
    leave: str = ""


def questions(setup: Setup) -> list[Question]:
    """The records to ask for; SPF may lead to more (``judge`` names them)."""
    envelope = _envelope(setup)
    asked: list[Question] = [(envelope, "TXT"), (envelope, "MX"), (envelope, "A")]
    asked += [(f"_dmarc.{domain}", "TXT") for sender in setup.senders for domain in _up(sender)]
    asked += [(key.name, "TXT") for key in setup.keys]
    asked += [(reverse(address), "PTR") for address in setup.addresses]
    if setup.helo:
        asked += [(setup.helo, "A"), (setup.helo, "AAAA")]
    return list(dict.fromkeys(asked))


def judge(setup: Setup, resolver: Resolver) -> list[Finding]:
    """Everything that can be said, in the order in which receivers look."""
    return [
        *_from(setup),
        *_spf(setup, resolver),
        *_dkim(setup, resolver),
        *_dmarc(setup, resolver),
        *_names(setup, resolver),
        *_returns(setup, resolver),
        *_one_click(setup),
    ]


def _fine(name: str, what: str) -> Finding:
    return Finding(name=name, level="fine", what=what)


def _unknown(name: str, domain: str) -> Finding:
    return Finding(
        name=name,
        level="warning",
        what=f"the records of {domain} were not given",
        advice="Ask for them (the command is below) and give them with --records.",
    )


def _problem(name: str, what: str, advice: str, *refused: str) -> Finding:
    return Finding(name=name, level="problem", what=what, advice=advice, refused=refused)


def _warning(name: str, what: str, advice: str) -> Finding:
    return Finding(name=name, level="warning", what=what, advice=advice)


def _envelope(setup: Setup) -> str:
    return setup.bounces or (setup.senders[0] if setup.senders else "")


def _up(domain: str) -> list[str]:
    """A domain and those above it, down to two labels."""
    labels = domain.split(".")
    return [".".join(labels[n:]) for n in range(max(len(labels) - 1, 1))]


def _aligned(one: str, other: str, *, strict: bool = False) -> bool:
    """Whether they are of one organisation: equal, or one below the other. (Which domains anybody
    can register under is not known here.)"""
    if strict or one == other:
        return one == other
    return one.endswith(f".{other}") or other.endswith(f".{one}") or _up(one)[-1] == _up(other)[-1]


def _from(setup: Setup) -> Iterator[Finding]:
    if not setup.senders:
        yield _problem("from", "no sender is set", "Set [mail] sender, and a newsletter's sender.")
    for domain in setup.senders:
        if domain in PERSONAL:
            yield _problem("from", f"mail says it is from {domain}, which only {domain} may send",
                           "Write from a domain of your own.", *ALL)  # fmt: skip
        else:
            yield _fine("from", domain)


def _spf(setup: Setup, resolver: Resolver) -> Iterator[Finding]:
    domain = _envelope(setup)
    if not domain:
        return
    found = spf.look(domain, list(setup.addresses), resolver)
    for question in dict.fromkeys(found.unasked):
        yield _unknown("spf", f"{question[0]} ({question[1]})")
    if (domain, "TXT") in found.unasked:
        return
    if not found.records:
        ways = " ".join(f"ip{ipaddress.ip_address(a).version}:{a}" for a in setup.addresses)
        yield _problem("spf", f"{domain} has no SPF record",
                       f"Publish at {domain}: TXT “v=spf1 {ways or 'include:YOUR-RELAY'} -all”.",
                       *ALL)  # fmt: skip
    elif len(found.records) > 1:
        yield _problem("spf", f"{domain} has {len(found.records)} SPF records; that counts as none",
                       "Join them into one.", *ALL)  # fmt: skip
    else:
        yield from _spf_details(setup, domain, found)


def _spf_details(setup: Setup, domain: str, found: spf.Spf) -> Iterator[Finding]:
    missing = [address for address in setup.addresses if address not in found.covered]
    if found.lookups > spf.MOST:
        yield _problem("spf", f"it needs {found.lookups} lookups, {spf.MOST} are allowed",
                       "Replace includes by the addresses that you use.", *ALL)  # fmt: skip
    for wrong in found.wrong:
        yield _problem("spf", f"“{wrong}” in it is not understood", "Mend the record.", *ALL)
    if missing and not found.unasked:
        yield _problem("spf", f"it does not name {', '.join(missing)}, which sends our mail",
                       f"Add the relay to the record of {domain}.", "Microsoft")  # fmt: skip
    elif not setup.addresses:
        yield _warning("spf", "from which addresses our mail leaves was not said",
                       "Say it with --ip ADDRESS (the relay's, as receivers see it).")  # fmt: skip
    if found.all == "+":
        yield _problem("spf", "“+all” lets everybody send in our name", "End it with -all.")
    elif found.all not in ("-", "~"):
        yield _warning("spf", "it does not say what to do with others", "End it with -all or ~all.")
    if found.uses_ptr:
        yield _warning("spf", "“ptr” is slow and out of use", "Name the addresses instead.")
    if setup.addresses and not (missing or found.unasked or found.wrong):
        yield _fine("spf", f"{domain} names our relay ({found.lookups} of {spf.MOST} lookups)")


def _dkim(setup: Setup, resolver: Resolver) -> Iterator[Finding]:
    if not setup.keys:
        yield _problem("dkim", "mails are not signed by us",
                       "Make a key with: tamizdat newsletter doctor --make-key (not needed where "
                       "the relay signs with your domain).", *ALL)  # fmt: skip
        return
    for key in setup.keys:
        yield from _dkim_key(key, resolver)
    if all(key.algorithm != "rsa" for key in setup.keys):
        yield _problem("dkim", "the large receivers do not read Ed25519 signatures",
                       "Add an RSA key beside it.", *ALL)  # fmt: skip


def _dkim_key(key: DkimKey, resolver: Resolver) -> Iterator[Finding]:
    texts = resolver.find(key.name, "TXT")
    if texts is None:
        yield _unknown("dkim", key.name)
        return
    publish = f"Publish at {key.name}: TXT “{key.record}”"
    if len(texts) != 1:
        yield _problem("dkim", f"{key.name} has {len(texts) or 'no'} records", publish, *ALL)
        return
    tags = _tags(texts[0])
    public = tags.get("p", "").replace(" ", "")
    if not public:
        yield _problem("dkim", f"the key at {key.name} is withdrawn", publish, *ALL)
    elif not _same(public, key.public):
        yield _problem("dkim", f"the key at {key.name} is not ours", publish, *ALL)
    elif tags.get("k", "rsa") != key.algorithm:
        yield _problem("dkim", f"{key.name} names another algorithm", publish, *ALL)
    elif "y" in tags.get("t", "").split(":"):
        yield _warning("dkim", f"{key.name} says that it is a test (t=y)", "Take t=y out.")
    else:
        bits = f", {key.bits} bits" if key.bits else ""
        yield _fine("dkim", f"{key.name} ({key.algorithm}{bits}) is ours")


def _same(one: str, other: str) -> bool:
    try:
        return base64.b64decode(one + "==") == base64.b64decode(other + "==")
    except ValueError:
        return False


def _tags(record: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in record.split(";"))
    return {name.strip().lower(): value.strip() for name, _, value in pairs if name.strip()}


def _dmarc(setup: Setup, resolver: Resolver) -> Iterator[Finding]:
    for domain in setup.senders:
        found = [(up, resolver.find(f"_dmarc.{up}", "TXT")) for up in _up(domain)]
        if all(texts is None for _, texts in found):
            yield _unknown("dmarc", f"_dmarc.{domain}")
            continue
        records = (
            [t for t in texts or [] if t.lower().startswith("v=dmarc1")] for _, texts in found
        )
        record = next((texts for texts in records if texts), [])
        if len(record) != 1:
            yield _problem("dmarc", f"_dmarc.{domain} has {len(record) or 'no'} records",
                           f"Publish at _dmarc.{_up(domain)[-1]}: TXT “v=DMARC1; p=quarantine”.",
                           *ALL)  # fmt: skip
        else:
            yield from _alignment(setup, domain, _tags(record[0]))


def _alignment(setup: Setup, domain: str, tags: dict[str, str]) -> Iterator[Finding]:
    policy = tags.get("p", "").lower()
    if policy not in ("none", "quarantine", "reject"):
        yield _problem("dmarc", f"the policy of {domain} is none of none, quarantine, reject",
                       "Mend p= in the record.", *ALL)  # fmt: skip
        return
    by_key = any(
        _aligned(key.domain, domain, strict=tags.get("adkim") == "s") for key in setup.keys
    )
    by_envelope = _aligned(_envelope(setup), domain, strict=tags.get("aspf") == "s")
    if not by_key and not by_envelope:
        yield _problem("dmarc", f"neither DKIM nor the envelope is of {domain}: DMARC fails",
                       f"Sign with d={domain}, or set [mail] bounces to a domain below it. "
                       f"{MICROSOFT}", *ALL)  # fmt: skip
    elif not by_key:
        yield _warning("dmarc", f"no signature is of {domain}; forwarded mail fails",
                       f"Sign with d={domain}.")  # fmt: skip
    else:
        yield _fine("dmarc", f"{domain}: p={policy}, signed by itself")
    if policy == "none":
        yield _warning("dmarc", f"{domain} says p=none: forgers may write in your name",
                       "Once reports show that your mail passes, say p=quarantine.")  # fmt: skip


def _names(setup: Setup, resolver: Resolver) -> Iterator[Finding]:
    for address in setup.addresses:
        names = resolver.find(reverse(address), "PTR")
        if names is None:
            yield _unknown("ptr", reverse(address))
            continue
        if not names:
            yield _problem("ptr", f"{address} has no name (PTR)",
                           "Ask who runs that machine to set one.", *ALL)  # fmt: skip
            continue
        kind = "A" if ipaddress.ip_address(address).version == 4 else "AAAA"
        back = resolver.find(names[0], kind)
        if back is None:
            yield _unknown("ptr", f"{names[0]} ({kind})")
        elif address not in back:
            yield _problem("ptr", f"{names[0]} does not lead back to {address}",
                           f"Let {names[0]} have the {kind} record {address}.", *ALL)  # fmt: skip
        elif setup.helo and setup.helo != names[0]:
            yield _warning("ptr", f"the relay greets as {setup.helo}, its name is {names[0]}",
                           "Let it greet with its name (Postfix: smtp_helo_name).")  # fmt: skip
        else:
            yield _fine("ptr", f"{address} is {names[0]}, and back")


def _returns(setup: Setup, resolver: Resolver) -> Iterator[Finding]:
    if not setup.bounces:
        yield _warning("bounces", "nothing says where mail comes back to",
                       "Set [mail] bounces, and reports or lmtp_port.")  # fmt: skip
        return
    ways = [resolver.find(setup.bounces, kind) for kind in ("MX", "A")]
    if ways == [None, None]:
        yield _unknown("bounces", f"{setup.bounces} (MX)")
    elif not any(ways):
        yield _problem("bounces", f"no mail can come back to {setup.bounces}: it has no MX",
                       "Publish an MX record that names your mail server.", "Yahoo")  # fmt: skip
    else:
        yield _fine("bounces", f"mail comes back to {setup.bounces}")


def _one_click(setup: Setup) -> Iterator[Finding]:
    if setup.leave.startswith("https://"):
        yield _fine("one-click", "each issue can be left with one click")
    else:
        yield _problem("one-click", "issues cannot be left with one click (RFC 8058)",
                       "Set up a drop that readers reach by https; see docs/operating/drop.md.",
                       "Gmail", "Yahoo")  # fmt: skip
