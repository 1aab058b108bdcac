# SPDX-License-Identifier: AGPL-3.0-or-later
"""The site's configuration: all that an edition knows besides stories.

What always holds: a ``Site`` is plain data, encodes to deterministic JSON, and is checked once,
when it is made (``Site.check``). ``furniture`` is the part that every page shows; changing it
rebuilds the whole paper, changing anything else does not.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from tamizdat.edition.errors import SiteError
from tamizdat.giving.choice import Offer

SLUG = re.compile(r"[\w][\w-]{0,99}\Z")
# Where readers write to the desk. A page or section that had this address before is refused only
# once the paper has letterboxes.
WRITE_SLUG = "write"
# Where newsletters and their issues are. Refused to a page or section that had it before only once
# its language has a newsletter.
NEWSLETTER_SLUG = "newsletter"
# Where readers give. A section that had it before is refused only once they can; what a page of the
# newsroom's own says there is then shown on it.
SUPPORT_SLUG = "support"
_KEPT = frozenset((WRITE_SLUG, NEWSLETTER_SLUG))
RESERVED_SLUGS = (
    frozenset(
        "topics|places|people|series|page|feed|latest|fragments|assets|media|sitemaps".split("|")  # noqa: SIM905
    )
    | _KEPT
)
_NEWSLETTER = re.compile(r"[a-z0-9][a-z0-9-]{0,59}\Z")
_ASK = re.compile(r"[a-z0-9][a-z0-9-]{0,59}\Z")
_DROP = re.compile(r"https?://[^/\s?#@;,'\"]+\Z")
_RECIPIENT = re.compile(r"age1[02-9ac-hj-np-z]{58}\Z")
RTL_LANGUAGES = frozenset(
    ["ar", "arc", "ckb", "dv", "fa", "ha", "he", "ks", "ps", "sd", "ug", "ur", "yi"]
)

AskPlace = Literal["ribbon", "message", "thanks"]
ListingKind = Literal["site", "section", "topic", "place", "person", "series", "newsletter"]


class _Part(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Base of every part of the configuration: immutable, absent when default."""


class Section(_Part, frozen=True):
    slug: str
    title: str
    description: str = ""


class Page(_Part, frozen=True):
    """A page of the newsroom's own: about, contact, corrections policy, privacy policy.

    ``version`` counts from 1 where former versions stay readable (the privacy policy: consent
    refers to its number); 0 where only the present text counts. ``html`` is clean HTML.
    """

    slug: str
    title: str
    html: str
    version: int = 0
    updated: str = ""
    in_footer: bool = True


class Profile(_Part, frozen=True):
    """What a listing's own page says about a topic, place, person or series."""

    kind: ListingKind
    slug: str
    title: str
    description: str = ""


class Pins(_Part, frozen=True):
    """Stories that editors put at the top of a front, in their order. ``section`` is empty for
    the front page. ``stories`` are uris; those not published are passed over."""

    section: str
    stories: tuple[str, ...] = ()


class Newsletter(_Part, frozen=True):
    """What readers may sign up for. ``about`` says what it is, ``often`` how often it comes.
    ``privacy`` is the version of the privacy policy that a subscriber agrees to and ``policy`` the
    slug of the page with it, empty where the paper has none. Its issues are stories."""

    slug: str
    title: str
    about: str = ""
    often: str = ""
    privacy: int = 1
    policy: str = ""


class AskVariant(_Part, frozen=True):
    """``html`` is clean HTML (paragraphs, emphasis); ``amounts`` are the cards of a message that
    has its own, by kind and currency."""

    slug: str
    weight: int
    title: str
    html: str
    button: str = ""
    offers: tuple[Offer, ...] = ()


class AskFragment(_Part, frozen=True):
    """A message to readers as it was approved, in one language: what the fragment is made of.
    ``place`` is where it stands; ``variants`` are drawn by their ``weight`` in the browser.
    ``begins`` and ``ends`` are RFC 3339, empty for no bound; ``sections`` are slugs, empty for all;
    one reader is asked ``most`` times in ``days`` days at most. ``goal`` and ``reached`` are
    amounts in the smallest unit, 0 for no thermometer."""

    slug: str
    place: AskPlace
    variants: tuple[AskVariant, ...]
    begins: str = ""
    ends: str = ""
    sections: tuple[str, ...] = ()
    most: int = 0
    days: int = 0
    goal: int = 0
    reached: int = 0
    currency: str = ""


class Language(_Part, frozen=True):
    """One language of the paper, under ``/code/``; ``name`` is what the paper is called in it."""

    code: str
    name: str
    tagline: str = ""
    description: str = ""
    sections: tuple[Section, ...] = ()
    pages: tuple[Page, ...] = ()
    profiles: tuple[Profile, ...] = ()
    pins: tuple[Pins, ...] = ()
    newsletters: tuple[Newsletter, ...] = ()
    asks: tuple[AskFragment, ...] = ()

    @property
    def direction(self) -> Literal["ltr", "rtl"]:
        return "rtl" if self.code.split("-")[0] in RTL_LANGUAGES else "ltr"

    def section(self, slug: str) -> Section | None:
        return next((s for s in self.sections if s.slug == slug), None)

    def newsletter(self, slug: str) -> Newsletter | None:
        return next((n for n in self.newsletters if n.slug == slug), None)

    def pinned(self, section: str = "") -> tuple[str, ...]:
        return next((p.stories for p in self.pins if p.section == section), ())


class Way(_Part, frozen=True):
    """A provider (``via``, as the form calls it) and the ways to pay that it has."""

    via: str
    methods: tuple[str, ...]


class Giving(_Part, frozen=True):
    """How readers pay for the paper. ``offers`` are what can be given; ``ways`` how it can be
    paid, in the order in which they are offered; without offers the paper does not ask. The forms
    go to the letterboxes, which lead on to ``checkouts``: the origins of providers' pages, which a
    page's policy has to allow.
    """

    offers: tuple[Offer, ...] = ()
    ways: tuple[Way, ...] = ()
    checkouts: tuple[str, ...] = ()
    ask_again_days: int = 90


class Letters(_Part, frozen=True):
    """Where readers' letters go. ``drops`` are addresses of letterboxes (``https://drop.example``,
    no final slash) in the order in which they are tried; ``recipient`` is the age recipient to
    which letters are sealed. Without drops the paper has no forms."""

    drops: tuple[str, ...] = ()
    recipient: str = ""


class Site(_Part, frozen=True):
    """The whole paper. The first language is the default one.

    ``address`` is the canonical base without a final slash (``https://paper.example``);
    ``accent`` is a CSS hex colour for light pages, ``accent_dark`` for dark ones.
    """

    address: str
    languages: tuple[Language, ...]
    timezone: str = "UTC"
    accent: str = "#8c1c13"
    accent_dark: str = "#f0907f"
    organisation: str = ""
    contact: str = ""
    read_more: int = 4
    front_stories: int = 30
    letters: Letters = Letters()
    giving: Giving = Giving()

    @property
    def gives(self) -> bool:
        """Whether readers can give: something is offered, and a letterbox takes it."""
        return bool(self.letters.drops and self.giving.offers)

    def language(self, code: str) -> Language:
        """The language with this code. Raises ``SiteError`` where the paper has none such."""
        for language in self.languages:
            if language.code == code:
                return language
        have = ", ".join(lang.code for lang in self.languages)
        raise SiteError(f"the paper has no language “{code}” (it has: {have})")

    def reserves(self, language: Language, slug: str) -> bool:
        """Whether the paper itself needs the address, so that no section can have it."""
        if slug == WRITE_SLUG:
            return bool(self.letters.drops)
        if slug == NEWSLETTER_SLUG:
            return bool(language.newsletters)
        if slug == SUPPORT_SLUG:
            return self.gives
        return slug in RESERVED_SLUGS

    def check(self) -> Site:
        """Return the same site, or raise ``SiteError`` that says what contradicts itself."""
        if not re.match(r"https?://[^/\s]+\Z", self.address):
            raise SiteError(f"address “{self.address}” must be like https://paper.example")
        if not self.languages:
            raise SiteError("a paper needs at least one language")
        codes = [language.code for language in self.languages]
        if len(set(codes)) != len(codes):
            raise SiteError("a language is listed twice")
        for language in self.languages:
            _check_language(language)
        _check_letters(self)
        _check_giving(self)
        for colour in (self.accent, self.accent_dark):
            if not re.match(r"#[0-9a-fA-F]{6}\Z", colour):
                raise SiteError(f"colour “{colour}” must be like #8c1c13")
        return self


def _check_language(language: Language) -> None:
    if not re.match(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z", language.code):
        raise SiteError(f"language “{language.code}” is not a BCP 47 tag such as en or pt-BR")
    slugs = [s.slug for s in language.sections]
    slugs += list({p.slug for p in language.pages})
    for slug in slugs:
        if not SLUG.match(slug) or slug in RESERVED_SLUGS - _KEPT or slug.isdigit():
            raise SiteError(f"“{slug}” cannot be the address of a section or page")
        if slugs.count(slug) > 1:
            raise SiteError(f"two sections or pages of “{language.code}” share the address {slug}")
    _check_newsletters(language, slugs)


def _check_newsletters(language: Language, taken: list[str]) -> None:
    if language.newsletters and NEWSLETTER_SLUG in taken:
        raise SiteError(
            f"a section or page of “{language.code}” has the address “{NEWSLETTER_SLUG}”, where "
            "readers sign up for newsletters: give it another one"
        )
    slugs = [newsletter.slug for newsletter in language.newsletters]
    pages = {(page.slug, page.version) for page in language.pages}
    for one in language.newsletters:
        if not _NEWSLETTER.match(one.slug) or one.slug.isdigit():
            raise SiteError(f"“{one.slug}” cannot be the address of a newsletter")
        if slugs.count(one.slug) > 1:
            raise SiteError(f"two newsletters of “{language.code}” share the address {one.slug}")
        if not one.title or one.privacy < 1:
            raise SiteError(f"the newsletter “{one.slug}” has no title or no privacy policy")
        if one.policy and (one.policy, one.privacy) not in pages:
            raise SiteError(
                f"the newsletter “{one.slug}” names version {one.privacy} of the page "
                f"“{one.policy}”, which “{language.code}” does not have"
            )


def _check_giving(site: Site) -> None:
    for checkout in site.giving.checkouts:
        if not _DROP.match(checkout):
            raise SiteError(f"“{checkout}” must be like https://checkout.example")
    for language in site.languages:
        if site.gives and language.section(SUPPORT_SLUG):
            raise SiteError(
                f"a section of “{language.code}” has the address “{SUPPORT_SLUG}”, where readers "
                "give: give it another one"
            )
        for ask in language.asks:
            slugs = (ask.slug, *(variant.slug for variant in ask.variants))
            if not ask.variants or not all(map(_ASK.match, slugs)):
                raise SiteError(f"the message “{ask.slug}” has no variants, or a bad name")


def _check_letters(site: Site) -> None:
    if not site.letters.drops:
        return
    for drop in site.letters.drops:
        if not _DROP.match(drop):
            raise SiteError(f"letterbox “{drop}” must be like https://drop.example")
    if not _RECIPIENT.match(site.letters.recipient):
        raise SiteError(f"“{site.letters.recipient}” is no age recipient to seal letters to")
    for language in site.languages:
        slugs = {section.slug for section in language.sections}
        if WRITE_SLUG in slugs | {page.slug for page in language.pages}:
            raise SiteError(
                f"a section or page of “{language.code}” has the address “{WRITE_SLUG}”, where "
                "readers write to the desk: give it another one"
            )
