# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is to be looked at before an issue goes out, and what to do about it.

What always holds: only what can be seen in the issue is judged; nothing is asked of the network;
every remark says what to do. ``blocking`` ones stop approval and sending.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from django.conf import settings

from tamizdat.desk.newsletter import approval, composition, links
from tamizdat.desk.newsletter.content import content_of
from tamizdat.desk.newsletter.links import Link
from tamizdat.desk.newsletter.models import Issue, Newsletter
from tamizdat.mail import layout
from tamizdat.mail.content import UNSUBSCRIBE, Content, Laid, Text
from tamizdat.mail.errors import MailError

SUBJECT_FITS = 60
HEAVY = 700_000
_ANSWER = re.compile(r"\s*(re|fw|fwd|aw|sv|tr|отв|рез)\s*:", re.IGNORECASE)


@dataclass(frozen=True)
class Check:
    """``level``: ``must`` (blocks), ``advice``, or ``good``."""

    level: str
    words: str
    todo: str = ""

    @property
    def blocking(self) -> bool:
        return self.level == "must"


@dataclass
class Seen:
    """What stands in a laid out mail: links with their words, pictures without words."""

    links: list[tuple[str, str]] = field(default_factory=list)
    silent: int = 0
    remote: int = 0


@dataclass(frozen=True)
class Form:
    """One form of an issue (``summary``, ``full``), laid out. ``bytes`` is the whole mail's."""

    text: Text
    content: Content
    laid: Laid
    files: dict[str, bytes]
    weight: layout.Weight
    seen: Seen

    @property
    def bytes(self) -> int:
        files = sum(len(data) for data in self.files.values())
        return self.weight.html + self.weight.plain + files * 137 // 100


class _Reader(HTMLParser):
    """Collects links and pictures. A link to a place in the same mail is none that can fail."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen = Seen()
        self._href: str | None = None
        self._words: list[str] = []
        self._places: set[str] = set()

    def read(self, html: str) -> Seen:
        self.feed(html)
        self.seen.links = [one for one in self.seen.links if one[0] not in self._places]
        return self.seen

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if found.get("id"):
            self._places.add(f"#{found['id']}")
        if tag == "a" and "href" in found:
            self._href, self._words = found["href"] or "", []
        elif tag == "img":
            # An empty text is said on purpose: the picture adds nothing to the words around it.
            self.seen.silent += "alt" not in found
            self.seen.remote += str(found.get("src") or "").startswith(("http:", "https:", "//"))

    def handle_data(self, data: str) -> None:
        if self._href is not None:
            self._words.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._href is not None:
            self.seen.links.append((self._href, " ".join("".join(self._words).split())))
            self._href = None


def lay_out(issue: Issue, text: Text) -> Form:
    """Raises ``MailError``, and ``OSError`` where a photo's file cannot be read."""
    content, files = content_of(issue, text=text)
    laid = layout.issue(content)
    seen = _Reader().read(laid.html)
    return Form(text, content, laid, files, layout.weight(laid), seen)


def of(issue: Issue) -> list[Check]:
    """Everything there is to say, what blocks first."""
    found = list(_all(issue))
    order = {"must": 0, "advice": 1, "good": 2}
    return sorted(found, key=lambda check: order[check.level])


def _all(issue: Issue) -> Iterator[Check]:
    yield from _of_words(issue)
    yield from _of_stories(issue)
    yield from _of_sender(issue.newsletter)
    try:
        forms = [lay_out(issue, text) for text in approval.forms_of(issue)]
    except MailError as error:
        yield Check("must", f"It cannot be laid out: {error}.")
        return
    except OSError:
        yield Check("must", "The photo's file cannot be read.", "Choose another picture, or none.")
        return
    for form in forms:
        yield from _of_form(form, len(forms) > 1)
    yield from _of_links(links_of(forms))


def links_of(forms: list[Form]) -> list[Link]:
    """Every address in these forms, once."""
    web = forms[0].content.foot.web if forms else ""
    return links.judge((pair for form in forms for pair in form.seen.links), web=web)


def _of_words(issue: Issue) -> Iterator[Check]:
    subject = issue.subject.strip()
    if not subject:
        yield Check("must", "It has no subject.", "Write one: most readers see nothing else.")
    elif len(subject) > SUBJECT_FITS:
        yield Check(
            "advice",
            f"The subject has {len(subject)} characters; phones show about {SUBJECT_FITS} or less.",
            "Put what matters at its beginning.",
        )
    if _ANSWER.match(subject):
        yield Check(
            "advice",
            "The subject begins like an answer to a mail.",
            "Begin it otherwise: large receivers forbid this, and readers feel tricked.",
        )
    if len(subject) > 12 and subject.isupper():
        yield Check("advice", "The subject is in capitals.", "Filters take it for noise.")
    if not issue.preheader.strip():
        yield Check(
            "advice",
            "It has no preheader: mail programs then show the first words of the mail beside the "
            "subject.",
            "Write a sentence that goes on from the subject.",
        )


def _of_stories(issue: Issue) -> Iterator[Check]:
    rows = composition.items_of(issue)
    if not rows:
        yield Check("must", "No story is picked.", "Pick at least one, or use Suggest.")
    articles = [row.article for row in rows]
    flags = composition.flags_of(
        articles,
        {row.article_id: row.picked for row in rows},
        composition.newest_versions(articles),
    )
    for row in rows:
        flag, _ = flags[row.article_id]
        if flag == "withdrawn":
            yield Check(
                "must", f"“{row.article.headline}” was withdrawn.", "Take it out of the issue."
            )
        elif flag == "corrected":
            yield Check(
                "advice",
                f"“{row.article.headline}” was corrected since it was picked.",
                "See whether headline and blurb still hold, and mark it as seen.",
            )
    filled = {row.section_id for row in rows}
    for section in issue.sections.all():
        if section.pk not in filled:
            yield Check(
                "advice",
                f"The heading “{section.title}” is empty.",
                "Readers do not see it. Fill it, or remove it.",
            )


def _of_sender(newsletter: Newsletter) -> Iterator[Check]:
    problem = sender_problem(newsletter.sender_address)
    if problem:
        yield Check("advice", problem, "Ask the operator to add its key, or use another address.")
    if not newsletter.postal.strip():
        yield Check(
            "advice",
            "No postal address stands at the foot.",
            "Many countries ask for one. It is set with the newsletter.",
        )


def sender_problem(address: str) -> str:
    """What is wrong with this sender, or nothing: whether its domain is one we sign for."""
    domain = address.rpartition("@")[2].lower()
    signed = {key.domain.lower() for key in settings.NEWSROOM.settings.mail.dkim}
    if not domain or any(domain == own or domain.endswith(f".{own}") for own in signed):
        return ""
    known = f" Mail is signed for: {', '.join(sorted(signed))}." if signed else ""
    return (
        f"Mail from {domain} is not signed (DKIM) by this newsroom: Gmail, Yahoo and Microsoft "
        f"refuse it or file it as spam.{known}"
    )


def _of_form(form: Form, several: bool) -> Iterator[Check]:
    which = {"summary": " (headlines)", "full": " (whole articles)"}[form.text] if several else ""
    yield from _of_weight(form, which)
    if form.seen.silent:
        yield Check(
            "advice",
            f"{form.seen.silent} picture(s) have no words for those who cannot see them{which}.",
            "Write an alternative text with the photo.",
        )
    if form.content.picture is not None and not form.content.picture.alt.strip():
        yield Check(
            "advice",
            f"The picture of the week has no alternative text{which}.",
            "Write one with the photo: many mail programs show it in place of the picture.",
        )
    if UNSUBSCRIBE not in form.laid.html or UNSUBSCRIBE not in form.laid.plain:
        yield Check(
            "must",
            f"A link to unsubscribe is missing{which}.",
            "Reload the page; if it stays so, tell the operator: the layout is broken.",
        )
    if form.seen.remote:
        yield Check(
            "advice",
            f"{form.seen.remote} picture(s) are fetched from the paper when the mail is opened"
            f"{which}: it then learns when, and from where.",
            "Choose pictures inside the mail, or none, with the newsletter.",
        )


def _of_weight(form: Form, which: str) -> Iterator[Check]:
    size = f"{form.weight.html / 1024:.0f} kB of HTML{which}"
    if form.weight.cut is None:
        yield Check("good", f"{size}: Gmail shows all of it (it cuts at 102 kB).")
    else:
        where = f" in “{form.weight.headline}”" if form.weight.headline else ""
        behind = f", and {form.weight.unseen} stories behind it" if form.weight.unseen else ""
        todo = (
            "Readers of whole articles get a link to the rest: put what matters first."
            if form.text == "full"
            else "Shorten blurbs or take stories out."
        )
        yield Check("advice", f"{size}: Gmail cuts it{where}{behind}.", todo)
    if form.bytes > HEAVY:
        yield Check(
            "advice",
            f"The whole mail has {form.bytes / 1024:.0f} kB{which}.",
            "A smaller picture, or none, spares readers on slow lines.",
        )


def _of_links(found: list[Link]) -> Iterator[Check]:
    for link in found:
        if link.kind in links.BAD:
            yield Check(
                "must" if link.kind == links.WITHDRAWN else "advice",
                f"“{link.words or link.url}” leads to {links.WORDS[link.kind]}: {link.url}"
                if link.kind != links.NOWHERE
                else f"“{link.words or link.url}” leads nowhere: {link.url}",
                "Mend or remove the link.",
            )
        elif _deceives(link):
            yield Check(
                "advice",
                f"A link shows {link.words} and leads to {link.url}.",
                "Let the words say where it leads: filters take this for a trick.",
            )
    if not any(link.bad for link in found):
        yield Check("good", f"{len(found)} links, none of them to a page that is not there.")


def _deceives(link: Link) -> bool:
    """Whether its words are another host's address."""
    shown = re.match(r"https?://([^/\s]+)", link.words)
    return shown is not None and shown[1].lower() not in link.url.lower()
