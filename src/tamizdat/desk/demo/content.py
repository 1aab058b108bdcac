# SPDX-License-Identifier: AGPL-3.0-or-later
"""The demo's stories, people and pages, read from ``content/``.

What always holds: reading is pure; a mistake in the content is found by a test, not by a person
who tries the demo. A file of stories is a sequence of ``+++``, settings in TOML, ``+++``, text.
Text is paragraphs parted by empty lines; ``## heading``, ``- list``, ``> pull quote`` with a last
line ``> — speaker``, ``[[photo: key]]``, ``[[gallery: key key | caption]]``, ``[[document: key]]``,
``[[table: caption`` with a row a line, ``[[box: title | key key]]``.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Literal

import msgspec

FOLDER: Traversable = files("tamizdat.desk.demo") / "content"
_HEAD = re.compile(r"^\+\+\+\n(.*?)\n\+\+\+\n", re.MULTILINE | re.DOTALL)


class _Data(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Base: typed, unknown names refused."""


class Block(_Data):
    """A block of text. ``kind`` is that of the desk's ``ArticleBody``; the rest as it needs."""

    kind: Literal["text", "heading", "pull_quote", "photo", "gallery", "table", "document", "box"]
    text: str = ""
    title: str = ""
    keys: list[str] = []
    rows: list[list[str]] = []


class StoryText(_Data):
    """One story. ``ago`` and ``in`` are as ``moment`` reads them; ``state`` is where it stands."""

    key: str
    headline: str
    section: str
    bylines: list[tuple[str, str]]
    language: str = ""
    translation_of: str = ""
    kicker: str = ""
    standfirst: str = ""
    topics: list[str] = []
    places: list[str] = []
    series: str = ""
    dateline: str = ""
    state: Literal["published", "scheduled", "review", "draft"] = "published"
    ago: str = ""
    ahead: str = msgspec.field(default="", name="in")
    embargo: bool = False
    photo: str = ""
    sensitive: bool = False
    sources: list[tuple[str, str, str, str]] = []
    correction: tuple[str, str] | None = None
    withdrawn: tuple[str, str] | None = None
    comments: list[str] = []
    pin: int = 0
    body: list[Block] = []


class PageText(_Data):
    """One version of one of the newsroom's pages."""

    kind: str
    title: str
    slug: str
    language: str = ""
    version: int = 1
    versions: int = 1
    html: str = ""


class PhotoText(_Data):
    """A picture: what to draw, and what stands under it, ``[caption, alternative text]``."""

    scene: str
    palette: str
    days: int
    credit: str
    en: tuple[str, str]
    ru: tuple[str, str]
    file_photo: bool = False


class TermText(_Data):
    """A section, topic, place or series: slug, and ``[title, description]``, in both languages."""

    slug: tuple[str, str]
    en: list[str]
    ru: list[str]


class PersonText(_Data):
    slug: str
    en: tuple[str, str]
    ru: tuple[str, str]
    pseudonym: bool = False
    note: str = ""


class AccountText(_Data):
    """Somebody who works at the demo's desk."""

    username: str
    name: str
    role: str
    superuser: bool = False


class Words(_Data):
    """What the paper says of itself in a language; ``name`` only where it is called otherwise."""

    tagline: str
    description: str
    name: str = ""


class NewsroomText(_Data):
    """``newsroom.toml``, whole."""

    organisation: str
    contact: str
    languages: dict[str, Words]
    sections: list[TermText]
    topics: list[TermText]
    places: list[TermText]
    series: list[TermText]
    people: list[PersonText]
    accounts: list[AccountText]


class NewsletterText(_Data):
    """A newsletter, its first issue, the subject of the next, and who gets it (names)."""

    slug: str
    language: str
    title: str
    about: str
    often: str
    sender_name: str
    sender: str
    hour: int
    sections: list[str]
    full_text: bool
    subject: str
    preheader: str
    note: str
    signed: str
    next: str
    readers: list[str]


def newsletters() -> list[NewsletterText]:
    raw = (FOLDER / "newsletters.toml").read_bytes()
    return msgspec.toml.decode(raw, type=dict[str, list[NewsletterText]])["newsletters"]


def newsroom() -> NewsroomText:
    return msgspec.toml.decode((FOLDER / "newsroom.toml").read_bytes(), type=NewsroomText)


def photos() -> dict[str, PhotoText]:
    raw = (FOLDER / "photos.toml").read_bytes()
    return msgspec.toml.decode(raw, type=dict[str, PhotoText])


def stories() -> list[StoryText]:
    """Every story of the demo, as the files have them."""
    found = []
    for language in ("en", "ru"):
        folder = FOLDER / "stories" / language
        for file in sorted(folder.iterdir(), key=lambda f: f.name):
            for head, text in _parts(file.read_text(encoding="utf-8")):
                story = msgspec.toml.decode(head.encode(), type=StoryText)
                story.language, story.body = language, list(blocks(text))
                found.append(story)
    return found


def pages() -> list[PageText]:
    """Every version of every page, the older first."""
    found = []
    for language in ("en", "ru"):
        raw = (FOLDER / "pages" / f"{language}.md").read_text(encoding="utf-8")
        for head, text in _parts(raw):
            page = msgspec.toml.decode(head.encode(), type=PageText)
            page.language = language
            page.html = "".join(
                f"<h2>{b.text}</h2>" if b.kind == "heading" else b.text for b in blocks(text)
            )
            found.append(page)
    return found


def moment(words: str, now: datetime, *, ahead: bool = False) -> datetime:
    """``3h`` is three hours from now; ``2d 07:40`` is twenty to eight, two days from now."""
    sign = 1 if ahead else -1
    if words.endswith("h"):
        return now + sign * timedelta(hours=float(words[:-1]))
    days, _, clock = words.partition("d ")
    hour, minute = (int(part) for part in clock.split(":"))
    day = now + sign * timedelta(days=int(days))
    return day.replace(hour=hour, minute=minute, second=0, microsecond=0)


def _parts(text: str) -> Iterator[tuple[str, str]]:
    heads = list(_HEAD.finditer(text))
    for head, following in zip(heads, [*heads[1:], None], strict=True):
        yield head[1], text[head.end() : following.start() if following else len(text)]


def blocks(text: str) -> Iterator[Block]:
    """The blocks of a text. Paragraphs and lists that follow each other are one text block."""
    pending: list[str] = []
    for part in re.split(r"\n\s*\n", text.strip()):
        if (markup := _prose(part)) is not None:
            pending.append(markup)
            continue
        if pending:
            yield Block(kind="text", text="".join(pending))
            pending = []
        yield _special(part)
    if pending:
        yield Block(kind="text", text="".join(pending))


def _prose(part: str) -> str | None:
    if part.startswith(("## ", "> ", "[[")):
        return None
    if part.startswith("- "):
        items = (f"<li>{inline(line[2:])}</li>" for line in part.splitlines())
        return f"<ul>{''.join(items)}</ul>"
    return f"<p>{inline(' '.join(part.splitlines()))}</p>"


def _special(part: str) -> Block:
    if part.startswith("## "):
        return Block(kind="heading", text=part[3:].strip())
    if part.startswith("> "):
        *said, speaker = (line.removeprefix("> ") for line in part.splitlines())
        return Block(kind="pull_quote", text=" ".join(said), title=speaker.removeprefix("— "))
    kind, _, rest = part.removeprefix("[[").removesuffix("]]").partition(":")
    return _BRACKETS[kind](rest.strip())


def _gallery(rest: str) -> Block:
    keys, _, caption = rest.partition("|")
    return Block(kind="gallery", keys=keys.split(), text=caption.strip())


def _box(rest: str) -> Block:
    title, _, keys = rest.partition("|")
    return Block(kind="box", title=title.strip(), keys=keys.split())


def _table(rest: str) -> Block:
    caption, *lines = rest.splitlines()
    rows = [[cell.strip() for cell in line.split("|")] for line in lines]
    return Block(kind="table", title=caption.strip(), rows=rows)


_BRACKETS: dict[str, Any] = {
    "photo": lambda rest: Block(kind="photo", keys=[rest]),
    "document": lambda rest: Block(kind="document", keys=[rest]),
    "gallery": _gallery,
    "box": _box,
    "table": _table,
}


def inline(text: str) -> str:
    """``**strong**`` and ``*emphasis*`` in a line of plain text."""
    text = html.escape(text, quote=False)
    text = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", text)
    return re.sub(r"\*(.+?)\*", r"<i>\1</i>", text)
