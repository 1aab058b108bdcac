# SPDX-License-Identifier: AGPL-3.0-or-later
"""Providers by name. A provider's module is imported when it is asked for, and not before."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final, Literal
from urllib.parse import quote, urlsplit

import msgspec

from tamizdat.giving.port import Provider, Till

KINDS = ("stripe", "sandbox", "btcpay")
# The header fields of a webhook that the desk needs to check who sent it.
SIGNED_BY: Final = {
    "stripe": ("stripe-signature",),
    "btcpay": ("btcpay-sig",),
    "sandbox": ("sandbox-signature",),
}
# What a provider takes, where it is not every kind of gift.
_ONLY: Final = {"btcpay": ("once",)}
_CHECKOUTS: Final = {"stripe": ("https://checkout.stripe.com",)}
# The provider's own pages about a payment, or about what is given again and again.
_OWN: Final = {
    ("stripe", "payment"): "https://dashboard.stripe.com/payments/{ref}",
    ("stripe", "agreement"): "https://dashboard.stripe.com/customers/{ref}",
    ("btcpay", "payment"): "{url}/invoices/{ref}",
}


class TillSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a till needs to know. ``key`` is the secret itself, which can only open checkouts.
    ``refused_countries`` (ISO 3166) are refused where the provider can look before it takes."""

    kind: str
    key: str
    url: str = ""
    account: str = ""
    refused_countries: tuple[str, ...] = ()


class DeskSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the desk's half needs to know: its ``key``, and the secrets that webhooks may be signed
    with, newest first. ``refused_countries``: ``check`` says whether cards from there were taken
    all the same, where the provider tells."""

    kind: str
    key: str
    webhook: tuple[str, ...] = ()
    url: str = ""
    account: str = ""
    refused_countries: tuple[str, ...] = ()


def make_till(settings: TillSettings) -> Till:
    """Raises ``ProviderError`` where the settings cannot be used."""
    made: Till = _module(settings.kind, "till").make_till(settings)
    return made


def make_provider(settings: DeskSettings) -> Provider:
    """Raises ``ProviderError`` where the settings cannot be used."""
    made: Provider = _module(settings.kind, "provider").make_provider(settings)
    return made


def _module(kind: str, half: str) -> Any:
    if kind not in KINDS:
        raise ValueError(f"there is no provider “{kind}”")
    return import_module(f"tamizdat.giving.{kind}.{half}")


def takes(kind: str, what: str) -> bool:
    """Whether a provider takes gifts of this kind (``once``, ``monthly``, ``annual``)."""
    return what in _ONLY.get(kind, (what,))


def own_page(kind: str, what: Literal["payment", "agreement"], ref: str, *, url: str = "") -> str:
    """Where somebody of the newsroom looks at it, signed in with the provider; empty where it has
    no such page. ``url`` is that of the settings."""
    page = _OWN.get((kind, what), "")
    if not page or (not url and "{url}" in page):
        return ""
    return page.format(ref=quote(ref, safe=""), url=url.rstrip("/"))


def checkouts(kind: str, url: str = "") -> tuple[str, ...]:
    """The origins of a provider's own pages, to which a form of ours may lead: what a page's
    policy has to allow. ``url`` is that of the settings."""
    if kind in _CHECKOUTS:
        return _CHECKOUTS[kind]
    parts = urlsplit(url)
    return (f"{parts.scheme}://{parts.netloc}",) if parts.netloc else ()
