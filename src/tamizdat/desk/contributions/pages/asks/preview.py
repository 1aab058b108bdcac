# SPDX-License-Identifier: AGPL-3.0-or-later
"""A message as readers will see it: in a page of the paper, by the paper's own theme.

What always holds: nothing is written; it is the draft that is shown, one variant of it; the page
runs nothing and fetches nothing but pictures of the desk; its links lead to the paper, beside the
desk. What keeps it from being shown is said in words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
from django.utils.html import escape

from tamizdat.desk.contributions import paper
from tamizdat.desk.contributions.content import AskContent, AskVariant
from tamizdat.desk.contributions.errors import AskError
from tamizdat.desk.contributions.models import Ask, Place
from tamizdat.desk.newsroom.light import Light, lit
from tamizdat.desk.newsroom.preview import for_desk
from tamizdat.desk.publishing.models import StoryHead
from tamizdat.desk.publishing.site import site_from_desk
from tamizdat.edition import site as edition_site
from tamizdat.edition.errors import EditionError
from tamizdat.edition.render import PageRenderer
from tamizdat.edition.story import Story, decode
from tamizdat.edition.views import ArticleFacts
from tamizdat.theme.words import endonym

POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; font-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; "
    # The desk's pictures are for who is signed in: the frame keeps its origin, and runs nothing.
    "sandbox allow-same-origin allow-popups allow-popups-to-escape-sandbox"
)
MARK = "the-message"
RECENT = 40
_PLACE = (
    r'(<(aside|div) class="(?:ribbon|message|thanks)")( data-fragment="[^"]*/{}\.html">).*?</\2>'
)
_ASK = re.compile(
    r'(<section data-ask=[^>]*>)\s*<div data-variant="[^"]*" data-weight="[^"]*">(.*)</div>\s*'
    r"(</section>)",
    re.DOTALL,
)
_OWN = re.compile(r"<(?:link|meta http-equiv)\b[^>]*>\n?")
_LINK = re.compile(r'(<a\b[^>]*? href=")(?=/[^/])')


@dataclass(frozen=True)
class Host:
    """The page in which it is shown: a story with its path, or the front, or the thanks page."""

    words: str
    story: Story | None = None
    path: str = ""


def host_of(ask: Ask, said: AskContent, language: str) -> Host:
    """Where it is shown. Raises ``AskError`` where there is no such page yet."""
    if ask.place == Place.THANKS:
        return Host("on the page to which givers come back")
    for story, path in _stories(language, said.sections):
        return Host(f"on “{story.headline}”", story, path)
    raise AskError(
        f"Nothing is published in {endonym(language)} yet that it could stand on. Publish an "
        "article, and look again."
    )


def page(ask: Ask, said: AskContent, *, variant: str, language: str, light: Light) -> str:
    """The page with the message in its place. Raises ``AskError``."""
    one = _chosen(said, variant, language)
    host = host_of(ask, said, language)
    try:
        site = site_from_desk()
        if not site.gives:
            raise AskError(
                "The paper shows no message as long as readers cannot give: it needs a letterbox, "
                "a provider and what can be given. The operator sets them up."
            )
        renderer = PageRenderer(_with(site, paper.as_written(ask, said, language, one), language))
        html = for_desk(_page(renderer, host, language)).decode()
        made = _ASK.sub(r"\1\2\3", renderer.ask(language, site_place(ask)).decode().strip())
    except (EditionError, OSError) as error:
        raise AskError(f"It cannot be shown: {error}.") from error
    return _framed(_put(html, ask, made), site.address, light)


def site_place(ask: Ask) -> edition_site.AskPlace:
    places: dict[str, edition_site.AskPlace] = {
        Place.RIBBON: "ribbon", Place.MESSAGE: "message", Place.THANKS: "thanks",
    }  # fmt: skip
    return places[ask.place]


def refusal(words: str) -> str:
    """A page that says why there is none."""
    return f"<!doctype html><title>Preview</title><p>{escape(words)}</p>"


def _chosen(said: AskContent, variant: str, language: str) -> AskVariant:
    one = next((one for one in said.variants if one.slug == variant), None)
    if one is None or language not in one.texts:
        raise AskError(f"This variant says nothing in {endonym(language)} yet.")
    return one


def _stories(language: str, sections: tuple[str, ...]) -> Iterator[tuple[Story, str]]:
    """Those that would show a message, the newest first; those of its sections before others."""
    heads = StoryHead.objects.filter(language=language, pub_status="usable")
    found = []
    for head in heads.select_related("version").order_by("-version_id")[:RECENT]:
        story = decode(head.version.item)
        if story.is_issue or story.sensitive:
            continue
        if not sections or (story.section and _slug(story) in sections):
            yield story, head.path
        else:
            found.append((story, head.path))
    yield from found


def _slug(story: Story) -> str:
    return str(story.section and story.section.literal)


def _with(
    site: edition_site.Site, fragment: edition_site.AskFragment, language: str
) -> edition_site.Site:
    languages = tuple(
        msgspec.structs.replace(one, asks=(fragment,) if one.code == language else ())
        for one in site.languages
    )
    return msgspec.structs.replace(site, languages=languages)


def _page(renderer: PageRenderer, host: Host, language: str) -> bytes:
    if host.story is None:
        return renderer.thanks(language)
    card = renderer.card(host.story, host.path)
    return renderer.article(host.story, card, ArticleFacts())


def _put(html: str, ask: Ask, made: str) -> str:
    place = re.compile(_PLACE.format(site_place(ask)), re.DOTALL)
    return place.sub(lambda m: f'{m[1]} id="{MARK}"{m[3]}{made}</{m[2]}>', html, count=1)


def _framed(html: str, address: str, light: Light) -> str:
    """For a frame of the desk, whose own policy (``POLICY``) stands in the answer's head."""
    html = _LINK.sub(rf"\g<1>{address}", _OWN.sub("", html))
    return lit(html, light).replace("<head>", '<head><base target="_blank">', 1)
