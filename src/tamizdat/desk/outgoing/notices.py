# SPDX-License-Identifier: AGPL-3.0-or-later
"""Short mails in words of the reader's language: an app's folder ``words/``, a file a language.

::

    notice("tamizdat.desk.newsletter", "confirm", "ru", url=…, titles="…", days="7")

What always holds: every language of an app has the same words (tested); a line that names
something the newsroom has not, as a privacy policy or an address to write to, is left out.

What is not done here: sending (``lanes``), the look (``mail.layout``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from django.conf import settings

from tamizdat.desk.newsroom.models import LanguageText, NewsroomSettings, SitePage, SitePageVersion
from tamizdat.edition.paths import page_path
from tamizdat.mail.content import Notice

FALLBACK = "en"
Words = Mapping[str, Any]
_NEEDED = ("policy", "contact")


@cache
def words(app: str, language: str) -> Words:
    """An app's words in a language; English where there are none. ``app`` is its package."""
    folder = resources.files(app) / "words"
    for code in (language, language.split("-")[0], FALLBACK):
        file = folder / f"{code.lower()}.json"
        if code and file.is_file():
            found: dict[str, Any] = json.loads(file.read_text("utf-8"))
            return {**found, "code": code.lower()}
    raise AssertionError(f"{app} has no English words")


def notice(
    app: str, kind: str, language: str, *, url: str = "", privacy: int = 0, **facts: str
) -> Notice:
    """The mail of a kind: ``KIND.subject``, ``.lines``, ``.button``, ``.after`` of the app's words,
    filled with ``facts`` and what every mail may name: paper, privacy, policy, contact."""
    said, look = words(app, language), NewsroomSettings.load()
    facts = {
        "paper": paper_name(language),
        "privacy": str(privacy),
        "policy": policy_address(said["code"], language, version=privacy),
        "contact": look.contact or settings.NEWSROOM.settings.mail.sender,
        **facts,
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
    return tuple(
        line.format(**facts)
        for line in lines
        if all(facts[name] for name in _NEEDED if f"{{{name}}}" in line)
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
