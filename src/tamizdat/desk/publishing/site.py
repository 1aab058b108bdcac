# SPDX-License-Identifier: AGPL-3.0-or-later
"""The paper's configuration, from the settings file and the desk's database: pure reading.

What always holds: it is checked (``Site.check``); only published pages and every published
version of the privacy policy are in it; people appear as they sign, with nothing the staff noted.
Newsletters are told by who has them (``offer_newsletters``), who imports this package and not the
other way round.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

import msgspec
from django.conf import settings
from django.db.models import QuerySet
from wagtail.models import Locale

from tamizdat.config import ConfigError, Newsroom
from tamizdat.desk.newsroom.models import (
    FrontPin,
    LanguageText,
    NewsroomSettings,
    Person,
    Place,
    Section,
    Series,
    SitePage,
    SitePageVersion,
    Topic,
)
from tamizdat.desk.publishing.stories import rfc3339
from tamizdat.edition import site as edition_site
from tamizdat.edition.errors import SiteError
from tamizdat.letterbox import recipient

Newsletters = Callable[[str], Iterable[edition_site.Newsletter]]
Asks = Callable[[str], Iterable[edition_site.AskFragment]]
_offering: list[Newsletters] = []
_giving: list[tuple[Callable[[], edition_site.Giving], Asks]] = []


def offer_newsletters(offered: Newsletters) -> None:
    """Say what readers of a language may sign up for, in the order shown. For ``AppConfig.ready``;
    the version of the privacy policy is put in here."""
    if offered not in _offering:
        _offering.append(offered)


def offer_giving(offered: Callable[[], edition_site.Giving], asks: Asks) -> None:
    """Say what readers can give, and the messages that ask them in a language. For
    ``AppConfig.ready``; nothing of it is shown where there is no letterbox."""
    if (offered, asks) not in _giving:
        _giving.append((offered, asks))


def site_from_desk() -> edition_site.Site:
    """The whole configuration. Raises ``SiteError`` where it contradicts itself."""
    of_newsroom = settings.NEWSROOM.settings
    words = NewsroomSettings.load()
    locales = {locale.language_code: locale for locale in Locale.objects.all()}
    texts = {text.locale_id: text for text in LanguageText.objects.all()}
    people = list(Person.objects.prefetch_related("texts__locale"))
    return edition_site.Site(
        address=of_newsroom.address,
        timezone=of_newsroom.timezone,
        accent=words.accent,
        accent_dark=words.accent_dark,
        organisation=words.organisation or of_newsroom.name,
        contact=words.contact,
        read_more=words.read_more,
        front_stories=words.front_stories,
        letters=_letters(settings.NEWSROOM),
        giving=_give(settings.NEWSROOM),
        languages=tuple(
            _language(code, locales.get(code), texts, people) for code in of_newsroom.languages
        ),
    ).check()


def _letters(newsroom: Newsroom) -> edition_site.Letters:
    """Where readers' letters go. Raises ``SiteError`` where there are drops and no key to open
    what lies in them."""
    drops = newsroom.settings.letterboxes
    if not drops:
        return edition_site.Letters()
    try:
        return edition_site.Letters(drops=drops, recipient=recipient(newsroom))
    except ConfigError as error:
        raise SiteError(f"readers cannot write to the desk: {error}") from error


def _give(newsroom: Newsroom) -> edition_site.Giving:
    """What can be given where a letterbox takes it."""
    if not newsroom.settings.letterboxes:
        return edition_site.Giving()
    return next((offered() for offered, _ in _giving), edition_site.Giving())


def _language(
    code: str, locale: Locale | None, texts: dict[int, LanguageText], people: list[Person]
) -> edition_site.Language:
    text = texts.get(locale.pk) if locale else None
    pages = tuple(_pages(locale)) if locale else ()
    return edition_site.Language(
        code=code,
        name=(text.name if text else "") or settings.NEWSROOM.settings.name,
        tagline=text.tagline if text else "",
        description=text.description if text else "",
        sections=tuple(_sections(locale)) if locale else (),
        pages=pages,
        profiles=(*(_terms(locale) if locale else ()), *_people(people, code)),
        pins=tuple(_pins(locale)) if locale else (),
        newsletters=tuple(_newsletters(code, pages)),
        asks=tuple(ask for _, asks in _giving for ask in asks(code)),
    )


def _newsletters(
    language: str, pages: tuple[edition_site.Page, ...]
) -> Iterator[edition_site.Newsletter]:
    """With the newest version of the privacy policy; 1 where none was published."""
    policy = max((page for page in pages if page.version), key=lambda p: p.version, default=None)
    for offered in _offering:
        for letter in offered(language):
            yield (
                msgspec.structs.replace(letter, privacy=policy.version, policy=policy.slug)
                if policy
                else letter
            )


def _sections(locale: Locale) -> Iterator[edition_site.Section]:
    for section in Section.objects.filter(locale=locale).order_by("order", "title"):
        yield edition_site.Section(
            slug=section.slug, title=section.title, description=section.description
        )


def _pages(locale: Locale) -> Iterator[edition_site.Page]:
    """The newest version of each page, and every version of the privacy policy."""
    versions: QuerySet[SitePageVersion] = (
        SitePageVersion.objects.filter(page__locale=locale)
        .select_related("page")
        .order_by("page__order", "page__title", "page_id", "-number")
    )
    seen: set[int] = set()
    for version in versions:
        numbered = version.page.kind == SitePage.Kind.PRIVACY
        if numbered or version.page_id not in seen:
            yield _page(version, numbered)
        seen.add(version.page_id)


def _page(version: SitePageVersion, numbered: bool) -> edition_site.Page:
    return edition_site.Page(
        slug=version.page.slug,
        title=version.title,
        html=version.html,
        version=version.number if numbered else 0,
        updated=rfc3339(version.published_at),
        in_footer=version.page.in_footer,
    )


def _terms(locale: Locale) -> Iterator[edition_site.Profile]:
    kinds: tuple[tuple[edition_site.ListingKind, type[Topic | Place | Series]], ...] = (
        ("topic", Topic),
        ("place", Place),
        ("series", Series),
    )
    for kind, model in kinds:
        rows = model.objects.filter(locale=locale).order_by("slug")
        for slug, title, description in rows.values_list("slug", "title", "description"):
            yield edition_site.Profile(kind=kind, slug=slug, title=title, description=description)


def _people(people: list[Person], language: str) -> Iterator[edition_site.Profile]:
    for person in people:
        yield edition_site.Profile(
            kind="person",
            slug=person.slug,
            title=person.name_in(language),
            description=person.bio_in(language),
        )


def _pins(locale: Locale) -> Iterator[edition_site.Pins]:
    pinned: dict[str, list[str]] = defaultdict(list)
    pins = FrontPin.objects.filter(locale=locale).order_by("order", "pk")
    for section, uri in pins.values_list("section__slug", "article__story_uri"):
        pinned[section or ""].append(uri)
    for section, uris in sorted(pinned.items()):
        yield edition_site.Pins(section=section, stories=tuple(uris))
