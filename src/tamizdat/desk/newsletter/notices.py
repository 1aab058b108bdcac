# SPDX-License-Identifier: AGPL-3.0-or-later
"""The short mails to subscribers, in words of the reader's language (``words/``).

What always holds: every language has the same words (tested); a line that names something the
newsroom has not, as a privacy policy or an address to write to, is left out.

What is not done here: sending (``outgoing.lanes``), the look (``mail.layout``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any

from django.conf import settings

from tamizdat.desk.newsletter.models import Newsletter
from tamizdat.desk.newsroom.models import LanguageText, NewsroomSettings, SitePage, SitePageVersion
from tamizdat.edition.paths import page_path
from tamizdat.mail.content import Notice

FALLBACK = "en"
Words = Mapping[str, Any]


@cache
def words(language: str) -> Words:
    """The words of a language; English where there are none."""
    folder = resources.files("tamizdat.desk.newsletter") / "words"
    for code in (language, language.split("-")[0], FALLBACK):
        file = folder / f"{code.lower()}.json"
        if code and file.is_file():
            found: dict[str, Any] = json.loads(file.read_text("utf-8"))
            return {**found, "code": code.lower()}
    raise AssertionError("there are no English words")


def notice(
    kind: str,
    language: str,
    *,
    url: str = "",
    newsletters: Iterable[Newsletter] = (),
    privacy: int = 0,
    days: int = 0,
) -> Notice:
    """The mail of a kind: ``confirm``, ``known``, ``move``, ``moved``, ``export``, ``erased``."""
    said, look = words(language), NewsroomSettings.load()
    facts = {
        "paper": paper_name(language),
        "titles": said["list"].join(one.title for one in newsletters),
        "days": str(days),
        "privacy": str(privacy),
        "policy": policy_address(said["code"], language, version=privacy),
        "contact": look.contact or settings.NEWSROOM.settings.mail.sender,
    }
    return Notice(
        subject=said[f"{kind}.subject"].format(**facts),
        language=said["code"],
        direction=said["dir"],
        paper=facts["paper"],
        lines=_filled(said[f"{kind}.lines"], facts),
        button=said[f"{kind}.button"] if url else "",
        url=url,
        after=_filled(said[f"{kind}.after"], facts),
        accent=look.accent,
        accent_dark=look.accent_dark,
    )


def _filled(lines: list[str], facts: Mapping[str, str]) -> tuple[str, ...]:
    needed = ("policy", "contact")
    return tuple(
        line.format(**facts)
        for line in lines
        if all(facts[name] for name in needed if f"{{{name}}}" in line)
    )


def paper_name(language: str) -> str:
    """What the paper calls itself in a language."""
    text = LanguageText.objects.filter(locale__language_code=language).first()
    return (text.name if text else "") or settings.NEWSROOM.settings.name


def policy_address(*languages: str, version: int = 0) -> str:
    """Where readers find the privacy policy (0: the newest, else this version of it), in the first
    of these languages that has it; empty where none was published."""
    pages = SitePage.objects.filter(kind=SitePage.Kind.PRIVACY, versions__isnull=False)
    if version:
        pages = pages.filter(versions__number=version)
    slugs = dict(pages.values_list("locale__language_code", "slug"))
    base = settings.NEWSROOM.settings.address.rstrip("/")
    for language in (*languages, *settings.NEWSROOM.settings.languages):
        if language in slugs:
            return base + page_path(language, slugs[language], version)
    return ""


def policy_versions() -> set[int]:
    """The versions of the privacy policy that a reader can have agreed to. Where none was ever
    published, forms say 1."""
    kind = SitePage.Kind.PRIVACY
    found = SitePageVersion.objects.filter(page__kind=kind).values_list("number", flat=True)
    return set(found) or {1}
