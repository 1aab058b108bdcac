# SPDX-License-Identifier: AGPL-3.0-or-later
"""What readers and providers ask of a drop (docs/format/submission-v1.md, section 4).

What always holds: GET and HEAD change nothing; "yes" is said only after the submission lies on
the disk; plain forms are sealed as they arrive and their words written nowhere; a form in which
something is wrong comes back with the reader's words; nobody is erased by one press of a button.

What is not done here: reading the request (``app``), the collector's requests (``collecting``).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from tamizdat.drop import forms
from tamizdat.drop.answers import (
    ANYBODY,
    Answer,
    Request,
    page,
    refused,
    refused_page,
    see_other,
    told,
)
from tamizdat.drop.envelope import MOST_SEAL, SIZES, check_sealed, seal, submission
from tamizdat.drop.errors import (
    FieldError,
    FullError,
    SealError,
    SubmissionError,
    TooLargeError,
)
from tamizdat.drop.kinds import KINDS, MOST_WEBHOOK, SLUG, TOKEN, kind_of
from tamizdat.drop.limits import Counters, Purpose
from tamizdat.drop.pages import ASKED_BY, DONE, ERASE, FORMS, TOKENS, Pages
from tamizdat.drop.settings import Settings, recipients
from tamizdat.drop.work import Work
from tamizdat.drop.writer import Share, Writer

MOST_SEALED = SIZES[-1] + MOST_SEAL
_PATH = re.compile(r"/\S{0,499}\Z")
_WEIGHT = 16_384
_NEEDS = {"amount": "amount", "pause": "until"}  # What a wish about a gift cannot do without.
_FROM_MAILS = ("confirm", "unsubscribe", "stop-reminding")
_PREFLIGHT = [
    *ANYBODY,
    (b"access-control-allow-methods", b"GET, POST"),
    (b"access-control-allow-headers", b"content-type"),
    (b"access-control-max-age", b"86400"),
]


class Route(NamedTuple):
    """Where a request goes: what is allowed there, and the longest body. ``program``: refusals
    are JSON; ``anybody``: scripts of other origins may read the answer."""

    methods: tuple[str, ...]
    most: int = 0
    program: bool = False
    anybody: bool = False


class Letters:
    """Answers readers. ``writer`` keeps, ``counters`` and ``work`` hold floods off."""

    def __init__(
        self, settings: Settings, pages: Pages, writer: Writer, counters: Counters, work: Work
    ) -> None:
        self._pages = pages
        self._writer = writer
        self._counters = counters
        self._work = work
        self._recipients = recipients(settings)
        self._providers = {provider.name: provider.headers for provider in settings.webhooks}

    def route(self, path: tuple[str, ...]) -> Route | None:
        """None where there is nothing."""
        if path == ("sealed",):
            return Route(("POST",), MOST_SEALED, program=True, anybody=True)
        if path in (("challenge",), ("health",)):
            return Route(("GET", "HEAD"), program=True, anybody=True)
        if len(path) == 2 and path[0] == "done" and path[1] in DONE:
            return Route(("GET", "HEAD"))
        if len(path) == 2 and path[0] == "webhook" and path[1] in self._providers:
            return Route(("POST",), MOST_WEBHOOK, program=True)
        if path[:1] and path[0] in FORMS and len(path) == 1:
            return Route(("GET", "HEAD", "POST"), forms.MOST_FORM)
        if path[:1] and path[0] in TOKENS:
            if len(path) == 1:
                return Route(("POST",), forms.MOST_FORM)
            return Route(("GET", "HEAD", "POST"), forms.MOST_FORM) if len(path) == 2 else None
        return None

    def language(self, request: Request) -> str:
        accepted = request.headers.get("accept-language", "")
        return self._pages.language(request.query.get("language", ""), accepted)

    def refuse(self, code: str, request: Request, route: Route | None) -> Answer:
        """A refusal in the way that whoever asks can read."""
        language = self.language(request)
        if route is not None and route.program:
            return refused(code, language, ANYBODY if route.anybody else None)
        return refused_page(self._pages, code, language)

    def preflight(self, route: Route) -> Answer:
        allow = (b"allow", ", ".join((*route.methods, "OPTIONS")).encode())
        return Answer(204, b"", [allow, *(_PREFLIGHT if route.anybody else [])])

    def gate(self, request: Request, route: Route) -> Answer | None:
        """A refusal where too much comes from there; asked before the body is read."""
        if request.method != "POST":
            return None
        purpose = _purpose(request.path[0])
        verdict = self._counters.ask(request.network, purpose)
        proven = verdict.work and self._work.check(_proof(request))
        if verdict.allowed or proven:
            self._counters.count(request.network, purpose, weight_of(request, route.most))
            return None
        language = self.language(request)
        if not route.program:
            return refused_page(self._pages, "busy", language)
        more = ANYBODY if route.anybody else None
        if not verdict.work:
            return refused("busy", language, more)
        return refused("busy", language, more, challenge=self._work.challenge(verdict.work))

    async def answer(self, request: Request) -> Answer:
        """To a request that its route allows."""
        name, rest = request.path[0], request.path[1:]
        if request.method != "POST":
            return self._shown(name, rest, request)
        if name == "sealed":
            return await self._sealed(request)
        if name == "webhook":
            return await self._webhook(rest[0], request)
        return await self._form(name, rest[0] if rest else None, request)

    def _shown(self, name: str, rest: tuple[str, ...], request: Request) -> Answer:
        language = self.language(request)
        if name == "health":
            return told(200, {"ok": True}, ANYBODY)
        if name == "challenge":
            verdict = self._counters.ask(request.network, Purpose.SUBMIT)
            found = self._work.challenge(verdict.work) if verdict.work else None
            return told(200, {"challenge": found}, ANYBODY)
        if name == "done":
            return page(200, self._pages.done(rest[0], language))
        if rest and not TOKEN.match(rest[0]):
            return refused_page(self._pages, "malformed", language)
        values = _begun(name, request.query)
        # Who opens a link from a mail shows its token: that connection is given up too.
        return page(200, self._pages.form(name, language, values=values), private=bool(rest))

    async def _sealed(self, request: Request) -> Answer:
        sealed = bytes(request.body)
        try:
            check_sealed(sealed)
            await self._writer.keep(sealed, Share.COMMON)
        except SealError:
            return refused("malformed", self.language(request), ANYBODY)
        except TooLargeError:
            return refused("too-large", self.language(request), ANYBODY)
        except FullError:
            return refused("full", self.language(request), ANYBODY)
        return told(200, {"ok": True}, ANYBODY)

    async def _webhook(self, provider: str, request: Request) -> Answer:
        named = self._providers[provider]
        found = {
            "provider": provider,
            "headers": {name: request.headers[name] for name in named if name in request.headers},
            "body": base64.b64encode(request.body).decode(),
        }
        language = self._pages.languages[0]
        code = await self._kept("webhook", language, found, Share.PROVIDERS)
        if code is not None:
            return refused(code, language)._replace(private=True)
        return told(200, {"ok": True})._replace(private=True)

    async def _form(self, name: str, token: str | None, request: Request) -> Answer:
        language = self.language(request)
        try:
            values = forms.read_form(request.content_type, request.body)
        except SubmissionError:
            return refused_page(self._pages, "malformed", language)
        language = self._pages.language(values.get("language", [""])[0], language)
        if any(values.get(forms.TRAP, ())):
            return see_other(name, language)
        erases = name in ("preferences", "gift") and ERASE in values.get("ask", ())
        if erases and token and TOKEN.match(token) and forms.SURE not in values:
            return page(200, self._pages.sure(language), private=True)
        one_click = name == "unsubscribe" and "List-Unsubscribe" in values
        found = forms.fields(kind_of(name), values, token)
        if one_click:
            found["one_click"] = True
        share = Share.TOKENS if name in _FROM_MAILS else Share.COMMON
        try:
            if name == "gift":
                _require(found)
            code = await self._kept(name, language, found, share)
        except FieldError as error:
            return self._again(name, language, values, error)
        if code is not None:
            return refused_page(self._pages, code, language)
        if one_click:
            return Answer(200, private=True)
        return see_other(ERASE if erases else name, language)

    def _again(
        self, name: str, language: str, values: Mapping[str, list[str]], error: FieldError
    ) -> Answer:
        """The form once more; where a reader could not mend it, that it cannot be read."""
        if error.field == "token" or name in _FROM_MAILS or error.field not in KINDS[name].fields:
            return refused_page(self._pages, "malformed", language)
        body = self._pages.again(name, language, values, error)
        return page(400, body, private=True)

    async def _kept(
        self, kind: str, language: str, fields: Mapping[str, Any], share: Share
    ) -> str | None:
        """Sealed and on the disk; else the code of the refusal. Raises ``FieldError``."""
        try:
            sealed = seal(submission(kind, language, fields), self._recipients)
            await self._writer.keep(sealed, share)
        except TooLargeError:
            return "too-large"
        except FullError:
            return "full"
        except FieldError:
            if kind == "webhook":
                return "malformed"
            raise
        return None


def _begun(name: str, query: Mapping[str, str]) -> dict[str, list[str]]:
    """What an address says of where a form was begun: at which story, by which message."""
    if name == "message":
        story = query.get("story", "")[:500]
        return {"story": [story]} if _PATH.fullmatch(story) else {}
    asked = ASKED_BY if name == "remind" else ()
    return {one: [query[one]] for one in asked if SLUG.match(query.get(one, ""))}


def weight_of(request: Request, most: int) -> int:
    """How much a request counts for, by the length it announces: 1 for each 16 kB begun. One that
    announces none (RFC 9112, section 7.1: chunked) may become as long as its route allows."""
    said = request.headers.get("content-length", "")
    length = int(said) if said.isdecimal() and len(said) < 10 else most
    return max(1, -(-length // _WEIGHT))


def _require(wish: Mapping[str, Any]) -> None:
    """Raises ``FieldError`` where a wish about a gift does not say what it needs."""
    needed = _NEEDS.get(str(wish.get("ask")))
    if needed and not wish.get(needed):
        raise FieldError(needed, "is missing")


def _proof(request: Request) -> str:
    # A plus that was not escaped arrives as a space.
    return request.query.get("proof", "").replace(" ", "+")


def _purpose(name: str) -> Purpose:
    if name == "webhook":
        return Purpose.WEBHOOK
    if name == "give":
        return Purpose.GIVE
    return Purpose.TOKEN if name in TOKENS else Purpose.SUBMIT
