# SPDX-License-Identifier: AGPL-3.0-or-later
"""The newsroom's folder and its one settings file, ``tamizdat.toml``.

What always holds: every setting is typed, unknown ones are refused by name, no secret has a
default and none lies in the settings file (``secrets/`` holds them, mode 0700). Reading is pure:
nothing is created here but by ``secret`` with ``create=True``.
"""

from __future__ import annotations

import os
import re
import secrets as _secrets
import zoneinfo
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from tamizdat.giving import choice, money
from tamizdat.giving.errors import AmountError

_MIRROR_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_MIRROR_URL = re.compile(r"https?://[^/\s?#]+/(?:[^\s?#]*/)?")
_DROP_URL = re.compile(
    r"https://[^/\s?#@]+/?|http://(?:[^/\s?#@]+\.onion|localhost|127\.0\.0\.1|\[::1\])(?::\d+)?/?"
)

_MAILBOX = re.compile(r"[^\s<>@]+@[^\s<>@]+")
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+", re.IGNORECASE)


class ConfigError(Exception):
    """The settings or the folder cannot be used; the message says what to do."""


class DeskSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """``[desk]``: where staff work. ``hosts`` are the names the desk answers to;
    ``second_factor`` says whether a password alone may open it, ``passkeys_only`` that nothing
    but a passkey does."""

    host: str = "127.0.0.1"
    port: int = 8000
    hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "[::1]")
    https: bool = False
    debug: bool = False
    four_eyes: bool = True
    second_factor: Literal["required", "optional"] = "required"
    passkeys_only: bool = False


class PaperSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """``[paper]``: what is built. ``tree`` keeps a copy as plain files; ``workers`` is the number
    of processes of a full build; ``brotli`` compresses every page when it is built; ``entries``
    are addresses that serve the reader, beside the paper's own; ``cohort`` are the readers of
    this machine's entry (``[[mirrors]]``)."""

    host: str = "127.0.0.1"
    port: int = 8001
    tree: bool = True
    brotli: bool = False
    workers: int = 2
    entries: tuple[str, ...] = ()
    cohort: str = ""


class VaultSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """``[vault]``: readers' data. ``identity`` is where the desk's own age identity lies, which
    opens the key file: relative to the folder, or a whole path on another medium. A withdrawn
    address and its consents are kept for ``keep_withdrawn`` days, to prove what was agreed to."""

    identity: str = "secrets/vault-identity"
    keep_withdrawn: int = 1095


class MirrorSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One of ``[[mirrors]]``: a copy that readers may fetch from. ``url`` is the base under which
    ``metadata/`` lies; ``cohort`` the readers that are told of it, empty for all of them.

    ``kind`` says how it gets there: pulled by its owner, or pushed to ``target``: a folder,
    ``s3://bucket/prefix`` or ``user@host:folder``. ``credentials`` names a file in ``secrets/``."""

    name: str = ""
    kind: Literal["pulled", "folder", "s3", "rsync"] = "pulled"
    target: str = ""
    url: str = ""
    cohort: str = ""
    credentials: str = ""
    endpoint: str = ""
    region: str = "auto"
    port: int = 22
    host_key: str = ""
    tree: bool = False


class CohortSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One of ``[[cohorts]]``: readers whose mails lead to ``entries`` that nobody else is told.
    ``drawn``: subscribers of no cohort fall to it by lot; else only those who are put there."""

    name: str
    entries: tuple[str, ...] = ()
    drawn: bool = True


class DropSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One of ``[[drops]]``: a letterbox that the desk collects from. ``url`` is where it answers
    readers (https, or http for an onion service and this machine); ``folder`` its folder, where
    that lies on this machine: then the desk collects from there. ``name`` is what staff see."""

    name: str = ""
    url: str = ""
    folder: str = ""


class LettersSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """``[letters]``: messages of readers that were put away are deleted after ``keep_days``;
    those that were deleted by hand can be brought back for ``undo_hours``."""

    keep_days: Annotated[int, msgspec.Meta(ge=1, le=3650)] = 90
    undo_hours: Annotated[int, msgspec.Meta(ge=0, le=168)] = 24


class RelaySettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One of ``[[relays]]``: a server that takes our mail. ``kind``: a mail server (``smtp``), a
    provider's API through django-anymail (``anymail``; ``backend`` names its class, options lie in
    the ``credentials`` file as JSON), or a folder of this machine (``outbox``, demo only).

    ``credentials`` names a file in ``secrets/`` (``user`` on its first line, ``password`` on the
    second). ``weight`` is its share of the mail; ``per_second``, ``per_minute`` and ``per_hour``
    limit what it takes in any such span, 0 is no limit."""

    name: str = ""
    kind: Literal["smtp", "anymail", "outbox"] = "smtp"
    host: str = ""
    port: int = 0
    security: Literal["none", "starttls", "tls"] = "starttls"
    credentials: str = ""
    backend: str = ""
    weight: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1
    connections: Annotated[int, msgspec.Meta(ge=1, le=100)] = 2
    per_second: Annotated[int, msgspec.Meta(ge=0)] = 0
    per_minute: Annotated[int, msgspec.Meta(ge=0)] = 0
    per_hour: Annotated[int, msgspec.Meta(ge=0)] = 0
    log: str = ""


class DomainLimit(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One of ``[[mail.domains]]``: how much a receiving domain takes from us."""

    domain: str
    per_minute: Annotated[int, msgspec.Meta(ge=0)] = 0
    per_hour: Annotated[int, msgspec.Meta(ge=0)] = 0


class DkimSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One of ``[[mail.dkim]]``: ``key`` names a file in ``secrets/`` (PEM, RSA or Ed25519)."""

    domain: str
    selector: str
    key: str


class MailSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """``[mail]``: what the newsroom sends. ``sender`` is who single mails come from; ``bounces`` a
    domain of ours whose mail comes back to ``reports``: a Maildir of this machine. ``unknown`` is
    what becomes of mails in doubt after a crash; ``lmtp_port`` where reports may be handed in.
    A reader whose mail came back on ``soft_bounces`` days within ``soft_days`` is not written to
    any more."""

    sender: str = ""
    sender_name: str = ""
    bounces: str = ""
    reports: str = ""
    lmtp_port: int = 0
    soft_bounces: Annotated[int, msgspec.Meta(ge=1, le=100)] = 3
    soft_days: Annotated[int, msgspec.Meta(ge=1, le=365)] = 30
    unknown: Literal["hold", "resend"] = "hold"
    dkim: tuple[DkimSettings, ...] = ()
    domains: tuple[DomainLimit, ...] = ()


class OfferSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One of ``[[giving.offers]]``: what readers can give, in one currency and kind. Amounts are
    written as people write them (``"5"``, ``"7.50"``); one to three stand on cards, one's own lies
    between ``least`` and ``most``."""

    kind: Literal["once", "monthly", "annual"]
    currency: str
    amounts: tuple[str, ...]
    least: str
    most: str
    recommended: str = ""


class ProviderSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One of ``[[giving.providers]]``, asked in this order. ``till``, ``credentials`` and
    ``webhook`` name files in ``secrets/``: the key that can only open checkouts (a copy goes to the
    letterboxes), the desk's own key, and what webhooks are signed with. ``url`` is where its API
    is, for those that have no place of their own; ``account`` what it calls ours; ``methods`` the
    ways to pay that the page shows; ``silence_hours``: so long without any event, and the desk is
    told."""

    kind: Literal["stripe", "sandbox", "btcpay"]
    till: str = ""
    credentials: str = ""
    webhook: str = ""
    url: str = ""
    account: str = ""
    methods: tuple[str, ...] = ("card",)
    currencies: tuple[str, ...] = ()
    silence_hours: Annotated[int, msgspec.Meta(ge=1, le=8760)] = 48


class GivingSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """``[giving]``: how readers pay for the paper. Without providers nothing is asked.
    ``refused_countries`` (ISO 3166, two letters) are those whose cards are refused, as giving is a
    crime there; ``ask_again_days``: who gave or closed a message is not asked for so long."""

    providers: tuple[ProviderSettings, ...] = ()
    offers: tuple[OfferSettings, ...] = ()
    refused_countries: tuple[str, ...] = ()
    ask_again_days: Annotated[int, msgspec.Meta(ge=1, le=3650)] = 90


class Settings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The whole file. ``address`` is the paper's canonical base; the first language is the
    default one; ``database`` is ``sqlite`` or ``postgresql://user@host/name``."""

    name: str
    address: str
    languages: tuple[str, ...] = ("en",)
    timezone: str = "UTC"
    database: str = "sqlite"
    demo: bool = False
    desk: DeskSettings = DeskSettings()
    paper: PaperSettings = PaperSettings()
    vault: VaultSettings = VaultSettings()
    mirrors: tuple[MirrorSettings, ...] = ()
    cohorts: tuple[CohortSettings, ...] = ()
    drops: tuple[DropSettings, ...] = ()
    letters: LettersSettings = LettersSettings()
    mail: MailSettings = MailSettings()
    relays: tuple[RelaySettings, ...] = ()
    giving: GivingSettings = GivingSettings()

    @property
    def announced(self) -> tuple[MirrorSettings, ...]:
        """The mirrors that readers are told of."""
        return tuple(mirror for mirror in self.mirrors if mirror.url)

    @property
    def drawn(self) -> tuple[str, ...]:
        """The cohorts to which subscribers fall by lot: those that have entries to tell of."""
        return tuple(one.name for one in self.cohorts if one.drawn and one.entries)

    @property
    def letterboxes(self) -> tuple[str, ...]:
        """Addresses of the drops to which readers' forms go, without a final slash."""
        return tuple(drop.url.rstrip("/") for drop in self.drops if drop.url)


def mirror_problems(mirrors: tuple[MirrorSettings, ...]) -> Iterator[str]:
    """What is wrong with the tables of mirrors, in words."""
    names = [mirror.name for mirror in mirrors if mirror.name]
    for mirror in mirrors:
        called = f"the mirror “{mirror.name or mirror.url}”"
        if mirror.kind != "pulled" and not (mirror.name and mirror.target):
            yield f"{called} needs a name and a target to be pushed to"
        if mirror.name and not _MIRROR_NAME.fullmatch(mirror.name):
            yield f"{called} must be named in a-z, 0-9 and -, with 40 characters at most"
        if names.count(mirror.name) > 1:
            yield f"two mirrors are named “{mirror.name}”"
        if mirror.url and not _MIRROR_URL.fullmatch(mirror.url):
            yield f"{called}: url must begin with https:// (or http://) and end with /"
        if mirror.kind == "pulled" and not mirror.url:
            yield f"{called} needs a url, or a kind and a target"
        if "/" in mirror.credentials or mirror.credentials.startswith("."):
            yield f"{called}: credentials is the name of a file in secrets/"
        if mirror.tree and mirror.kind not in ("folder", "rsync"):
            yield f"{called}: plain files (tree) can be pushed to a folder or by rsync only"


def cohort_problems(settings: Settings) -> Iterator[str]:
    """What is wrong with the tables of cohorts, in words."""
    names = [cohort.name for cohort in settings.cohorts]
    for cohort in settings.cohorts:
        called = f"the cohort “{cohort.name}”"
        if not _MIRROR_NAME.fullmatch(cohort.name):
            yield f"{called} must be named in a-z, 0-9 and -, with 40 characters at most"
        if names.count(cohort.name) > 1:
            yield f"two cohorts are named “{cohort.name}”"
        for entry in cohort.entries:
            if not _MIRROR_URL.fullmatch(entry):
                yield f"{called}: an entry must begin with https:// (or http://) and end with /"
            if entry in settings.paper.entries:
                yield f"{called}: {entry} stands in [paper] entries, where all are told of it"


def drop_problems(drops: tuple[DropSettings, ...]) -> Iterator[str]:
    """What is wrong with the tables of drops, in words."""
    names = [drop.name for drop in drops]
    for drop in drops:
        called = f"the drop “{drop.name or drop.url or drop.folder}”"
        if not _MIRROR_NAME.fullmatch(drop.name):
            yield f"{called} must be named in a-z, 0-9 and -, with 40 characters at most"
        if names.count(drop.name) > 1:
            yield f"two drops are named “{drop.name}”"
        if not (drop.url or drop.folder):
            yield f"{called} needs a url, a folder or both"
        if drop.url and not _DROP_URL.fullmatch(drop.url):
            yield (
                f"{called}: url must begin with https:// and name a host alone "
                "(http:// only for an onion service or this machine)"
            )
        if drop.folder and not Path(drop.folder).is_absolute():
            yield f"{called}: folder must be a whole path, from / on"


def mail_problems(settings: Settings) -> Iterator[str]:
    """What is wrong with the tables of mail and relays, in words."""
    mail, names = settings.mail, [relay.name for relay in settings.relays]
    if mail.sender and not _MAILBOX.fullmatch(mail.sender):
        yield "[mail] sender is a mail address, without a name"
    if mail.bounces and not _DOMAIN.fullmatch(mail.bounces):
        yield "[mail] bounces is a domain, as bounces.paper.example"
    for key in mail.dkim:
        if "/" in key.key or key.key.startswith("."):
            yield f"the DKIM key of {key.domain}: key is the name of a file in secrets/"
    for relay in settings.relays:
        called = f"the relay “{relay.name or relay.host}”"
        if not _MIRROR_NAME.fullmatch(relay.name):
            yield f"{called} must be named in a-z, 0-9 and -, with 40 characters at most"
        if names.count(relay.name) > 1:
            yield f"two relays are named “{relay.name}”"
        if relay.kind == "smtp" and not relay.host:
            yield f"{called} needs a host"
        if relay.kind == "anymail" and not relay.backend:
            yield f"{called} needs a backend of django-anymail"
        if "/" in relay.credentials or relay.credentials.startswith("."):
            yield f"{called}: credentials is the name of a file in secrets/"


def offers_of(giving: GivingSettings) -> tuple[choice.Offer, ...]:
    """What readers can give, in smallest units. Raises ``AmountError``."""
    return tuple(
        choice.Offer(
            kind=one.kind,
            currency=one.currency,
            amounts=tuple(money.typed(text, one.currency).amount for text in one.amounts),
            least=money.typed(one.least, one.currency).amount,
            most=money.typed(one.most, one.currency).amount,
            recommended=money.typed(one.recommended, one.currency).amount if one.recommended else 0,
        )
        for one in giving.offers
    )


def giving_problems(settings: Settings) -> Iterator[str]:
    """What is wrong with the tables of giving, in words."""
    giving, kinds = settings.giving, [one.kind for one in settings.giving.providers]
    try:
        yield from (f"[[giving.offers]]: {wrong}" for wrong in choice.problems(offers_of(giving)))
    except AmountError as error:
        yield f"[[giving.offers]]: {error}"
    for provider in giving.providers:
        called = f"the provider “{provider.kind}”"
        if kinds.count(provider.kind) > 1:
            yield f"{called} stands there twice"
        if provider.kind == "sandbox" and not settings.demo:
            yield f"{called} moves no money and is for the demo alone: take its table out"
        for name in (provider.till, provider.credentials, provider.webhook):
            if "/" in name or name.startswith("."):
                yield f"{called}: “{name}” is to be the name of a file in secrets/"
        if provider.kind != "stripe" and not provider.url:
            yield f"{called} needs a url"
    for country in giving.refused_countries:
        if not re.fullmatch(r"[A-Z]{2}", country):
            yield f"[giving] refused_countries: “{country}” is no country such as RU"


class Newsroom:
    """A newsroom's folder. Attributes are paths inside it; ``settings`` is the file, typed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.settings_file = self.folder / "tamizdat.toml"
        self.secrets = self.folder / "secrets"
        self.database = self.folder / "desk.sqlite3"
        self.media = self.folder / "media"
        self.edition = self.folder / "edition"
        self.run = self.folder / "run"
        self.settings = self._read()

    @classmethod
    def current(cls) -> Newsroom:
        """The newsroom named by ``TAMIZDAT_DIR``, else the present folder."""
        return cls(Path(os.environ.get("TAMIZDAT_DIR", ".")))

    def _read(self) -> Settings:
        try:
            raw = self.settings_file.read_bytes()
        except FileNotFoundError:
            raise ConfigError(
                f"{self.folder} is not a newsroom: it has no tamizdat.toml. "
                f"Start one with: tamizdat init {self.folder}"
            ) from None
        except OSError as error:
            raise ConfigError(f"cannot read {self.settings_file}: {error.strerror}") from error
        try:
            settings = msgspec.toml.decode(raw, type=Settings)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{self.settings_file}: {error}") from error
        if settings.timezone not in zoneinfo.available_timezones():
            raise ConfigError(f"{self.settings_file}: no time zone “{settings.timezone}”")
        if not settings.languages:
            raise ConfigError(f"{self.settings_file}: languages must name at least one")
        for problem in (
            *mirror_problems(settings.mirrors),
            *cohort_problems(settings),
            *drop_problems(settings.drops),
            *mail_problems(settings),
            *giving_problems(settings),
        ):
            raise ConfigError(f"{self.settings_file}: {problem}")
        return settings

    def secret(self, name: str, *, create: bool = False) -> str:
        """Read ``secrets/NAME``. Raises ``ConfigError`` where it is missing and not created."""
        path = self.secrets / name
        if create and not path.exists():
            self.secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(_secrets.token_urlsafe(48))
        try:
            value = path.read_text().strip()
        except OSError as error:
            raise ConfigError(
                f"the secret {path} is missing or unreadable ({error.strerror}). "
                f"Restore it from a backup, or run: tamizdat init {self.folder}"
            ) from error
        if len(value) < 32:
            raise ConfigError(f"the secret {path} is too short to be one")
        return value
