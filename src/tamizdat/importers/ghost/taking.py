# SPDX-License-Identifier: AGPL-3.0-or-later
"""What becomes of each post of a Ghost export."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

from tamizdat.edition.story import Story, Term, Text
from tamizdat.importers.canon import Body, canonical
from tamizdat.importers.canon.media import remember
from tamizdat.importers.canon.pictures import uri_of
from tamizdat.importers.ghost import cards, lexical, mobiledoc
from tamizdat.importers.ghost.export import Export, Post, Row
from tamizdat.importers.port import Left, PhotoFile, Result, Taken
from tamizdat.importers.words import date, path_of, plain, slug, squeeze

_PLACEHOLDERS = ("__GHOST_URL__", "%7B%7BGHOST_URL%7D%7D", "{{GHOST_URL}}")
_STATES = {
    "published": "",
    "draft": "it was a draft",
    "scheduled": "it was scheduled for {date}: it is a draft here",
}


class GhostImporter:
    """Reads one Ghost export. ``media`` is a copy of Ghost's ``content/images``, if there is."""

    format = "ghost"

    def __init__(self, path: Path, media: Path | None = None) -> None:
        self._path = path
        self._media = media.resolve() if media else None
        self.total = path.stat().st_size
        self.done = 0
        self._export = Export(path)
        site = self._export.settings.get("url")
        self._site = site.rstrip("/") if isinstance(site, str) else ""

    def __iter__(self) -> Iterator[Result]:
        self.done = 0
        for number, raw in enumerate(self._export.posts, 1):
            yield self._one(bytes(raw), number)
            self.done = self.total * number // len(self._export.posts)

    def _one(self, raw: bytes, number: int) -> Result:
        try:
            post = msgspec.json.decode(raw, type=Post)
        except (msgspec.DecodeError, RecursionError) as error:
            return Left(f"post {number}", f"it cannot be read: {error}", failed=True)
        named = f"post {post.id} “{squeeze(post.title or '')}”"
        beside = self._export.meta.get(str(post.id))
        if post.status == "sent" or post.email_only or (beside and beside.email_only):
            return Left(named, "it was only ever sent as mail")
        if post.status not in _STATES:
            return Left(named, f"its state “{post.status}” is not known")
        taken = self._taken(post)
        if not taken.story.headline and not taken.story.body_html:
            return Left(named, "it is empty: no title, no text")
        return taken

    def _taken(self, post: Post) -> Taken:
        notes: list[str] = []
        body = self._body(post, notes)
        published, updated = _when(post.published_at), _when(post.updated_at)
        if note := _STATES[post.status or ""]:
            notes.append(note.format(date=published or "an unknown day"))
        closed = post.visibility not in {None, "", "public"}
        if closed:
            notes.append(f"it was for {post.visibility} only: it is a draft here")
        if not published and post.status == "published":
            published = _when(post.created_at)
            notes.append("it has no date of publication: that of its making was taken")
        lead = self._lead(post)
        return Taken(
            key=f"ghost:{_host_or_id(self._site)}:{post.id}",
            story=self._story(post, body, lead, (published, updated), notes),
            kind="page" if post.page or post.type == "page" else "story",
            draft=post.status != "published" or closed,
            photos=_photos(lead, body),
            old_paths=self._old_paths(post, published),
            notes=notes,
            url=post.canonical_url or "",
        )

    def _story(
        self,
        post: Post,
        body: Body,
        lead: PhotoFile | None,
        dates: tuple[str, str],
        notes: list[str],
    ) -> Story:
        people = [
            Term(name=a.name, rel="author", literal=slug(a.slug or a.name or "", "author"))
            for a in self._export.authors_of(post)
            if a.name
        ]
        standfirst = squeeze(post.custom_excerpt or "")
        photos = [p.association() for p in body.photos]
        return Story(
            uri=f"{self._site or 'ghost:'}/?ghost={post.id}",
            type="text",
            pub_status="usable",
            language=self._language(post) or None,
            first_created=dates[0] or None,
            version_created=dates[1] or dates[0] or None,
            slugline=slug(post.slug or plain(post.title or "")),
            headlines=[Text(role="main", value=plain(post.title))] if post.title else [],
            descriptions=[Text(role="standfirst", value=standfirst)] if standfirst else [],
            bodies=[Text(role="main", content_type="text/html", value=body.html)],
            by=", ".join(p.name or "" for p in people) or None,
            people=people,
            subjects=_subjects(self._export.tags_of(post), notes),
            associations=[lead.association("lead-photo"), *photos] if lead else photos,
        )

    def _language(self, post: Post) -> str:
        known = post.locale or post.language or self._export.settings.get("lang")
        known = known or self._export.settings.get("locale")
        return str(known or "").replace("_", "-").split("-")[0].lower()

    def _body(self, post: Post, notes: list[str]) -> Body:
        """The HTML that Ghost made; without it, that of the document."""
        html = post.html or ""
        if not html.strip() and post.lexical:
            html = lexical.render(post.lexical, notes.append)
        elif not html.strip() and post.mobiledoc:
            html = mobiledoc.render(post.mobiledoc, notes.append)
        elif not html.strip() and post.markdown:
            html = cards.markdown(post.markdown)
        for placeholder in _PLACEHOLDERS:
            html = html.replace(placeholder, self._site)
        body = canonical(html, _GhostPictures(self._media, self._site), base=f"{self._site}/")
        notes += body.notes
        return body

    def _lead(self, post: Post) -> PhotoFile | None:
        source = post.feature_image or post.image or ""
        if not source:
            return None
        for placeholder in _PLACEHOLDERS:
            source = source.replace(placeholder, self._site)
        found = _GhostPictures(self._media, self._site).find(source)
        meta = self._export.meta.get(str(post.id))
        if found is None:
            return None
        return PhotoFile(
            uri=found.uri,
            path=found.path,
            url=found.url,
            caption=plain(meta.feature_image_caption or "") if meta else "",
            alt=squeeze(meta.feature_image_alt or "") if meta else "",
        )

    def _old_paths(self, post: Post, published: str) -> list[str]:
        """``/slug/``, where the export names another pattern that too, and the canonical one."""
        if not post.slug:
            return []
        paths = [f"/{post.slug}/"]
        pattern = self._export.settings.get("permalinks")
        if isinstance(pattern, str) and published and not post.page:
            named = {":year": published[:4], ":month": published[5:7], ":day": published[8:10]}
            for name, value in {**named, ":slug": post.slug}.items():
                pattern = pattern.replace(name, value)
            paths.insert(0, pattern)
        if post.canonical_url and self._site and post.canonical_url.startswith(self._site):
            paths.append(path_of(post.canonical_url))
        return [p for p in dict.fromkeys(paths) if p.startswith("/") and ":" not in p]


class _GhostPictures:
    """Pictures of Ghost's ``content/images``."""

    def __init__(self, media: Path | None, site: str) -> None:
        self.media = media
        self.site = site

    def find(self, src: str, ref: str = "") -> PhotoFile | None:
        if not src.strip() or src.startswith("data:"):
            return None
        url = src if "://" in src else f"{self.site}/{src.lstrip('/')}"
        uri = uri_of(url) if "://" in url else f"ghost:{uri_of(url).removeprefix('://')}"
        absolute = url if url.startswith(("http://", "https://")) else ""
        return PhotoFile(uri=uri, url=absolute, path=self._file(src))

    def _file(self, src: str) -> Path | None:
        if self.media is None:
            return None
        try:
            path = unquote(urlsplit(src).path).replace("\0", "").lstrip("/")
        except ValueError:
            return None
        below = path.split("content/images/")[-1]
        whole = "/".join(
            p for p in below.split("/") if not p.startswith("w") or not p[1:].isdigit()
        )
        whole = whole.removeprefix("size/")
        for name in (whole, below, f"images/{whole}", f"content/images/{whole}"):
            found = (self.media / name).resolve()
            if name and found.is_relative_to(self.media) and found.is_file():
                return found
        return None


def _photos(lead: PhotoFile | None, body: Body) -> list[PhotoFile]:
    photos: list[PhotoFile] = []
    for photo in [*([lead] if lead else []), *body.photos]:
        remember(photos, photo)
    return photos


def _host_or_id(site: str) -> str:
    return site.split("://", 1)[-1] or "ghost"


def _when(value: str | int | None) -> str:
    """RFC 3339 of Ghost's dates: text, or milliseconds in its first versions."""
    if isinstance(value, int):
        try:
            moment = datetime.fromtimestamp(value / 1000, UTC)
        except (ValueError, OverflowError, OSError):
            return ""
        return date(moment.isoformat())
    return date(value or "")


def _subjects(tags: list[Row], notes: list[str]) -> list[Term]:
    """The first public tag is the section, the others topics; internal tags are dropped."""
    hidden = [t for t in tags if (t.name or "").startswith("#") or t.visibility == "internal"]
    if hidden:
        names = ", ".join(t.name or "" for t in hidden)
        notes.append(f"tags that only the old site's editors saw were dropped: {names}")
    made: list[Term] = []
    for tag in tags:
        if tag in hidden or not (tag.name or tag.slug):
            continue
        rel = "topic" if made else "section"
        name = tag.name or tag.slug or ""
        made.append(Term(name=name, rel=rel, literal=slug(tag.slug or name, rel)))
    return made
