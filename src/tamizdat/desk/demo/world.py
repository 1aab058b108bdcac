# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the demo's stories refer to: accounts, words, sections, people, photos, pages.

What always holds: everything is made once. What is there already, also where somebody changed
it, is left as it is. The rows are known again by their address or ``import_key``.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.contrib.auth.models import Group
from django.db import transaction
from wagtail.log_actions import log
from wagtail.models import Locale

from tamizdat.desk.demo import content, pictures
from tamizdat.desk.newsroom import actions as newsroom
from tamizdat.desk.newsroom import photos as photo_files
from tamizdat.desk.newsroom.models import (
    Article,
    Attachment,
    LanguageText,
    NewsroomSettings,
    Person,
    PersonText,
    Photo,
    Place,
    Section,
    Series,
    SitePage,
    SitePageVersion,
    Topic,
)
from tamizdat.desk.staff.actions import create_account
from tamizdat.desk.staff.models import User
from tamizdat.edition.body import clean

LANGUAGES = ("en", "ru")
_Term = TypeVar("_Term", Section, Topic, Place, Series)


@dataclass
class World:
    """Everything by the name that the content has for it; terms by (slug, language)."""

    now: datetime
    users: dict[str, User]
    locales: dict[str, Locale]
    sections: dict[tuple[str, str], Section] = field(default_factory=dict)
    topics: dict[tuple[str, str], Topic] = field(default_factory=dict)
    places: dict[tuple[str, str], Place] = field(default_factory=dict)
    series: dict[tuple[str, str], Series] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    photos: dict[str, Photo] = field(default_factory=dict)
    attachments: dict[str, Attachment] = field(default_factory=dict)
    articles: dict[str, Article] = field(default_factory=dict)


def make_world(
    *,
    acting_user: User,
    users: dict[str, User],
    now: datetime,
    progress: Callable[[int, int], None],
) -> World:
    """Make all that stories refer to."""
    text = content.newsroom()
    locales = {code: Locale.objects.get(language_code=code) for code in LANGUAGES}
    world = World(now, users, locales)
    describe_paper(acting_user=acting_user, text=text, world=world)
    for model, terms, into in (
        (Section, text.sections, world.sections),
        (Topic, text.topics, world.topics),
        (Place, text.places, world.places),
        (Series, text.series, world.series),
    ):
        add_terms(acting_user=acting_user, model=model, terms=terms, into=into, world=world)
    for person in text.people:
        world.people[person.slug] = add_person(acting_user=acting_user, text=person, world=world)
    add_pages(acting_user=acting_user, world=world)
    world.attachments["bridge-accounts"] = add_accounts_table(acting_user=acting_user)
    wanted = content.photos()
    for done, (key, photo) in enumerate(wanted.items()):
        progress(done, len(wanted))
        world.photos[key] = add_photo(acting_user=acting_user, key=key, text=photo, now=now)
    return world


def make_accounts(*, passwords: dict[str, str]) -> dict[str, User]:
    """One account a role. ``passwords`` are used only for accounts that are new."""
    return {
        account.username: create_account(
            acting_user=None,
            username=account.username,
            name=account.name,
            groups=[Group.objects.get(name=account.role)],
            password=passwords[account.username],
            superuser=account.superuser,
        )
        for account in content.newsroom().accounts
    }


@transaction.atomic
def describe_paper(*, acting_user: User, text: content.NewsroomText, world: World) -> None:
    """What the paper says of itself in each language."""
    paper = NewsroomSettings.load()
    if paper.organisation:
        return
    paper.organisation, paper.contact = text.organisation, text.contact
    paper.save()
    for code, words in text.languages.items():
        LanguageText.objects.get_or_create(
            locale=world.locales[code],
            defaults={
                "settings": paper,
                "name": words.name,
                "tagline": words.tagline,
                "description": words.description,
            },
        )
    log(paper, "wagtail.edit", user=acting_user)


@transaction.atomic
def add_terms(
    *,
    acting_user: User,
    model: type[_Term],
    terms: Iterable[content.TermText],
    into: dict[tuple[str, str], _Term],
    world: World,
) -> None:
    """Sections, topics, places or series, each in both languages and linked."""
    for order, text in enumerate(terms):
        key: Any = None
        for slug, code, words in zip(text.slug, LANGUAGES, (text.en, text.ru), strict=True):
            term = model.objects.filter(locale=world.locales[code], slug=slug).first()
            if term is None:
                term = model(locale=world.locales[code], slug=slug, title=words[0])
                term.description = words[1] if len(words) > 1 else ""
                if isinstance(term, Section):
                    term.order = order
                if key is not None:
                    term.translation_key = key
                term.save()
                log(term, "wagtail.create", user=acting_user)
            key = term.translation_key
            into[slug, code] = term


@transaction.atomic
def add_person(*, acting_user: User, text: content.PersonText, world: World) -> Person:
    """Somebody who signs stories, with their name in both languages."""
    person = Person.objects.filter(slug=text.slug).first()
    if person is None:
        person = Person(slug=text.slug, name=text.en[0], bio=text.en[1])
        person.is_pseudonym, person.staff_note = text.pseudonym, text.note
        person.texts.add(PersonText(locale=world.locales["ru"], name=text.ru[0], bio=text.ru[1]))
        person.save()
        log(person, "wagtail.create", user=acting_user)
    return person


def add_photo(*, acting_user: User, key: str, text: content.PhotoText, now: datetime) -> Photo:
    """Draw a picture and take it in as if somebody had uploaded it."""
    photo = Photo.objects.filter(import_key=f"demo:{key}").first()
    if photo is None:
        photo = newsroom.add_photo(
            data=pictures.picture(text.scene, text.palette, key),
            title=text.en[0],
            acting_user=acting_user,
            description=text.en[1],
            caption=text.en[0],
            credit=text.credit,
            taken_on=(now - timedelta(days=text.days)).date(),
            file_photo=text.file_photo,
            licence="own",
            import_key=f"demo:{key}",
        )
    photo_files.renditions_for(photo)
    return photo


def add_accounts_table(*, acting_user: User) -> Attachment:
    """The document that belongs to “The bridge that was paid for twice”: sums in a table."""
    document = Attachment.objects.filter(import_key="demo:bridge-accounts").first()
    return document or newsroom.add_attachment(
        file=io.BytesIO((content.FOLDER / "bridge-accounts.csv").read_bytes()),
        name="bridge-accounts.csv",
        title="Payments for the bridge at Kesten, all 31",
        acting_user=acting_user,
        caption="Number, date and sum of each payment to the second contractor.",
        credit="The Meridian",
        import_key="demo:bridge-accounts",
    )


@transaction.atomic
def add_pages(*, acting_user: User, world: World) -> None:
    """About, contact, corrections, privacy: each version as it was published."""
    keys: dict[str, Any] = {}
    for order, text in enumerate(content.pages()):
        locale = world.locales[text.language]
        page = SitePage.objects.filter(locale=locale, slug=text.slug).first()
        if page is None:
            page = SitePage(locale=locale, kind=text.kind, slug=text.slug, order=order)
            if text.kind in keys:
                page.translation_key = keys[text.kind]
        elif page.versions.filter(number__gte=text.version).exists():
            continue
        page.title, page.body = text.title, text.html
        page.save()
        keys.setdefault(text.kind, page.translation_key)
        SitePageVersion.objects.create(
            page=page,
            number=text.version,
            title=text.title,
            html=clean(text.html),
            published_at=world.now - timedelta(days=200 - 90 * text.version),
            published_by=acting_user,
        )
        log(page, "wagtail.publish", user=acting_user)
