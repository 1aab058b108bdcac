# SPDX-License-Identifier: AGPL-3.0-or-later
"""An issue and a notice, laid out as HTML and as plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeVar

import msgspec
from markupsafe import Markup

from tamizdat.mail.content import Content, Foot, Item, Laid, Notice, Picture
from tamizdat.mail.layout import bodies, templates, text, words
from tamizdat.mail.layout.addresses import address
from tamizdat.mail.layout.look import look

_WIDTH = 560  # of the column, in CSS pixels
# Keeps what follows the preheader out of the list of mails, where a program shows two lines.
_FILLER = "\u00a0\u200c" * 60
_Struct = TypeVar("_Struct", bound=msgspec.Struct)


class Story(NamedTuple):
    """``number`` counts from 1 through the issue; ``first`` is it under its
    heading. ``tongue`` is the language as attributes, where
    it is not the issue's own. ``links`` are those of ``text_body``, in order."""

    number: int
    first: bool
    item: Item
    url: str
    minutes: str
    text_meta: list[str]
    tongue: Markup
    body: Markup
    text_body: Markup
    links: list[str]


class Section(NamedTuple):
    title: str
    stories: list[Story]


class Shown(NamedTuple):
    of: Picture
    source: str
    width: int
    height: int


def issue(content: Content) -> Laid:
    """Lay out an issue. Raises ``LayoutError`` where its day or a colour is none."""
    content = _plainly(content)
    values = _values(content)
    seen = look(content.language, content.direction, content.accent, content.accent_dark)
    html = templates.html("issue", seen, values)
    return Laid(subject=content.subject, html=html, plain=_text(content, values))


def plain(content: Content) -> str:
    """The plain text of an issue alone."""
    content = _plainly(content)
    return _text(content, _values(content))


def notice(notice: Notice) -> Laid:
    """Lay out a notice. Raises ``LayoutError`` where a colour is none."""
    notice = _plainly(notice)
    rtl = notice.direction == "rtl"
    values = {
        "c": notice,
        "dir": notice.direction,
        "start": "right" if rtl else "left",
        "words": words.words(notice.language),
        "url": address(notice.url),
        "title_mark": text.TITLE,
    }
    seen = look(notice.language, notice.direction, notice.accent, notice.accent_dark)
    html = templates.html("notice", seen, values)
    as_text = text.render(templates.fragment("notice_text", values), rtl=rtl)
    return Laid(subject=notice.subject, html=html, plain=as_text)


def _values(content: Content) -> dict[str, Any]:
    own = words.words(content.language)
    headings = _sections(content)
    return {
        "c": content,
        "dir": content.direction,
        "start": "right" if content.direction == "rtl" else "left",
        "end": "left" if content.direction == "rtl" else "right",
        "dot": _dot(content),
        "words": own,
        "number": own["number"].format(number=content.number),
        "day": words.day(content.language, content.day),
        "web": address(content.foot.web),
        "filler": _FILLER,
        "full": content.text == "full",
        "note": bodies.letter(content.note, content.address),
        "contribution": bodies.letter(content.contribution, content.address),
        "picture": _picture(content.picture),
        "headings": headings,
        "stories": [story for heading in headings for story in heading.stories],
        **_foot(content),
    }


def _sections(content: Content) -> list[Section]:
    number = 0
    sections = []
    for heading in content.headings:
        stories: list[Story] = []
        for item in heading.items:
            number += 1
            stories.append(_story(number, not stories, item, content))
        sections.append(Section(heading.title, stories))
    return [section for section in sections if section.stories]


def _story(number: int, first: bool, item: Item, content: Content) -> Story:
    own = words.words(content.language)
    minutes = words.minutes(content.language, item.minutes) if item.minutes > 0 else ""
    body = Markup("")
    if content.text == "full" and item.html:
        body = bodies.article(item.html, item.url or content.address, own)
    links: list[str] = []
    return Story(
        number=number,
        first=first,
        item=item,
        url=address(item.url),
        minutes=minutes,
        text_meta=[part for part in (item.kicker, item.byline, minutes) if part],
        tongue=_tongue(item.language, content),
        body=body,
        text_body=bodies.in_text(body, links),
        links=links,
    )


def _dot(content: Content) -> str:
    """What stands between two names; in Arabic it says so, as it would turn round after a Latin
    one."""
    return "\u200f · " if content.direction == "rtl" else " · "


def _tongue(language: str, content: Content) -> Markup:
    if not language or language == content.language:
        return Markup("")
    direction = "rtl" if words.is_rtl(language) else "ltr"
    side = "right" if direction == "rtl" else "left"
    turned = (
        f' dir="{direction}" style="text-align:{side}"' if direction != content.direction else ""
    )
    return Markup(' lang="{}"{}').format(language, Markup(turned))  # noqa: S704 - ltr or rtl.


def _picture(picture: Picture | None) -> Shown | None:
    """What is shown: the file that is sent along, else the paper's where the newsroom chose so."""
    if picture is None:
        return None
    source = f"cid:{picture.cid}" if _CID.fullmatch(picture.cid) else _web(picture.src)
    if not source:
        return None
    width = min(picture.width, _WIDTH) or _WIDTH
    height = round(picture.height * width / picture.width) if picture.width else 0
    return Shown(picture, source, width, height)


_CID = re.compile(r"[A-Za-z0-9._@-]{1,200}")


def _web(url: str) -> str:
    return address(url) if url.lower().startswith(("https://", "http://")) else ""


def _foot(content: Content) -> dict[str, Any]:
    own, foot = words.words(content.language), content.foot
    key = re.sub(r"\s", "", foot.fingerprint)
    return {
        "why": own["why"].format(newsletter=content.newsletter),
        "ways": list(_ways(foot, own)),
        "entries": [entry for entry in map(address, foot.entries) if entry],
        "fingerprint": [key[at : at + 8] for at in range(0, len(key), 8)],
        "attached": any(not file.cid for file in content.files),
    }


def _ways(foot: Foot, own: Any) -> Iterator[tuple[str, str]]:
    contact = foot.contact
    if contact and not address(contact) and "@" in contact:
        contact = f"mailto:{contact}"
    for name, url in (
        ("leave", foot.unsubscribe),
        ("preferences", foot.preferences),
        ("privacy", foot.privacy),
        ("contact", contact),
    ):
        if address(url):
            yield own[name], address(url)


def _text(content: Content, values: dict[str, Any]) -> str:
    of_note: list[str] = []
    of_contribution: list[str] = []
    values = values | {
        "title_mark": text.TITLE,
        "heading_mark": text.HEADING,
        "rule_mark": text.RULE,
        "picture_of": content.picture,
        "note": bodies.in_text(values["note"], of_note),
        "note_links": of_note,
        "contribution": bodies.in_text(values["contribution"], of_contribution),
        "contribution_links": of_contribution,
        "ways": [(name, _readable(url)) for name, url in values["ways"]],
    }
    html = templates.fragment("issue_text", values)
    return text.render(html, rtl=content.direction == "rtl")


def _readable(url: str) -> str:
    """An address of mail as people write it."""
    return url if "?" in url else url.removeprefix("mailto:")


def _plainly(struct: _Struct) -> _Struct:
    """The same with no control character in any of its words."""
    cleaned = {name: _clean(getattr(struct, name)) for name in struct.__struct_fields__}
    return msgspec.structs.replace(struct, **cleaned)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return text.plainly(value)
    if isinstance(value, tuple):
        return tuple(_clean(one) for one in value)
    return _plainly(value) if isinstance(value, msgspec.Struct) else value
