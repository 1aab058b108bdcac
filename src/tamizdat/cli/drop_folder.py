# SPDX-License-Identifier: AGPL-3.0-or-later
"""Making a drop's folder from a newsroom's: ``drop.toml`` and an empty spool.

What always holds: no key that opens or signs anything goes there; of providers only the till's
key, which can open checkouts and do nothing else. What an operator changed in an existing file
stays, but for what the newsroom alone decides (keys, names, languages, colours, privacy policy,
newsletters, what can be given).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from tamizdat.config import ConfigError, Newsroom, offers_of
from tamizdat.drop.client import host_of
from tamizdat.drop.settings import (
    DropFolder,
    GivingSettings,
    Newsletter,
    Provider,
    TillSettings,
    problems,
)
from tamizdat.drop.settings import Settings as DropSettings
from tamizdat.edition.site import Site
from tamizdat.giving.registry import SIGNED_BY
from tamizdat.letterbox import collector_public, ensure_keys, recipient

HEAD = """\
# The settings of this letterbox, written by "tamizdat drop init". Every setting is described in
# docs/operating/drop.md. It holds no key that opens anything. After a change start the letterbox
# again.
"""
WORDS = {
    "name": "Whose letterbox it is, in each language, and where the paper is.",
    "recipients": "What is sealed to: the desk's public keys (age). Whoever holds this file can "
    "write to the desk and read nothing.",
    "collector": "The desk's public key: who may empty it.",
    "hosts": "The names under which it is reached, without port: what the desk signs for.",
    "privacy": "The version of the privacy policy that forms ask to agree to, and where it stands.",
    "host": "Where it listens. Keep it on this machine, behind a web server that speaks HTTPS.",
    "cap": "What it may take of the disk, in bytes, and the part of that which is kept for links "
    "from mails and for providers.",
    "trusted_proxies": "Web servers before it whose X-Forwarded-For is believed. Addresses are "
    "counted in memory and written nowhere.",
    "webhooks": "Payment providers that may call it, and which of their header fields the desk "
    "needs.",
    "newsletters": "What its own forms offer: the newsroom's newsletters, with their titles by "
    "language.",
    "limits": "Submissions an hour: from one network without a proof of work, and with one.",
    "giving": "How readers pay for the paper: addresses of the paper that they may come back to, "
    "the providers with the files of their tills' keys, what is offered (in the smallest unit).",
}
DECIDED_BY_THE_NEWSROOM = (
    "name", "names", "paper", "recipients", "collector", "languages", "accent", "accent_dark",
    "privacy", "privacy_page", "newsletters", "giving",
)  # fmt: skip


def make_drop(
    folder: Path, newsroom: Newsroom, *, url: str, port: int, entries: Iterable[str] = ()
) -> DropFolder:
    """Make or renew it; Django must be ready. ``entries`` are addresses at which the paper is just
    now, beside those of its settings: a giver may come back there. Raises ``ConfigError`` and
    ``DropSettingsError``."""
    folder = folder.resolve()
    file = folder / "drop.toml"
    if folder.exists() and not file.exists() and any(folder.iterdir()):
        raise ConfigError(f"{folder} holds other files and no letterbox: name an empty folder")
    wanted = _of_newsroom(newsroom, entries)
    if file.exists():
        present = DropFolder(folder).settings
        kept = {k: wanted[k] for k in DECIDED_BY_THE_NEWSROOM}
        kept["webhooks"] = _webhooks(wanted["giving"], present.webhooks)
        settings = msgspec.structs.replace(present, **kept)
    else:
        settings = DropSettings(**wanted, port=port, https=url.startswith("https://"))
    if url:
        hosts = dict.fromkeys((*settings.hosts, host_of(url)))
        settings = msgspec.structs.replace(settings, hosts=tuple(hosts))
    for problem in problems(settings):
        raise ConfigError(problem)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, secret in _till_keys(newsroom, settings.giving).items():
        _write(folder / name, f"{secret}\n")
    _write(file, toml(settings))
    (folder / "spool").mkdir(mode=0o700, exist_ok=True)
    return DropFolder(folder)


def _of_newsroom(newsroom: Newsroom, entries: Iterable[str]) -> dict[str, Any]:
    from tamizdat.desk.publishing.site import site_from_desk

    ensure_keys(newsroom)
    site = site_from_desk()
    address = site.address.rstrip("/")
    giving = _giving(newsroom, (address, *newsroom.settings.paper.entries, *entries))
    return {
        "name": newsroom.settings.name,
        "names": _names(site, newsroom.settings.name),
        "paper": address,
        "recipients": (recipient(newsroom),),
        "collector": collector_public(newsroom),
        "languages": tuple(one.code for one in site.languages),
        "accent": site.accent,
        "accent_dark": site.accent_dark,
        "privacy": max([1, *(p.version for one in site.languages for p in one.pages)]),
        "privacy_page": _policy_page(site),
        "newsletters": tuple(
            Newsletter(slug=letter.slug, titles={one.code: letter.title})
            for one in site.languages
            for letter in one.newsletters
        ),
        "giving": giving,
        "webhooks": _webhooks(giving, ()),
    }


def _giving(newsroom: Newsroom, entries: Iterable[str]) -> GivingSettings:
    """What the newsroom's table says; nothing where it takes no money, or where no provider has a
    till's key."""
    giving = newsroom.settings.giving
    tills = tuple(
        TillSettings(
            kind=one.kind,
            key=f"till-{one.kind}",
            url=one.url,
            account=one.account,
            methods=one.methods,
            currencies=one.currencies,
        )
        for one in giving.providers
        if one.till
    )
    if not (tills and giving.offers):
        return GivingSettings()
    return GivingSettings(
        entries=tuple(dict.fromkeys(one.rstrip("/") for one in entries)),
        refused_countries=giving.refused_countries,
        tills=tills,
        offers=offers_of(giving),
    )


def _webhooks(giving: GivingSettings, present: Iterable[Provider]) -> tuple[Provider, ...]:
    """Those that are there, and those of the tills that are not."""
    found = {one.name: one for one in present}
    for till in giving.tills:
        found.setdefault(till.kind, Provider(name=till.kind, headers=SIGNED_BY[till.kind]))
    return tuple(found.values())


def _till_keys(newsroom: Newsroom, giving: GivingSettings) -> dict[str, str]:
    """File names in the drop's folder and what is in them. Raises ``ConfigError``."""
    wanted = {till.kind for till in giving.tills}
    return {
        f"till-{one.kind}": newsroom.secret(one.till)
        for one in newsroom.settings.giving.providers
        if one.kind in wanted
    }


def _names(site: Site, name: str) -> dict[str, str]:
    """What the paper calls itself, by language; nothing where it is the same in all."""
    found = {one.code: one.name for one in site.languages if one.name}
    return found if set(found.values()) - {name} else {}


def _policy_page(site: Site) -> str:
    """Where the privacy policy stands: under each language where its address is the same in all,
    else that of the first; empty where none was published. It alone has numbered versions."""
    found = [(one.code, p.slug) for one in site.languages for p in one.pages if p.version]
    if not found:
        return ""
    language, slug = found[0]
    same = {other for _, other in found} == {slug}
    return f"{site.address.rstrip('/')}/{'{language}' if same else language}/{slug}/"


def toml(settings: DropSettings) -> str:
    """The file, with a word on each group. Tables come last, as TOML wants it."""
    plain, tables = [], []
    for name, value in msgspec.to_builtins(settings).items():
        word = [f"\n# {line}" for line in _lines(WORDS.get(name, ""))]
        if name == "limits":
            tables += [*word, "\n[limits]", *(f"\n{k} = {_value(v)}" for k, v in value.items())]
        elif name == "giving":
            tables += [*word, *_giving_tables(value)] if value["tills"] else []
        elif name in ("webhooks", "newsletters") and value:
            tables += [*word, *(line for one in value for line in _table(name, one)), "\n"]
        else:
            plain += ["\n" if word else "", *word, f"\n{name} = {_value(value)}"]
    return HEAD + "".join(plain) + "\n" + "".join(tables) + "\n"


def _giving_tables(giving: dict[str, Any]) -> list[str]:
    plain = {k: v for k, v in giving.items() if k not in ("tills", "offers")}
    found = ["\n[giving]", *(f"\n{k} = {_value(v)}" for k, v in plain.items()), "\n"]
    for name in ("tills", "offers"):
        found += [line for one in giving[name] for line in (*_table(f"giving.{name}", one), "\n")]
    return found


def _table(name: str, one: dict[str, Any]) -> list[str]:
    return [f"\n[[{name}]]", *(f"\n{key} = {_value(value)}" for key, value in one.items())]


def _value(value: object) -> str:
    if isinstance(value, dict):
        said = ", ".join(f"{_value(key)} = {_value(item)}" for key, item in value.items())
        return f"{{ {said} }}" if said else "{}"
    return msgspec.json.encode(value).decode()


def _lines(words: str, width: int = 96) -> list[str]:
    found, line = [], ""
    for word in words.split():
        if len(line) + len(word) + 1 > width:
            found.append(line)
            line = ""
        line = f"{line} {word}".strip()
    return [*found, line] if line else found


def _write(file: Path, text: str) -> None:
    aside = file.with_name(f".{file.name}.{os.getpid()}")
    aside.write_text(text, encoding="utf-8")
    aside.chmod(0o600)
    aside.replace(file)
