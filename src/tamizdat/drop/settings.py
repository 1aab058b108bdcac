# SPDX-License-Identifier: AGPL-3.0-or-later
"""A drop's folder: ``drop.toml``, typed, ``spool/``, and the keys of its tills.

It holds no key that opens what it takes. A till's key, where the newsroom takes money, can open
checkouts and do nothing else.

What always holds: unknown settings are refused by name; what cannot work is refused when it is
read. Nothing is created here.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import pyrage

from tamizdat.drop.errors import DropSettingsError
from tamizdat.drop.kinds import LANGUAGE, SLUG
from tamizdat.giving import choice, registry
from tamizdat.giving.errors import AmountError

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_HEADER = re.compile(r"[a-z0-9-]{1,100}")
_FILE = re.compile(r"[a-z0-9][a-z0-9.-]{0,99}")
_HEX = re.compile(r"[0-9a-f]{64}")
_HOST = re.compile(r"[a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\]")
MEBIBYTE = 1024 * 1024
FALLBACK = "en"

Count = Annotated[int, msgspec.Meta(ge=0, le=10**9)]


class Provider(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One of ``[[webhooks]]``: who may send to ``/v1/webhook/NAME``, and which of its header
    fields are kept for the desk to check (lower case)."""

    name: str
    headers: tuple[str, ...] = ()


class Newsletter(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One of ``[[newsletters]]`` that the forms offer; ``titles`` by language."""

    slug: str
    titles: dict[str, str] = {}

    def title(self, language: str) -> str:
        """In this language, else in any."""
        return self.titles.get(language) or next(iter(self.titles.values()), self.slug)


class TillSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One of ``[[giving.tills]]``, asked in this order. ``key`` names a file in the drop's folder;
    ``url`` is where its API is, for those that have no place of their own, ``account`` what it
    calls the newsroom's. ``currencies`` are those that it takes, none named: all."""

    kind: str
    key: str
    url: str = ""
    account: str = ""
    methods: tuple[str, ...] = ("card",)
    currencies: tuple[str, ...] = ()


class GivingSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """``[giving]``: how readers pay for the paper. Without tills nobody can give here. ``entries``
    are the addresses of the paper (no final slash) that a giver may come back to."""

    entries: tuple[str, ...] = ()
    refused_countries: tuple[str, ...] = ()
    tills: tuple[TillSettings, ...] = ()
    offers: tuple[choice.Offer, ...] = ()

    @property
    def checkouts(self) -> tuple[str, ...]:
        """The origins to which its forms lead."""
        found = (one for till in self.tills for one in registry.checkouts(till.kind, till.url))
        return tuple(dict.fromkeys(found))


class Limits(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """``[limits]``: submissions an hour. From one network (/24 or /48) ``free`` without a proof
    of work, ``most`` with one; from all together ``all_free`` and ``all_most``. ``tokens`` are
    links from mails, ``webhooks`` providers' calls, from one network; ``gifts`` checkouts from one
    network, ``all_gifts`` from all together."""

    free: Count = 200
    most: Count = 2_000
    all_free: Count = 10_000
    all_most: Count = 100_000
    tokens: Count = 20_000
    webhooks: Count = 20_000
    gifts: Count = 120
    all_gifts: Count = 3_000
    work: Annotated[int, msgspec.Meta(ge=1_000, le=10_000_000)] = 50_000


class Settings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The whole file. ``names`` are what the newsroom calls itself in each language where that
    differs; ``paper`` is the paper's address; ``hosts`` are the names under which the
    drop is reached (what a collector signs for); ``recipients`` are the desk's age recipients and
    ``collector`` its public key, hex. ``privacy`` is the version of the policy that the forms ask
    to agree to, ``privacy_page`` where it stands ({language} is put in). ``cap`` is what the spool
    may take of the disk, in bytes; ``reserve`` the part of it that is kept for links from mails
    and providers."""

    name: str
    names: dict[str, str] = {}
    paper: str
    recipients: tuple[str, ...]
    collector: str
    hosts: tuple[str, ...] = ()
    languages: tuple[str, ...] = ("en",)
    accent: str = "#8c1c13"
    accent_dark: str = "#f0907f"
    privacy: Annotated[int, msgspec.Meta(ge=1)] = 1
    privacy_page: str = ""
    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 8002
    https: bool = True
    cap: Annotated[int, msgspec.Meta(ge=MEBIBYTE)] = 1024 * MEBIBYTE
    reserve: Annotated[int, msgspec.Meta(ge=0)] = 128 * MEBIBYTE
    trusted_proxies: tuple[str, ...] = ()
    webhooks: tuple[Provider, ...] = ()
    newsletters: tuple[Newsletter, ...] = ()
    limits: Limits = Limits()
    giving: GivingSettings = GivingSettings()

    def name_in(self, language: str) -> str:
        """What the newsroom calls itself in a language, else in English, else ``name``."""
        return self.names.get(language) or self.names.get(FALLBACK) or self.name


class DropFolder:
    """A drop's folder. Attributes are paths inside it; ``settings`` is the file, typed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.settings_file = self.folder / "drop.toml"
        self.spool = self.folder / "spool"
        self.settings = self._read()

    def _read(self) -> Settings:
        try:
            settings = msgspec.toml.decode(self.settings_file.read_bytes(), type=Settings)
        except FileNotFoundError:
            raise DropSettingsError(
                f"{self.folder} is not a drop: it has no drop.toml. "
                f"Make one with: tamizdat drop init {self.folder} --dir NEWSROOM"
            ) from None
        except OSError as error:
            raise DropSettingsError(f"cannot read {self.settings_file}: {error}") from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise DropSettingsError(f"{self.settings_file}: {error}") from error
        for problem in problems(settings):
            raise DropSettingsError(f"{self.settings_file}: {problem}")
        return settings

    def key_of(self, till: TillSettings) -> str:
        """A till's key. Raises ``DropSettingsError``."""
        path = self.folder / till.key
        try:
            found = path.read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            found = ""
        if not found:
            raise DropSettingsError(
                f"the till's key {path} is missing or unreadable. Take it over with: "
                f"tamizdat drop init {self.folder} --dir NEWSROOM"
            )
        return found


def recipients(settings: Settings) -> list[pyrage.x25519.Recipient]:
    """What is sealed to. They were checked when the settings were read."""
    return [pyrage.x25519.Recipient.from_str(text) for text in settings.recipients]


def problems(settings: Settings) -> Iterator[str]:
    """What is wrong with the settings, in words."""
    yield from _of_keys(settings)
    yield from _of_words(settings)
    for text in settings.trusted_proxies:
        try:
            ipaddress.ip_network(text)
        except ValueError:
            yield f"trusted_proxies: “{text}” is no address or network"
    if settings.reserve * 2 > settings.cap:
        yield "reserve must be half of cap at most"
    for provider in settings.webhooks:
        if not SLUG.match(provider.name):
            yield f"webhooks: a name has a-z, 0-9 and - only, not “{provider.name}”"
        if len(provider.headers) > 20 or not all(map(_HEADER.fullmatch, provider.headers)):
            yield f"webhooks: {provider.name}: headers are 20 names in lower case at most"
    yield from _of_giving(settings.giving)


def _of_keys(settings: Settings) -> Iterator[str]:
    if not settings.recipients:
        yield "recipients must name at least one: without it nothing can be sealed"
    for text in settings.recipients:
        try:
            pyrage.x25519.Recipient.from_str(text)
        except pyrage.RecipientError:
            yield f"recipients: “{text}” is no age recipient (age1…)"
    if not _HEX.fullmatch(settings.collector):
        yield "collector must be the desk's public key: 64 hex digits"


def _of_words(settings: Settings) -> Iterator[str]:
    if not settings.languages or not all(map(LANGUAGE.match, settings.languages)):
        yield "languages must name at least one, such as “en”"
    for code in settings.names:
        if not LANGUAGE.match(code):
            yield f"names: “{code}” is no language such as “en”"
    for colour in (settings.accent, settings.accent_dark):
        if not _COLOUR.fullmatch(colour):
            yield f"“{colour}” is no colour such as #8c1c13"
    for name in settings.hosts:
        if not _HOST.fullmatch(name):
            yield f"hosts: “{name}” is no host name in lower case (without port)"
    for address in (settings.paper, settings.privacy_page):
        if address and not address.startswith(("https://", "http://")):
            yield f"“{address}” must begin with https:// (or http://)"
    for letter in settings.newsletters:
        if not SLUG.match(letter.slug):
            yield f"newsletters: a slug has a-z, 0-9 and - only, not “{letter.slug}”"


def _of_giving(giving: GivingSettings) -> Iterator[str]:
    try:
        yield from (f"giving.offers: {wrong}" for wrong in choice.problems(giving.offers))
    except AmountError as error:
        yield f"giving.offers: {error}"
    for till in giving.tills:
        if till.kind not in registry.KINDS:
            yield f"giving.tills: nobody here knows the provider “{till.kind}”"
        if not _FILE.fullmatch(till.key):
            yield f"giving.tills: {till.kind}: key is the name of a file in this folder"
    for entry in giving.entries:
        if not entry.startswith(("https://", "http://")) or entry.endswith("/"):
            yield f"giving.entries: “{entry}” must begin with https:// and end without /"
