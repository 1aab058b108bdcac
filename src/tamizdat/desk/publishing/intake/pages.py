# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pages of the old site as pages of the newsroom's own.

What always holds: a page is found again by a ``translation_key`` made of its import key; one that
is here already is never overwritten, as it may have been edited and readers may have agreed to it.
"""

from __future__ import annotations

import re
import uuid

from django.db import transaction
from wagtail.log_actions import log

from tamizdat.desk.newsroom import actions
from tamizdat.desk.newsroom.models import SitePage
from tamizdat.desk.newsroom.text import slug_from
from tamizdat.desk.publishing.intake.articles import locale_of
from tamizdat.desk.publishing.intake.terms import Terms, free_page_slug
from tamizdat.edition.body import clean, plain
from tamizdat.importers import Taken

_KEPT = ("<p>", "<h2", "<h3", "<ul", "<ol", "<blockquote>")
_LINK = re.compile(r'<a href="([^"]+)"[^>]*><strong>(.*?)</strong>')


def key_of(taken: Taken) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"tamizdat-page:{taken.key}")


def known(taken: Taken) -> SitePage | None:
    """The page that was made of this item before."""
    return SitePage.objects.filter(translation_key=key_of(taken)).first()


@transaction.atomic
def take(taken: Taken, terms: Terms, *, publish: bool, default: str) -> list[str]:
    """Make the page. Returns what was changed on the way."""
    notes = list(taken.notes)
    locale = locale_of(taken, terms, default, notes)
    wanted = taken.story.slugline or slug_from(taken.story.headline, "page")
    page = SitePage(
        locale=locale,
        translation_key=key_of(taken),
        title=taken.story.headline[:120] or "Untitled",
        slug=free_page_slug(wanted, locale),
        body=_body(taken, notes),
        in_footer=False,
    )
    page.save()
    log(instance=page, action="wagtail.create", data={"import": taken.key})
    if publish and not taken.draft:
        actions.publish_page(page=page, acting_user=None)
    return notes


def _body(taken: Taken, notes: list[str]) -> str:
    """What a page can hold: text, headings, lists, quotations. The rest as plain paragraphs."""
    kept: list[str] = []
    for block in re.split(r"\n(?=<)", clean(taken.story.body_html)):
        link = _LINK.search(block) if block.startswith("<aside") else None
        if block.startswith(_KEPT):
            kept.append(block)
        elif link:
            kept.append(f'<p><a href="{link[1]}">{link[2]}</a></p>')
        elif words := plain(block):
            kept += [f"<p>{line}</p>" for line in map(_escaped, words.split("\n"))]
            notes.append("a table or quotation became plain paragraphs: pages hold only text")
        elif block:
            notes.append("a photo was left out: pages hold only text")
    return "\n".join(kept)


def _escaped(line: str) -> str:
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
