# SPDX-License-Identifier: AGPL-3.0-or-later
"""From an issue in the desk to what readers get of it (``mail.content``): pure reading.

What always holds:

- Stories are as they were published last (``StoryHead``): never a draft, nothing withdrawn.
- The same issue over the same stories gives the same content, byte for byte.
- No reader is in it: links that differ between readers hold placeholders.

What is not done here: laying it out (``mail.layout``), approving it (``approval``).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import date, timedelta
from html import escape
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec
from django.conf import settings
from django.db.models import Prefetch

from tamizdat.desk.newsletter.models import Issue, IssueItem, IssueSection, Newsletter
from tamizdat.desk.newsletter.notices import paper_name, policy_address
from tamizdat.desk.newsletter.pictures import WIDTH, small
from tamizdat.desk.newsroom.media import media_path
from tamizdat.desk.newsroom.models import NewsroomSettings
from tamizdat.desk.newsroom.photos import renditions_for
from tamizdat.desk.outgoing import links
from tamizdat.desk.publishing.models import StoryHead
from tamizdat.desk.publishing.versions import stored
from tamizdat.edition import body, paths
from tamizdat.edition.signed import cohorts, layout, programs, roles
from tamizdat.edition.signed.cohorts import Cohort
from tamizdat.edition.signed.folder import Folder
from tamizdat.edition.site import Language
from tamizdat.edition.story import Story
from tamizdat.mail.content import (
    PREFERENCES,
    UNSUBSCRIBE,
    Content,
    File,
    Foot,
    Heading,
    Item,
    Picture,
    Text,
    Told,
)

if TYPE_CHECKING:
    from tamizdat.desk.newsroom.models import Photo, PhotoFile

PICTURE_CID = "picture@issue"
_ADDRESS = re.compile(r"https?://[^\s<>\"]*[^\s<>\".,;:!?)\]»”’']")
_MARKUP = re.compile(r"</?(?:p|ul|ol|li|a|em|strong|b|i|br)\b[^>]*>", re.IGNORECASE)


def content_of(issue: Issue, *, text: Text) -> tuple[Content, dict[str, bytes]]:
    """What readers of this form get, and the bytes of its files by sha-256.

    Raises ``OSError`` where a photo's file cannot be read.
    """
    newsletter, files = issue.newsletter, dict[str, bytes]()
    sections, words = _sections(issue), NewsroomSettings.load()
    stories = published({row.article.story_uri for one in sections for row in one.items.all()})
    picture, inline = _picture(issue, list(stories.values()), files)
    return Content(
        newsletter=newsletter.title,
        slug=newsletter.slug,
        number=issue.number,
        day=day_of(issue).isoformat(),
        language=newsletter.language,
        direction=Language(code=newsletter.language, name="").direction,
        subject=issue.subject,
        preheader=issue.preheader,
        paper=paper_name(newsletter.language),
        address=_address(),
        note=letter_html(issue.note),
        signed=issue.signed,
        picture=picture,
        headings=tuple(_headings(sections, stories, newsletter.language, text)),
        foot=_foot(issue, words.contact),
        text=text,
        accent=words.accent,
        accent_dark=words.accent_dark,
        files=(*inline, *_reader(newsletter, text, files)),
    ), files


def told_to_cohorts(newsletter: Newsletter) -> tuple[dict[str, Told], dict[str, bytes]]:
    """What each cohort of the settings is told alone, by its name, and the bytes of its files."""
    files = dict[str, bytes]()
    form: Text = "full" if newsletter.full_text else "summary"
    return {
        one.name: Told(entries=one.entries, files=_reader(newsletter, form, files, one.name))
        for one in settings.NEWSROOM.settings.cohorts
    }, files


def day_of(issue: Issue) -> date:
    """The day that stands in its head, in the newsletter's zone: when it went or is to go out, and
    while nobody has said so, the newsletter's next day after it was begun."""
    known = issue.started or issue.scheduled_for
    local = (known or issue.created).astimezone(ZoneInfo(issue.newsletter.zone)).date()
    if known:
        return local
    return local + timedelta(days=(issue.newsletter.weekday - local.weekday()) % 7)


def issue_url(issue: Issue) -> str:
    """Where the issue stands in the paper once it was sent."""
    newsletter = issue.newsletter
    path = paths.issue_path(newsletter.language, newsletter.slug, issue.number)
    return _address() + paths.url(path)


def letter_html(note: str) -> str:
    """A note as HTML: as it is where it has markup (it is cleaned when it is laid out), else its
    paragraphs, with web addresses as links."""
    if _MARKUP.search(note):
        return note
    paragraphs = re.split(r"\n\s*\n", note.replace("\r\n", "\n").strip())
    return "".join(f"<p>{_lines(one)}</p>" for one in paragraphs if one.strip())


def _lines(paragraph: str) -> str:
    linked = _ADDRESS.sub(
        lambda found: f'<a href="{found[0]}">{found[0]}</a>', escape(paragraph.strip(), quote=False)
    )
    return linked.replace("\n", "<br>")


def _address() -> str:
    return str(settings.NEWSROOM.settings.address.rstrip("/"))


# Stories


def _sections(issue: Issue) -> list[IssueSection]:
    items = IssueItem.objects.select_related("article").defer("article__body")
    return list(issue.sections.prefetch_related(Prefetch("items", items)))


def _headings(
    sections: list[IssueSection], stories: dict[str, Story], language: str, text: Text
) -> Iterator[Heading]:
    for section in sections:
        shown = [
            item_of(item, stories[item.article.story_uri], section.title, language, text)
            for item in section.items.all()
            if item.article.story_uri in stories
        ]
        if shown:
            yield Heading(title=section.title, items=tuple(shown))


def published(uris: set[str]) -> dict[str, Story]:
    """The newest version of each of these stories that readers may read. One query."""
    heads = StoryHead.objects.filter(uri__in=uris, pub_status="usable").select_related("version")
    return {head.uri: stored(head.version) for head in heads}


def item_of(item: IssueItem, story: Story, heading: str, language: str, text: Text) -> Item:
    """A story as an issue in this language shows it under a heading, which it does not repeat."""
    own = story.language or language
    notes = [note.bodies[0].value for note in story.corrections if note.bodies]
    section = story.section
    kicker = story.kicker or (section.name or "" if section else "")
    return Item(
        headline=item.headline or story.headline,
        url=_address() + paths.url(story.path),
        blurb=item.blurb or story.standfirst,
        kicker="" if kicker.casefold() == heading.strip().casefold() else kicker,
        byline=story.by or "",
        minutes=body.reading_minutes(body.count_words(story.body_html), own),
        corrected=notes[-1] if notes else "",
        html=story.body_html if text == "full" else "",
        language="" if own == language else own,
    )


# The picture of the week


def _picture(
    issue: Issue, stories: list[Story], files: dict[str, bytes]
) -> tuple[Picture | None, tuple[File, ...]]:
    photo, wanted = issue.picture, issue.newsletter.pictures
    if photo is None or wanted == Newsletter.Pictures.NONE:
        return None, ()
    if wanted == Newsletter.Pictures.REMOTE:
        file = _of_paper(photo)
        shown = Picture(
            alt="", src=_address() + media_path(file.sha256, file.media_type), width=file.width
        )
        return _described(shown, file.height, issue, photo, stories), ()
    made = small(photo)
    sha256 = hashlib.sha256(made.data).hexdigest()
    files[sha256] = made.data
    inline = File(name="picture.jpg", media_type="image/jpeg", sha256=sha256, cid=PICTURE_CID)
    shown = Picture(alt="", cid=PICTURE_CID, width=made.width)
    return _described(shown, made.height, issue, photo, stories), (inline,)


def _described(
    shown: Picture, height: int, issue: Issue, photo: Photo, stories: list[Story]
) -> Picture:
    """With its words: the issue's own, else those it has above a story of the issue in the issue's
    language, else the photo's."""
    above = (story.lead_photo for story in stories if story.language == issue.newsletter.language)
    known = {
        one.role: one.value
        for item in above
        if item and item.uri == photo.uri
        for one in item.descriptions
    }
    return msgspec.structs.replace(
        shown,
        height=height,
        alt=known.get("alt") or photo.alt_text,
        caption=issue.picture_caption or known.get("caption") or photo.caption,
        credit=photo.credit,
    )


def _of_paper(photo: Photo) -> PhotoFile:
    jpegs = [file for file in renditions_for(photo) if file.media_type == "image/jpeg"]
    return next((one for one in jpegs if one.width >= WIDTH), jpegs[-1])


# The foot


def _foot(issue: Issue, contact: str) -> Foot:
    newsletter, newsroom = issue.newsletter, settings.NEWSROOM.settings
    unsubscribe, preferences = ways_out(newsletter)
    return Foot(
        unsubscribe=unsubscribe,
        preferences=preferences,
        web=issue_url(issue),
        privacy=policy_address(newsletter.language),
        contact=contact,
        postal=newsletter.postal,
        entries=tuple(entry for entry in newsroom.paper.entries if entry != newsroom.address),
        fingerprint=_fingerprint(),
    )


def ways_out(newsletter: Newsletter) -> tuple[str, str]:
    """Where a reader leaves, and where they change what they get: pages of the first drop. In a
    newsroom without one a reader leaves by answering, and preferences are nowhere."""
    newsroom, language = settings.NEWSROOM, newsletter.language
    if not newsroom.settings.letterboxes:
        to = newsletter.reply_to or newsletter.sender_address
        return f"mailto:{to}?subject=unsubscribe%20{UNSUBSCRIBE}", ""
    return (
        links.address(newsroom, "unsubscribe", UNSUBSCRIBE, language),
        links.address(newsroom, "preferences", PREFERENCES, language),
    )


def _fingerprint() -> str:
    """Of the root that is in force; empty where the paper is not signed."""
    files = Folder(settings.NEWSROOM.edition)
    versions = files.versions("root")
    if not versions:
        return ""
    return roles.fingerprint(files.read(layout.metadata_name("root", versions[-1])))


def _reader(
    newsletter: Newsletter, text: Text, files: dict[str, bytes], cohort: str = ""
) -> tuple[File, ...]:
    """The paper's reader as one file, with whole articles, where the newsletter wants it so and
    the paper is signed; that of a cohort knows its mirrors."""
    if text != "full" or not newsletter.attach_reader:
        return ()
    data = programs.single_file(settings.NEWSROOM.edition, _with_mirrors(cohort))
    if data is None:
        return ()
    sha256 = hashlib.sha256(data).hexdigest()
    files[sha256] = data
    return (File(name=f"{newsletter.slug}-reader.html", media_type="text/html", sha256=sha256),)


def _with_mirrors(cohort: str) -> Cohort | None:
    """A cohort that has mirrors of its own; None where it has none."""
    newsroom = settings.NEWSROOM
    if not any(mirror.cohort == cohort for mirror in newsroom.settings.announced if cohort):
        return None
    return cohorts.cohort(cohorts.secret(newsroom.secrets), cohort)
