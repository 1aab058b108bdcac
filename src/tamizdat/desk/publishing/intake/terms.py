# SPDX-License-Identifier: AGPL-3.0-or-later
"""People, sections, topics, places and series that stories name: found, else made.

What always holds: within one language a term's address is unique and can stand in the paper (no
reserved word, not only digits, not a page's); a person is found by name before a new one is made.
Memory holds what was looked up: as many as there are different terms.
"""

from __future__ import annotations

from typing import TypeVar

from django.db.models import Max
from wagtail.models import Locale

from tamizdat.desk.newsroom.models import (
    Article,
    Person,
    Place,
    Section,
    Series,
    SitePage,
    Topic,
)
from tamizdat.desk.newsroom.models.person import free_slug
from tamizdat.desk.newsroom.text import slug_from
from tamizdat.edition.site import RESERVED_SLUGS, SLUG
from tamizdat.edition.story import Story
from tamizdat.edition.story import Term as StoryTerm

_Filed = TypeVar("_Filed", Section, Topic, Place, Series)
_DEFAULT_SECTION = {"en": "News", "ru": "Новости", "ar": "أخبار", "de": "Nachrichten"}


class Terms:
    """Looks terms up for one import. ``own``: the addresses in the source are our own."""

    def __init__(self) -> None:
        self._terms: dict[tuple[type, int, str], Section | Topic | Place | Series] = {}
        self._people: dict[str, Person] = {}
        self._locales: dict[str, Locale] = {}

    def forget(self) -> None:
        """What was made in a transaction that failed is not there."""
        self._terms.clear()
        self._people.clear()

    def locale(self, language: str) -> Locale | None:
        """The paper's language with this code; None where the paper has none such."""
        if not self._locales:
            self._locales = {x.language_code: x for x in Locale.objects.all()}
        return self._locales.get(language)

    def section(self, story: Story, locale: Locale) -> Section | None:
        found = story.section
        return self._term(Section, found, locale) if found else None

    def default_section(self, locale: Locale) -> Section:
        """The paper's first section in a language, where a story comes without one."""
        first = Section.objects.filter(locale=locale).order_by("order", "pk").first()
        if first is not None:
            return first
        title = _DEFAULT_SECTION.get(locale.language_code, "News")
        return self._term(Section, StoryTerm(name=title, literal=slug_from(title)), locale)

    def topics(self, story: Story, locale: Locale) -> list[Topic]:
        return _once([self._term(Topic, t, locale) for t in story.topics if t.name or t.literal])

    def places(self, story: Story, locale: Locale) -> list[Place]:
        return _once([self._term(Place, t, locale) for t in story.places if t.name or t.literal])

    def series(self, story: Story, locale: Locale) -> Series | None:
        found = next(iter(story.series), None)
        return self._term(Series, found, locale) if found else None

    def _term(self, model: type[_Filed], term: StoryTerm, locale: Locale) -> _Filed:
        title = (term.name or term.literal or "").strip()[:120]
        wanted = term.literal or slug_from(title)
        key = (model, locale.pk, wanted)
        known = self._terms.get(key)
        if known is None:
            slug = _possible(model, wanted, locale)
            known, _ = model.objects.get_or_create(
                locale=locale, slug=slug, defaults={"title": title} | _place(model, locale)
            )
            self._terms[key] = known
        assert isinstance(known, model)  # noqa: S101 - the key names the model
        return known

    def person(self, term: StoryTerm, *, own: bool) -> Person:
        """The person of a byline. ``own``: the address in the story is the desk's own."""
        name = (term.name or term.literal or "").strip()[:120]
        key = (term.literal or name) if own else name
        if key not in self._people:
            by_slug = Person.objects.filter(slug=term.literal).first() if own else None
            found = by_slug or Person.objects.filter(name__iexact=name).order_by("pk").first()
            if found is None or (own and found.slug != term.literal):
                wanted = term.literal if own and term.literal else slug_from(name, "person")
                found = Person.objects.create(name=name, slug=free_slug(wanted[:100], None))
            self._people[key] = found
        return self._people[key]


def _once(terms: list[_Filed]) -> list[_Filed]:
    return list({term.pk: term for term in terms}.values())


def _place(model: type[_Filed], locale: Locale) -> dict[str, int]:
    """A section that comes with an import stands behind those that the newsroom has."""
    if model is not Section:
        return {}
    last = Section.objects.filter(locale=locale).aggregate(last=Max("order"))["last"]
    return {"order": 0 if last is None else last + 1}


def _possible(model: type, slug: str, locale: Locale) -> str:
    """An address that the paper can have for it."""
    slug = slug[:100].strip("-") or "term"
    kind = model.__name__.lower()
    if not SLUG.match(slug) or slug.isdigit():
        slug = f"{kind}-{slug_from(slug, kind)}"[:100]
    taken = model is Section and (
        slug in RESERVED_SLUGS or SitePage.objects.filter(locale=locale, slug=slug).exists()
    )
    return f"{slug[:90]}-{kind}" if taken else slug


def free_page_slug(slug: str, locale: Locale) -> str:
    """A page's address that no page and no section of its language has."""
    number = 1
    while True:
        numbered = slug[:90] if number == 1 else f"{slug[:90]}-{number}"
        taken = (
            numbered in RESERVED_SLUGS
            or numbered.isdigit()
            or SitePage.objects.filter(locale=locale, slug=numbered).exists()
            or Section.objects.filter(locale=locale, slug=numbered).exists()
        )
        if not taken:
            return numbered
        number += 1


def known_stories(uris: list[str]) -> dict[str, int]:
    """The articles of these stories, by uri."""
    if not uris:
        return {}
    return dict(Article.objects.filter(story_uri__in=uris).values_list("story_uri", "pk"))
