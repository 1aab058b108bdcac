# SPDX-License-Identifier: AGPL-3.0-or-later
"""What becomes of each item: a story, a page, a part of one, or left out with the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from lxml import etree

from tamizdat.edition.story import InfoSource, Story, Term, Text
from tamizdat.importers.canon import Body
from tamizdat.importers.canon.media import remember
from tamizdat.importers.errors import DamagedError
from tamizdat.importers.port import Left, Part, PhotoFile, Result, Taken
from tamizdat.importers.words import date, host, path_of, plain, slug, squeeze
from tamizdat.importers.wxr.content import Content
from tamizdat.importers.wxr.index import Index, MediaFolder, WxrPictures
from tamizdat.importers.wxr.item import Category, Item, name_of, parse, read, wrapper
from tamizdat.importers.wxr.stream import ItemStream

_STATES = {
    "publish": "",
    "draft": "it was a draft",
    "pending": "it waited for review",
    "private": "it was private on the old site: it is a draft here",
    "future": "it was scheduled for {date}: it is a draft here",
}
_UNFIT = {
    "trash": "it was in the trash",
    "auto-draft": "WordPress saved it by itself; nobody wrote it",
    "inherit": "it is a version of another item",
}
_KINDS = {
    "nav_menu_item": "menu entries: the paper makes its own navigation",
    "revision": "former revisions: only the last version is taken",
    "wp_block": "reusable blocks: taken where a post shows them",
    "wp_template": "templates of the old theme",
    "wp_template_part": "templates of the old theme",
    "wp_global_styles": "styles of the old theme",
    "wp_navigation": "menus: the paper makes its own navigation",
    "custom_css": "styles of the old theme",
    "customize_changeset": "settings of the old theme",
    "oembed_cache": "a cache of the old site",
}


class WxrImporter:
    """Reads one WordPress export. ``media`` is a copy of ``wp-content/uploads``, if there is."""

    format = "wxr"

    def __init__(self, path: Path, media: Path | None = None) -> None:
        self._stream = ItemStream(path)
        self._media = MediaFolder(media)
        self._around = wrapper(self._stream.header)
        self._channel = self._read_channel()
        self.total = self._stream.total * 2
        self._first_pass = True

    @property
    def done(self) -> int:
        return self._stream.done + (0 if self._first_pass else self._stream.total)

    def _read_channel(self) -> etree._Element:
        try:
            root = parse(self._stream.header + b"</channel></rss>", recover=True)
        except etree.XMLSyntaxError as error:
            raise DamagedError(f"{self._stream.path}: {error.msg}") from error
        channel = root.find("channel") if root is not None else None
        if channel is None:
            raise DamagedError(f"{self._stream.path}: line 1: no <channel> can be read")
        return channel

    def _value(self, *names: str) -> str:
        found = {name_of(child): (child.text or "").strip() for child in self._channel}
        return next((found[n] for n in names if found.get(n)), "")

    def __iter__(self) -> Iterator[Result]:
        index = Index()
        try:
            self._first_pass = True
            self._fill(index)
            self._first_pass = False
            base = self._value("wp:base_blog_url", "link", "wp:base_site_url").rstrip("/")
            yield from _Run(index, self._media, base, self._language()).results(
                read(raw, self._around) for raw in self._stream
            )
        finally:
            index.close()

    def _language(self) -> str:
        return self._value("language").replace("_", "-").split("-")[0].lower()

    def _fill(self, index: Index) -> None:
        """The first pass: everything that items refer to."""
        for child in self._channel:
            pair = {name_of(c): squeeze(c.text or "") for c in child}
            if name_of(child) == "wp:author":
                login = pair.get("wp:author_login", "")
                whole = (
                    f"{pair.get('wp:author_first_name', '')} {pair.get('wp:author_last_name', '')}"
                )
                index.add_author(
                    login, pair.get("wp:author_display_name") or whole.strip() or login
                )
            elif name_of(child) == "wp:category":
                index.add_term(
                    pair.get("wp:category_nicename", ""),
                    pair.get("wp:term_id", ""),
                    pair.get("wp:cat_name", ""),
                    pair.get("wp:category_parent", ""),
                )
        for raw in self._stream:
            if not any(kind in raw.xml for kind in (b"attachment", b"wp_block", b"page")):
                continue
            item = read(raw, self._around)
            if isinstance(item, str):
                continue
            if item.type == "attachment":
                index.add_attachment(item)
            elif item.type == "wp_block":
                index.add_block(item)


class _Run:
    """One pass over the items, with what was counted on the way."""

    def __init__(self, index: Index, media: MediaFolder, base: str, language: str) -> None:
        self.index = index
        self.base = base
        self.site = host(base) or "wordpress"
        self.language = language
        self.pictures = WxrPictures(index, media, base)
        self.content = Content(self.pictures)
        self.kinds: Counter[str] = Counter()
        self.comments: Counter[str] = Counter()

    def results(self, items: Iterator[Item | str]) -> Iterator[Result]:
        for item in items:
            if isinstance(item, str):
                yield Left("an item", item, failed=True)
                continue
            self.comments["comments"] += item.comments
            if item.type == "attachment":
                continue
            result = self._one(item)
            if result is not None:
                yield result
        yield from self._end()

    def _end(self) -> Iterator[Result]:
        for kind, count in sorted(self.kinds.items()):
            yield Left(kind, _KINDS[kind], count)
        for what, url, used in self.index.attachments():
            if used:
                yield Part(what)
            else:
                yield Left(f"{what}: {url}", "no story that was taken shows this file")
        if self.comments["comments"]:
            why = "readers' comments are not taken: the paper has none"
            yield Left("comments", why, self.comments["comments"], inside=True)

    def _one(self, item: Item) -> Result | None:
        state = item["wp:status"].strip() or "publish"
        if item.type in _KINDS:
            self.kinds[item.type] += 1
            return None
        if item.type not in {"post", "page"}:
            return Left(item.what, f"the type “{item.type}” is none that a paper has")
        if item["wp:post_password"].strip():
            return Left(item.what, "it is protected by a password: open it on the old site first")
        if state not in _STATES:
            return Left(item.what, _UNFIT.get(state, f"its state “{state}” is not known"))
        taken = self._taken(item, state)
        if not taken.story.headline and not taken.story.body_html and not taken.photos:
            return Left(item.what, "it is empty: no title, no text, no picture")
        return taken

    def _taken(self, item: Item, state: str) -> Taken:
        url = item["link"].strip() or item["guid"].strip()
        body = self.content.body(item["content:encoded"], item.id, url or self.base)
        notes = [*item.notes, *body.notes]
        if item.repaired:
            notes.append(f"its XML was broken (line {item.line}) and was repaired: read it through")
        published, updated = self._dates(item, state, notes)
        photos = self._photos(item, body)
        story = Story(
            uri=self._uri(item),
            type="text",
            language=self.language or None,
            pub_status="usable",
            first_created=published or None,
            version_created=updated or published or None,
            slugline=slug(item["wp:post_name"] or plain(item["title"])),
            headlines=self._headlines(item, body, notes),
            descriptions=self._descriptions(item),
            bodies=[Text(role="main", content_type="text/html", value=body.html)],
            by=None,
            people=self._people(item),
            subjects=self._subjects(item, notes),
            info_sources=self._sources(item),
            associations=photos,
        )
        if story.people:
            story.by = ", ".join(p.name or "" for p in story.people)
        if item["wp:is_sticky"].strip() == "1":
            notes.append(
                "it was pinned to the old front page: pin it on yours if you still want it"
            )
        return Taken(
            key=f"wxr:{self.site}:{item.id or item['guid'].strip() or url}",
            story=story,
            kind="page" if item.type == "page" else "story",
            draft=state != "publish",
            photos=self._files(item, body),
            old_paths=self._old_paths(item, url),
            url=url,
            notes=notes,
        )

    def _uri(self, item: Item) -> str:
        if item.id:
            return f"{self.base or 'wordpress:'}/?p={item.id}"
        return item["guid"].strip() or item["link"].strip() or f"{self.base}/#{item.line}"

    def _dates(self, item: Item, state: str, notes: list[str]) -> tuple[str, str]:
        local = item["wp:post_date"]
        published = date(item["wp:post_date_gmt"]) or date(item["pubDate"]) or date(local)
        if not date(item["wp:post_date_gmt"]) and published:
            notes.append("its date in UTC was missing or broken: the next best one was taken")
        if not published:
            notes.append("it has no usable date")
        if note := _STATES[state]:
            notes.append(note.format(date=published or "an unknown day"))
        return published, date(item["wp:post_modified_gmt"]) or date(item["wp:post_modified"])

    def _headlines(self, item: Item, body: Body, notes: list[str]) -> list[Text]:
        title = plain(item["title"])
        if title:
            return [Text(role="main", value=title)]
        words = plain(body.html)[:80].rsplit(" ", 1)[0]
        if words:
            notes.append("it had no headline: the first words of its text stand there")
            return [Text(role="main", value=f"{words} …")]
        return []

    @staticmethod
    def _descriptions(item: Item) -> list[Text]:
        standfirst = plain(item["excerpt:encoded"])
        return [Text(role="standfirst", value=standfirst)] if standfirst else []

    def _people(self, item: Item) -> list[Term]:
        """Co-authors where a plug-in names them, else the account that posted it."""
        named = [c.name for c in item.categories if c.domain == "author" and c.name]
        login = squeeze(item["dc:creator"])
        names = [self.index.author(n) or n for n in named] or [self.index.author(login) or login]
        return [
            Term(name=name, rel="author", literal=slug(name, "author"))
            for name in dict.fromkeys(names)
            if name
        ]

    def _subjects(self, item: Item, notes: list[str]) -> list[Term]:
        """The first or primary category's topmost ancestor is the section, the rest topics."""
        categories = [c for c in item.categories if c.domain == "category" and c.slug]
        categories = [c for c in categories if c.slug != "uncategorized"]
        primary = self.index.term_slug(item.meta.get("_yoast_wpseo_primary_category", "").strip())
        categories.sort(key=lambda c: c.slug != primary)
        subjects: list[Term] = []
        if categories:
            root = self.index.root_of(categories[0].slug)
            name = self.index.term_name(root) or categories[0].name
            subjects.append(Term(name=name, rel="section", literal=slug(root, "section")))
            if root != categories[0].slug:
                notes.append(
                    f"category “{categories[0].name}” lies in “{name}”: that is the section"
                )
                subjects.append(_topic(categories[0]))
        tags = [c for c in item.categories if c.domain in {"tag", "post_tag"}]
        subjects += [_topic(c) for c in [*categories[1:], *tags]]
        known: dict[tuple[str | None, str | None], Term] = {}
        for term in subjects:
            known.setdefault((term.rel, term.literal), term)
        return list(known.values())

    @staticmethod
    def _sources(item: Item) -> list[InfoSource]:
        """Where a syndication plug-in kept the original's address."""
        url = item.meta.get("syndication_permalink", "").strip()
        name = squeeze(item.meta.get("syndication_source", "")) or host(url)
        return [InfoSource(name=name, role="agency", uri=url or None)] if name else []

    def _featured(self, item: Item) -> PhotoFile | None:
        number = item.meta.get("_thumbnail_id", "").strip()
        return self.pictures.find("", number) if number.isdigit() else None

    def _photos(self, item: Item, body: Body) -> list[Story]:
        lead = self._featured(item)
        shown = [photo.association() for photo in body.photos]
        return [lead.association("lead-photo"), *shown] if lead else shown

    def _files(self, item: Item, body: Body) -> list[PhotoFile]:
        lead = self._featured(item)
        photos: list[PhotoFile] = []
        for photo in [*([lead] if lead else []), *body.photos]:
            remember(photos, photo)
        return photos

    def _old_paths(self, item: Item, url: str) -> list[str]:
        """Every address that the old site answered for this item."""
        path = path_of(url)
        paths = [path] if path else []
        former = [slug(v) for k, v in item.meta.items() if k == "_wp_old_slug" and v]
        name = unquote(item["wp:post_name"])
        if name and name in path:
            paths += [path.replace(name, old) for old in former]
        if item.id:
            paths.append(f"/?p={item.id}" if item.type == "post" else f"/?page_id={item.id}")
        return [p for p in dict.fromkeys(paths) if len(p) < 1000]


def _topic(category: Category) -> Term:
    return Term(
        name=category.name or category.slug, rel="topic", literal=slug(category.slug, "topic")
    )
