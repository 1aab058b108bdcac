# SPDX-License-Identifier: AGPL-3.0-or-later
"""What an agency or another system wrote, as a story of ours: pure functions.

What always holds: all properties that we do not change stay; the body becomes canonical HTML in
``bodies[role=main]`` and the other bodies go; photos in ``associations`` get their role.
"""

from __future__ import annotations

import html as _html
import re

import msgspec

from tamizdat.edition.story import BYLINE_RELS, InfoSource, Story, Term, Text
from tamizdat.importers.canon import Body, canonical
from tamizdat.importers.page.article import people
from tamizdat.importers.page.sources import dateline
from tamizdat.importers.port import PhotoFile
from tamizdat.importers.words import plain, slug, squeeze

_MARKUP = re.compile(r"html|xml", re.IGNORECASE)
_TAGS = re.compile(r"<(?:p|div|h\d|br|ul|ol|blockquote|figure)\b", re.IGNORECASE)
_PICTURES = frozenset(["picture", "graphic"])
_OURS = ("photo", "lead-photo")
_NO_STORY = {
    "event": "an event is no story",
    "planning": "a plan is no story",
    "picture": "a picture without a story: it comes in as a photo of the story that shows it",
    "graphic": "a graphic without a story: it comes in as a photo of the story that shows it",
    "audio": "a recording without a story",
    "video": "a film without a story",
    "component": "a part of a story that is not itself one",
}
ISSUE_REASON = "an issue of a newsletter: it is made of stories, and no story itself"


def why_not(story: Story) -> str:
    """Why this item is no story; empty where it is one."""
    if story.pub_status == "canceled":
        return "it was cancelled by whoever published it"
    reason = ISSUE_REASON if story.is_issue else _NO_STORY.get(story.type or "", "")
    if reason:
        return reason
    if not story.headline and not any(t.value for t in story.headlines) and not story.title:
        return "" if story.bodies else "it has neither headline nor text"
    return ""


def adopt(story: Story) -> tuple[Story, list[PhotoFile], list[str]]:
    """The story in our words, its photos, and what was changed and why."""
    notes: list[str] = []
    photos = [p for item in story.associations if (p := _photo(item)) is not None]
    body = _body(story, photos, notes)
    adopted = msgspec.structs.replace(
        story,
        type="text",
        version=None,
        headlines=_headlines(story, body),
        descriptions=_descriptions(story),
        bodies=[Text(role="main", content_type="text/html", value=body.html)],
        people=_people(story),
        places=[_with_slug(p, "place") for p in story.places],
        subjects=_subjects(story),
        info_sources=_sources(story),
        slugline=story.slugline and slug(story.slugline),
        associations=_associations(story, photos, notes),
        alt_ids=[],
    )
    if not story.first_created and story.version_created:
        adopted = msgspec.structs.replace(adopted, first_created=story.version_created)
    known = {p.uri for p in photos}
    return adopted, photos + [p for p in body.photos if p.uri not in known], notes


def _headlines(story: Story, body: Body) -> list[Text]:
    main = (
        story.headline
        or next((t.value for t in story.headlines if t.value and t.role != "kicker"), "")
        or story.title
        or story.name
        or plain(body.html)[:80]
    )
    made = [Text(role="main", value=plain(main))]
    return [*made, Text(role="kicker", value=story.kicker)] if story.kicker else made


def _descriptions(story: Story) -> list[Text]:
    """A summary becomes the standfirst; other descriptions stay as they are."""
    if story.standfirst:
        return story.descriptions
    for text in story.descriptions:
        if (text.role or "").lower() in {
            "",
            "main",
            "summary",
            "abstract",
            "text",
            "short",
            "lead",
        }:
            standfirst = Text(role="standfirst", value=plain(text.value))
            return [standfirst, *(d for d in story.descriptions if d is not text)]
    return story.descriptions


def _body(story: Story, photos: list[PhotoFile], notes: list[str]) -> Body:
    """The richest body, made canonical: markup before plain text, the longest of its kind."""
    if not story.bodies:
        return Body()
    marked = [b for b in story.bodies if _is_markup(b)]
    best = max(marked or story.bodies, key=lambda b: (b.role == "main", len(b.value)))
    if best.role == "main" and best.content_type == "text/html" and len(story.bodies) == 1:
        body = canonical(best.value)
        if body.html != best.value:
            notes.append("its HTML was brought into the paper's form")
    elif _is_markup(best):
        notes.append(f"the body “{best.role or best.content_type}” was brought into our form")
        body = canonical(best.value)
    else:
        notes.append("its text came without markup: paragraphs were made of its lines")
        body = canonical(_paragraphs(best.value))
    if len(story.bodies) > 1:
        notes.append(f"{len(story.bodies) - 1} more bodies of the same text were left out")
    known = {p.url: p.uri for p in photos if p.url}
    for photo in body.photos:
        if photo.url in known:
            old, new = _html.escape(photo.uri), _html.escape(known[photo.url])
            body.html = body.html.replace(f'data-photo="{old}"', f'data-photo="{new}"')
    body.photos = [p for p in body.photos if p.url not in known]
    notes += body.notes
    return body


def _is_markup(body: Text) -> bool:
    declared = body.content_type or ""
    return bool(_MARKUP.search(declared)) or (
        declared != "text/plain" and bool(_TAGS.search(body.value))
    )


def _paragraphs(text: str) -> str:
    parts = re.split(r"\n\s*\n" if "\n\n" in text.replace("\r\n", "\n") else r"\n", text)
    return "".join(f"<p>{_html.escape(squeeze(p))}</p>" for p in parts if p.strip())


def _people(story: Story) -> list[Term]:
    """Bylines from ``people`` where it has any, else from the line ``by``."""
    if story.bylines or not story.by:
        return [_with_slug(p, "author") if p.rel in BYLINE_RELS else p for p in story.people]
    names = people(re.sub(r"^(?:by|автор:?)\s+", "", story.by, flags=re.IGNORECASE))
    written = [Term(name=n, rel="author", literal=slug(n, "author")) for n in names]
    return [*written, *story.people]


def _with_slug(term: Term, fallback: str) -> Term:
    if term.literal or not term.name:
        return term
    return msgspec.structs.replace(term, literal=slug(term.name, fallback))


def _subjects(story: Story) -> list[Term]:
    made = []
    for subject in story.subjects:
        rel = subject.rel if subject.rel in {"section", "topic", "series"} else "topic"
        if subject.name or subject.literal:
            name = subject.name or subject.literal or ""
            made.append(
                msgspec.structs.replace(
                    subject, rel=rel, name=name, literal=slug(subject.literal or name, "topic")
                )
            )
    return made


def _sources(story: Story) -> list[InfoSource]:
    """Named sources stay; an agency in the dateline or the copyright notice is one too."""
    if story.info_sources:
        return [
            s if s.role else msgspec.structs.replace(s, role="agency") for s in story.info_sources
        ]
    first = plain(story.bodies[0].value)[:400] if story.bodies else ""
    _, agency, _ = dateline(first)
    name = agency or story.copyright_holder or ""
    return [InfoSource(name=name, role="agency", uri=_link(story.uri))] if name else []


def _link(uri: str) -> str | None:
    return uri if uri.startswith(("http://", "https://")) else None


def _photo(item: Story) -> PhotoFile | None:
    """A photo among the associations; its largest file by what the item says."""
    if item.type not in _PICTURES and item.rel not in {"photo", "lead-photo"}:
        return None
    largest = max(item.renditions, key=lambda r: r.width or 0, default=None)
    url = largest.href if largest and largest.href else ""
    return PhotoFile(
        uri=item.uri,
        url=url if url.startswith(("http://", "https://")) else "",
        caption=_caption(item),
        credit=item.by or item.copyright_holder or "",
        alt=next((d.value for d in item.descriptions if d.role == "alt"), ""),
    )


def _caption(item: Story) -> str:
    words = [d for d in item.descriptions if d.value and d.role != "alt"]
    words.sort(key=lambda d: (d.role != "caption", bool(_TAGS.search(d.value))))
    return plain(words[0].value) if words else item.headline


def _associations(story: Story, photos: list[PhotoFile], notes: list[str]) -> list[Story]:
    """Photos with their role (the first leads), corrections; the rest is left out and noted."""
    by_uri = {p.uri: p for p in photos}
    made: list[Story] = []
    for item in story.associations:
        if item.uri in by_uri:
            first = not any(m.rel == "lead-photo" for m in made)
            rel = item.rel if item.rel in _OURS else "lead-photo" if first else "photo"
            made.append(by_uri[item.uri].association(rel))
        elif item.rel == "correction":
            made.append(item)
        else:
            what = item.headline or item.name or item.uri
            notes.append(f"the {item.type or 'item'} “{what}” beside it was left out")
    return made
