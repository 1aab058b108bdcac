# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where readers give, what thanks them, and the messages that ask.

What always holds: the support page works from any copy and without script (an ordinary form to the
first letterbox); the warning stands before anything is asked; a message is a fragment of its own,
so that changing one changes no page. Amounts never pass through a float.

What is not done here: opening a checkout (``drop``), choosing whom to ask (``theme/asks.js``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from babel.numbers import format_percent, get_currency_name
from markupsafe import Markup, escape

from tamizdat.edition import body
from tamizdat.edition.paths import page_path, support_path, thanks_path, url
from tamizdat.edition.render.furniture import SUPPORT_PAGE, Tongue
from tamizdat.edition.render.letters import elsewhere, form_words
from tamizdat.edition.render.templates import environment, trusted
from tamizdat.edition.site import AskFragment, AskPlace, AskVariant
from tamizdat.giving.choice import KINDS, Kind, Offer
from tamizdat.giving.form import card_value
from tamizdat.giving.money import Money, plain, shown
from tamizdat.theme.words import giving_words as words

_SUPPORT = environment.get_template("support.html")
_THANKS = environment.get_template("thanks.html")
_ASKS = environment.get_template("asks.html")
_FIRST: tuple[Kind, ...] = ("monthly", "once", "annual")  # As the message offers them.
_OWN = ("done", "done_text", "again", "address")


class Card(NamedTuple):
    """One amount: as the form sends it, as readers see it."""

    value: str
    amount: str
    recommended: bool
    checked: bool


def support(tongue: Tongue) -> bytes:
    """The page on which readers give, and may ask to be reminded."""
    said, site = words(tongue.code)["support"], tongue.site
    heading = said["title"].format(paper=tongue.language.name)
    own = {name: said[name] for name in _OWN}
    privacy = tongue.privacy
    return _SUPPORT.render(
        **_head(tongue, heading, said["lead"], support_path),
        f=tongue.furniture("support", quiet=True),
        said=said,
        heading=heading,
        letters=site.letters,
        language=tongue.code,
        address=site.address,
        kinds=list(_kinds(site.giving.offers, tongue.code)),
        chosen=_chosen(site.giving.offers),
        currencies=_currencies(site.giving.offers, tongue),
        ways=[(way.via, _methods(way.methods, tongue)) for way in site.giving.ways],
        pays_for=_pays_for(tongue, said["for_text"]),
        words={**form_words(tongue.code, **own), "button": said["remind_button"]},
        privacy=privacy.version if privacy else 1,
        agree=_agree(tongue, said),
        elsewhere=elsewhere(tongue, said, "give"),
    ).encode()


def thanks(tongue: Tongue) -> bytes:
    """The page to which the provider leads back."""
    said = words(tongue.code)["thanks"]
    head = _head(tongue, said["title"], "", thanks_path)
    return _THANKS.render(
        **{**head, "canonical": ""},  # Nobody is to find it by searching.
        f=tongue.furniture("page", quiet=True),
        said=said,
        language=tongue.code,
        again=tongue.site.giving.ask_again_days,
        front=tongue.front,
    ).encode()


def _head(tongue: Tongue, title: str, description: str, path: Any) -> dict[str, Any]:
    site = tongue.site
    return {
        "title": f"{title} · {tongue.language.name}",
        "description": description,
        "canonical": site.address + url(path(tongue.code)),
        "alternates": (),
        "feeds": (),
        "linked_data": "",
        "languages": tongue.language_links({one.code: path(one.code) for one in site.languages}),
    }


def _chosen(offers: Sequence[Offer]) -> Kind:
    """What is chosen already: to give every month, where that is offered."""
    kinds = [offer.kind for offer in offers]
    return "monthly" if "monthly" in kinds else kinds[0]


def _kinds(
    offers: Sequence[Offer], language: str
) -> Iterator[tuple[Kind, list[tuple[str, list[Card], str]]]]:
    """Each kind with its currencies: their cards, and between which amounts one's own may lie."""
    for kind in KINDS:
        found = [
            (offer.currency, _cards(offer, language), _bounds(offer, language))
            for offer in offers
            if offer.kind == kind
        ]
        if found:
            yield kind, found


def _cards(offer: Offer, language: str) -> list[Card]:
    checked = offer.recommended or offer.amounts[0]
    return [
        Card(
            value=card_value(Money(amount, offer.currency)),
            amount=shown(Money(amount, offer.currency), language),
            recommended=amount == offer.recommended,
            checked=amount == checked,
        )
        for amount in offer.amounts
    ]


def _bounds(offer: Offer, language: str) -> str:
    least, most = (Money(one, offer.currency) for one in (offer.least, offer.most))
    said = words(language)["support"]["bounds"]
    return said.format(least=shown(least, language), most=shown(most, language))


def _currencies(offers: Sequence[Offer], tongue: Tongue) -> list[tuple[str, str]]:
    codes = dict.fromkeys(offer.currency for offer in offers)
    return [(code, get_currency_name(code, locale=tongue.words.locale)) for code in codes]


def _methods(methods: Sequence[str], tongue: Tongue) -> str:
    said = words(tongue.code)["methods"]
    return tongue.words.join([said.get(method, method) for method in methods])


def _pays_for(tongue: Tongue, otherwise: str) -> Markup:
    """What the newsroom's own page of this name says, else the theme."""
    page = tongue.pages.get(SUPPORT_PAGE)
    html = body.clean(page.html) if page else ""
    return trusted(html) if html else Markup("<p>{}</p>").format(otherwise)


def _agree(tongue: Tongue, said: Mapping[str, str]) -> Markup:
    """What asking to be reminded means, with a link to that version of the privacy policy."""
    page = tongue.privacy
    name = said["policy"].format(n=page.version if page else 1)
    policy = escape(name)
    if page:
        path = page_path(tongue.code, page.slug, page.version)
        policy = Markup('<a href="{}">{}</a>').format(path, name)
    return trusted(escape(said["agree"]).replace("{policy}", policy))  # Escaped.


# Messages


def ask(tongue: Tongue, place: AskPlace) -> bytes:
    """All that asks in a place, of which the browser shows one; empty where nothing does."""
    asks = [one for one in tongue.language.asks if one.place == place]
    if not asks or not tongue.site.gives:
        return b""
    said = words(tongue.code)
    return _ASKS.render(
        said=said["ask"],
        support=said["support"]["link"],
        again=tongue.site.giving.ask_again_days,
        asks=[_ask(one, tongue) for one in asks],
    ).encode()


def _ask(one: AskFragment, tongue: Tongue) -> dict[str, Any]:
    facts: dict[str, Any] = {name: getattr(one, name) for name in one.__struct_fields__}
    percent = min(100, one.reached * 100 // one.goal) if one.goal else 0
    return {
        **facts,
        "percent": percent,
        "meter": _meter(one, percent, tongue) if one.goal else "",
        "drawn": [_drawn(one, variant, tongue) for variant in one.variants],
    }


def _meter(one: AskFragment, percent: int, tongue: Tongue) -> str:
    return words(tongue.code)["ask"]["goal"].format(
        percent=format_percent(percent / 100, locale=tongue.words.locale),
        goal=shown(Money(one.goal, one.currency), tongue.code),
    )


def _drawn(
    one: AskFragment, variant: AskVariant, tongue: Tongue
) -> tuple[dict[str, Any], str, list[tuple[str, list[tuple[str, str]]]]]:
    """A variant, the page that it leads to, and the amounts that lead there chosen."""
    facts = {
        "slug": variant.slug,
        "weight": variant.weight,
        "title": variant.title,
        "button": variant.button,
        "text": trusted(body.clean(variant.html)),  # Cleaned.
    }
    if one.place == "thanks":
        return facts, "", []
    asked = {"message": one.slug, "variant": variant.slug}
    offers = variant.offers or tongue.site.giving.offers
    page = f"{support_path(tongue.code)}#{urlencode(asked)}"
    return facts, page, list(_amounts(offers, asked, tongue))


def _amounts(
    offers: Sequence[Offer], asked: Mapping[str, str], tongue: Tongue
) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Of each kind the cards in its first currency: where they lead, and what they say."""
    per = words(tongue.code)["ask"]
    for kind in _FIRST:
        offer = next((one for one in offers if one.kind == kind), None)
        if offer is not None:
            yield per[kind], [_amount(offer, one, asked, tongue.code) for one in offer.amounts]


def _amount(offer: Offer, amount: int, asked: Mapping[str, str], language: str) -> tuple[str, str]:
    money = Money(amount, offer.currency)
    chosen = {"kind": offer.kind, "amount": plain(money), "currency": offer.currency, **asked}
    return f"{support_path(language)}#{urlencode(chosen)}", shown(money, language)
