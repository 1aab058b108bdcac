# SPDX-License-Identifier: AGPL-3.0-or-later
"""What every page of a kind shows, rendered once: masthead, sections, footer, style.

What always holds: a page is its furniture, in four pieces, with its own text in the three cuts
between them. Pieces depend on the site's ``furniture`` facts and the theme alone, so that
``fingerprint`` changes exactly when every page does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from importlib import resources
from typing import Any, Literal

import msgspec
from markupsafe import Markup, escape

from tamizdat.edition.paths import (
    KIND_FOLDERS,
    index_path,
    listing_path,
    newsletters_path,
    page_path,
    support_path,
    url,
    write_path,
)
from tamizdat.edition.render import linked
from tamizdat.edition.render.templates import environment, trusted
from tamizdat.edition.site import SUPPORT_SLUG, Language, Newsletter, Page, Site
from tamizdat.edition.views import Link
from tamizdat.theme import style
from tamizdat.theme.words import Calendar, Words, endonym, giving_words

PageKind = Literal[
    "front", "article", "listing", "page", "letter", "newsletter", "issue", "support"
]
SHEETS: dict[PageKind, tuple[str, ...]] = {
    "front": ("base", "list"),
    "listing": ("base", "list"),
    "article": ("base", "article"),
    "page": ("base", "article"),
    "letter": ("base", "article", "letter"),
    "newsletter": ("base", "article", "letter", "newsletter"),
    "issue": ("base", "article", "newsletter"),
    "support": ("base", "article", "letter", "support"),
}
_WITH_FORM = ("letter", "newsletter", "support")
# What pages with a form for letters load, the second one only in browsers without X25519.
LETTER_SCRIPTS = ("forms.js", "x25519.js")
CORRECTIONS_PAGES = ("corrections", "corrections-policy")
# What the messages and the page where readers give load.
GIVING_SCRIPTS = ("asks.js", "support.js")
SUPPORT_PAGE = SUPPORT_SLUG
MESSAGE_PAGES = (SUPPORT_PAGE, "about")
_CUT = "\x00cut\x00"
_LANGUAGES = Markup('<nav class="languages" aria-label="{}"><ul>')
_LANGUAGES_END = "</ul></nav>\n"
_HERE = Markup('<li><span lang="{0}" aria-current="true">{1}</span></li>')
_THERE = Markup(' hreflang="{0}" lang="{0}">{1}</a></li>')


class Tongue:
    """One language of the paper: its words, its calendar, its furniture."""

    def __init__(self, site: Site, language: Language) -> None:
        self.site = site
        self.language = language
        self.code = language.code
        self.words = Words(language.code)
        self.calendar = Calendar(self.words.locale, site.timezone)
        self.pages: dict[str, Page] = {page.slug: page for page in language.pages}
        self.front = f"/{language.code}/"
        self._pieces: dict[tuple[PageKind, str, bool], tuple[Markup, ...]] = {}
        self._encoded: dict[tuple[PageKind, str, bool], tuple[bytes, ...]] = {}

    def furniture(
        self, kind: PageKind, section: str = "", *, quiet: bool = False
    ) -> tuple[Markup, ...]:
        """The four pieces around a page's own text. ``quiet``: nothing in them asks for support."""
        found = self._pieces.get((kind, section, quiet))
        if found is None:
            found = self._render(kind, section, quiet)
            self._pieces[kind, section, quiet] = found
        return found

    def encoded_furniture(
        self, kind: PageKind, section: str = "", *, quiet: bool = False
    ) -> tuple[bytes, ...]:
        """The same as UTF-8."""
        found = self._encoded.get((kind, section, quiet))
        if found is None:
            pieces = tuple(piece.encode() for piece in self.furniture(kind, section, quiet=quiet))
            found = self._encoded[kind, section, quiet] = pieces
        return found

    def minutes(self, count: int) -> str:
        """“2 minutes to read”, or nothing where there is nothing to read."""
        return self.words.count("minutes", count) if count else ""

    def day(self, date: str) -> str:
        """“22 November 2026” of an RFC 3339 date, in the paper's time zone."""
        return self.calendar.day(self.calendar.local(date).date())

    def moment(self, date: str) -> str:
        """“22 November 2026, 14:05”."""
        return self.clock(self.calendar.local(date))

    def clock(self, when: datetime) -> str:
        """The same of a date that is in the paper's time zone already."""
        day = self.calendar.day(when.date())
        return self.words["moment"].format(day=day, time=f"{when.hour:02}:{when.minute:02}")

    def _render(self, kind: PageKind, section: str, quiet: bool) -> tuple[Markup, ...]:
        words = self.words
        css = style.stylesheet(SHEETS[kind], self.site.accent, self.site.accent_dark)
        page = environment.get_template("layout.html").render(
            language=self.language,
            kind=kind,
            section=section,
            style=Markup(css),  # noqa: S704 - the theme's own stylesheet.
            policy=Markup(  # noqa: S704 - no quotation mark or "<".
                policy(css, self._drops(kind), self._checkouts(kind))
            ),
            quiet=quiet,
            pages=self._foot,
            indexes=[(name, index_path(name, self.code)) for name in KIND_FOLDERS],
            # Stands in the ribbon's place where there is such a page; else nothing does.
            support=self.support,
            contact=self._contact,
            newsletter=self._newsletter,
            free=words["free"],
            times=words.fill("times", place=self.calendar.place),
            t=words.plain,
            cut=_CUT,
        )
        return tuple(Markup(piece) for piece in page.split(_CUT))  # noqa: S704 - escaped by Jinja.

    def _drops(self, kind: PageKind) -> tuple[str, ...]:
        """To whom pages of a kind may send anything."""
        return self.site.letters.drops if kind in _WITH_FORM else ()

    def _checkouts(self, kind: PageKind) -> tuple[str, ...]:
        """Where the letterbox leads on from a page of a kind."""
        return self.site.giving.checkouts if kind == "support" else ()

    @property
    def support(self) -> Link | None:
        """The page where readers give, or the newsroom's own of this name."""
        page = self.pages.get(SUPPORT_PAGE)
        if page is None and not self.site.gives:
            return None
        title = page.title if page else giving_words(self.code)["support"]["link"]
        return Link(path=support_path(self.code), title=title)

    @property
    def _foot(self) -> list[Link]:
        """The pages that every page's foot leads to."""
        found = [
            Link(path=page_path(self.code, page.slug), title=page.title)
            for page in self.pages.values()
            if page.in_footer
        ]
        if self.site.gives and self.support and SUPPORT_PAGE not in self.pages:
            found.append(self.support)
        return found

    @property
    def privacy(self) -> Page | None:
        """The newest version of the privacy policy: the page whose versions are numbered."""
        numbered = [page for page in self.language.pages if page.version]
        return max(numbered, key=lambda page: page.version, default=None)

    @property
    def newsletters(self) -> tuple[Newsletter, ...]:
        """What readers can sign up for: nothing where there is no letterbox."""
        return self.language.newsletters if self.site.letters.drops else ()

    @property
    def _newsletter(self) -> str:
        """Where the foot of a page leads who wants the paper by mail."""
        if len(self.newsletters) == 1:
            return listing_path("newsletter", self.code, self.newsletters[0].slug)
        return newsletters_path(self.code) if self.newsletters else ""

    @property
    def _contact(self) -> str:
        """Where the foot of a page leads who wants to write."""
        if self.site.letters.drops:
            return write_path(self.code)
        return f"mailto:{self.site.contact}" if self.site.contact else ""

    def language_links(self, paths: Mapping[str, str]) -> Markup:
        """The paper's languages; each leads to this page's translation, else to its front."""
        if len(self.site.languages) < 2:
            return Markup("")
        if not paths:
            return self._plain_language_links
        return self._language_links(paths)

    @cached_property
    def _plain_language_links(self) -> Markup:
        return self._language_links({})

    def _language_links(self, paths: Mapping[str, str]) -> Markup:
        before, items = self._language_items
        return trusted(
            before
            + "".join(
                [
                    f'<li><a href="{escape(paths.get(code, front))}"{html}' if front else html
                    for code, front, html in items
                ]
            )
            + _LANGUAGES_END
        )

    @cached_property
    def _language_items(self) -> tuple[str, list[tuple[str, str, str]]]:
        """What stands before the links; of each its code, its front (nothing for this language)
        and its HTML, as far as it is the same on every page."""
        items = [
            (lang.code, "", str(_HERE.format(lang.code, endonym(lang.code))))
            if lang.code == self.code
            else (lang.code, f"/{lang.code}/", str(_THERE.format(lang.code, endonym(lang.code))))
            for lang in self.site.languages
        ]
        return str(_LANGUAGES.format(self.words["languages"])), items

    @cached_property
    def corrections_policy(self) -> str:
        """The path of the page that says how the paper corrects itself, or nothing."""
        return next((f"/{self.code}/{s}/" for s in CORRECTIONS_PAGES if s in self.pages), "")

    @cached_property
    def publisher(self) -> dict[str, Any]:
        """The newsroom, as machines read it."""
        address = self.site.address
        page = self.corrections_policy
        return linked.publisher(
            name=self.site.organisation or self.language.name,
            address=address,
            front=address + self.front,
            corrections=address + url(page) if page else "",
        )

    @cached_property
    def publisher_json(self) -> msgspec.Raw:
        """The same as JSON."""
        return msgspec.Raw(msgspec.json.encode(self.publisher))

    @cached_property
    def message(self) -> Markup:
        """Where the newsroom's message is pulled in; a plain link stands in its place."""
        page = next((self.pages[s] for s in MESSAGE_PAGES if s in self.pages), None)
        link = page and Link(path=page_path(self.code, page.slug), title=self.words["message_link"])
        if self.site.gives:
            link = self.support
        html = link and Markup('<p><a href="{}">{}</a></p>').format(link.path, link.title)
        return Markup(
            '<div class="message" data-fragment="/fragments/{}/message.html">{}</div>\n'
        ).format(self.code, html or "")

    @cached_property
    def latest(self) -> Markup:
        """Where the latest list is pulled in at the foot of articles."""
        return Markup(
            '<div class="latest" data-fragment="/fragments/{0}/latest.html">'
            '<p><a href="/{0}/">{1}</a></p></div>\n'
        ).format(self.code, self.words["latest_all"])


def policy(css: str, drops: Sequence[str] = (), checkouts: Sequence[str] = ()) -> str:
    """The content security policy of every page: nothing from anywhere else, and nothing to
    anybody but, from a page with a form for letters, these letterboxes. A form may be led on to
    ``checkouts``: browsers hold the policy against each step of the way."""
    to = " ".join(("'self'", *drops))
    led = " ".join((to, *checkouts))
    return (
        f"default-src 'none'; img-src 'self'; media-src 'self'; style-src {style.csp_hash(css)}; "
        f"script-src 'self'; connect-src {to}; manifest-src 'self'; base-uri 'none'; "
        f"form-action {led}"
    )


def fingerprint(site: Site) -> str:
    """Sixteen hexadecimal digits that change when every page has to be made again."""
    drops = bool(site.letters.drops)
    facts = [
        (
            (lang.code, lang.name),
            [(section.slug, section.title) for section in lang.sections],
            [(page.slug, page.title, page.in_footer) for page in lang.pages],
            [(n.slug, n.title, n.about, n.often) for n in lang.newsletters if drops],
        )
        for lang in site.languages
    ]
    whole = (site.address, site.timezone, site.accent, site.accent_dark, drops, site.gives)
    digest = hashlib.sha256(msgspec.json.encode((whole, site.organisation, site.contact, facts)))
    for package in ("tamizdat.theme", "tamizdat.edition.render"):
        for file in _files(resources.files(package)):
            digest.update(file)
    for name in LETTER_SCRIPTS:
        digest.update((resources.files("tamizdat.theme") / "reader" / name).read_bytes())
    return digest.hexdigest()[:16]


def _files(folder: resources.abc.Traversable) -> list[bytes]:
    """All but what readers' own programs consist of: no page depends on these, but for the
    scripts of letters."""
    found: list[bytes] = []
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        if entry.is_dir() and entry.name not in ("__pycache__", "reader"):
            found += _files(entry)
        elif entry.is_file():
            found.append(entry.name.encode() + b"\0" + entry.read_bytes())
    return found
