# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where somebody gives: from a form to the provider's page, and back.

What always holds: nothing that a giver sent is kept here, not even in memory once the checkout is
open (a till may keep the checkout's address, see ``giving.btcpay``); a choice that the newsroom
does not offer opens nothing; a form comes back with all that was chosen in it. Who asks for the
same at the same time gets the same checkout. A giver is led back to the paper's own entries or to
this letterbox, and nowhere else.

What is not done here: taking money (the provider), knowing who gave (the desk).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from urllib.parse import quote, urlencode

import msgspec

from tamizdat.drop import forms
from tamizdat.drop.answers import Answer, Request, page, refused_page
from tamizdat.drop.errors import SubmissionError
from tamizdat.drop.giving_pages import Entered, GivingPages, new_intent
from tamizdat.drop.letters import Route
from tamizdat.drop.pages import Pages
from tamizdat.drop.sessions import LOCAL
from tamizdat.drop.settings import DropFolder, Settings
from tamizdat.giving.choice import INTENT, Choice, checked, offer_of
from tamizdat.giving.errors import (
    AmountError,
    ChoiceError,
    GivingError,
    ProviderError,
    RefusedError,
    UnreachableError,
)
from tamizdat.giving.form import choice_of
from tamizdat.giving.money import Money, plain
from tamizdat.giving.port import Opened, Till
from tamizdat.giving.registry import TillSettings, make_till, takes

MOST_FORM: Final = 16_384
PATIENCE: Final = 30.0  # seconds for a provider
THANKS: Final = "support/thanks/"
_FORM: Final = ("give",)
_THANKED: Final = ("give", "thanks")

Complain = Callable[[str], None]


class WrongError(Exception):
    """Something in the form cannot be right: ``field``, and ``said`` in the giver's language."""

    def __init__(self, field: str, code: str, **said: str) -> None:
        super().__init__(code)
        self.field = field
        self.code = code
        self.said = said


def tills_of(folder: DropFolder, complain: Complain) -> dict[str, Till]:
    """The tills of a drop by name, in their order. One that cannot be used is passed over, and the
    operator told. Raises ``DropSettingsError`` where its key is missing."""
    found: dict[str, Till] = {}
    for one in folder.settings.giving.tills:
        settings = TillSettings(
            kind=one.kind,
            key=folder.key_of(one),
            url=one.url,
            account=one.account,
            refused_countries=folder.settings.giving.refused_countries,
        )
        try:
            found[one.kind] = make_till(settings)
        except ProviderError as error:
            complain(f"the till {one.kind} cannot be used: {error}")
    return found


class Giving:
    """Answers who wants to give. ``tills`` by name; without any there is nothing here."""

    def __init__(
        self, settings: Settings, pages: Pages, tills: Mapping[str, Till], complain: Complain
    ) -> None:
        self._settings = settings
        self._pages = pages
        self._tills = dict(tills)
        self._complain = complain
        self._giving_pages = GivingPages(settings, pages)
        self._under_way: dict[bytes, asyncio.Task[Opened]] = {}

    def route(self, path: tuple[str, ...]) -> Route | None:
        """None where there is nothing."""
        if not (self._tills and self._settings.giving.offers):
            return None
        if path == _FORM:
            return Route(("GET", "HEAD", "POST"), MOST_FORM)
        return Route(("GET", "HEAD")) if path == _THANKED else None

    async def close(self) -> None:
        for till in self._tills.values():
            await till.close()

    async def answer(self, request: Request) -> Answer:
        """To a request that its route allows."""
        asked = request.query.get("language", "")
        language = self._pages.language(asked, request.headers.get("accept-language", ""))
        if request.path == _THANKED:
            return page(200, self._giving_pages.thanks(language))
        if request.method != "POST":
            return page(200, self._shown(request, language), private=True)
        try:
            values = forms.read_form(request.content_type, request.body)
        except SubmissionError:
            return refused_page(self._pages, "malformed", language)
        language = self._pages.language(values.get("language", [""])[0], language)
        if any(values.get(forms.TRAP, ())):
            return see_thanks(language)
        return await self._give(request, values, language)

    def _shown(self, request: Request, language: str) -> bytes:
        """The form, with what an address chose in it; who came back is told that nothing was
        taken, and why."""
        entered = Entered({name: [said] for name, said in request.query.items()})
        told = ""
        if "left" in request.query:
            told = self._giving_pages.cause(request.query.get("cause", ""), language)
        return self._giving_pages.form(language, entered, told=told)

    async def _give(
        self, request: Request, values: Mapping[str, Sequence[str]], language: str
    ) -> Answer:
        entered = Entered(values)
        try:
            choice, name = self._chosen(values, language)
        except WrongError as wrong:
            said = self._giving_pages.said(wrong.code, language, **wrong.said)
            body = self._giving_pages.form(language, entered, wrong={wrong.field: said})
            return page(400, body, private=True)
        if not choice.intent:
            choice = msgspec.structs.replace(choice, intent=new_intent())
            return page(200, self._giving_pages.sure(language, choice, name), private=True)
        try:
            opened = await self._opened(request, choice, name)
        except GivingError as error:
            code = self._code(error, name)
            said = self._giving_pages.said(code, language)
            return page(503, self._giving_pages.form(language, entered, told=said), private=True)
        return Answer(303, b"", [(b"location", _ascii(opened.url))], private=True)

    def _code(self, error: GivingError, name: str) -> str:
        """What a giver is told; the operator is told where somebody must look."""
        if not isinstance(error, UnreachableError | RefusedError):
            self._complain(f"the till {name} fails: {error}")
        return "give.later" if isinstance(error, UnreachableError) else "give.not"

    # What was chosen.

    def _chosen(self, values: Mapping[str, Sequence[str]], language: str) -> tuple[Choice, str]:
        """The choice, checked, and the till for it. Its intent is empty where none, or none that
        can be one, came along. Raises ``WrongError``."""
        try:
            choice = choice_of(values, language)
        except ChoiceError:
            raise WrongError("amount", "wrong.choice") from None
        except AmountError:
            typed = any(one.strip() for one in values.get("own", ()))
            found = ("own", "wrong.own") if typed else ("amount", "wrong.choice")
            raise WrongError(*found) from None
        drawn = choice.intent if INTENT.match(choice.intent) else ""
        choice = msgspec.structs.replace(
            choice, intent=drawn or new_intent(), back=self._back(choice.back)
        )
        self._within(choice)
        try:
            checked(choice, self._settings.giving.offers)
        except ChoiceError:  # Its message and variant are no slugs: not what our pages say.
            choice = msgspec.structs.replace(choice, message="", variant="")
        name = self._till(choice, "".join(values.get("via", ())[:1]))
        return msgspec.structs.replace(choice, intent=drawn), name

    def _within(self, choice: Choice) -> None:
        """Raises ``WrongError`` where it is more or less than is offered."""
        try:
            offer = offer_of(self._settings.giving.offers, choice.kind, choice.currency)
        except ChoiceError:
            raise WrongError("amount", "wrong.choice") from None
        bounds = (
            ("wrong.least", offer.least, choice.amount < offer.least),
            ("wrong.most", offer.most, choice.amount > offer.most),
        )
        for code, bound, broken in bounds:
            if broken:
                n = self._giving_pages.shown(Money(bound, offer.currency), choice.language)
                raise WrongError("own", code, n=n)

    def _till(self, choice: Choice, wanted: str) -> str:
        """The till that was asked for, else the first that takes the kind and the currency. Raises
        ``WrongError``."""
        able = [
            one.kind
            for one in self._settings.giving.tills
            if one.kind in self._tills
            and takes(one.kind, choice.kind)
            and choice.currency in (one.currencies or (choice.currency,))
        ]
        if not able:
            raise WrongError("amount", "wrong.choice")
        return wanted if wanted in able else able[0]

    def _back(self, back: str) -> str:
        """The paper's entry that the giver came from; empty where it is none."""
        return back if back in self._settings.giving.entries else ""

    # The checkout.

    async def _opened(self, request: Request, choice: Choice, name: str) -> Opened:
        """One for the same choice, however many ask for it at once. Raises ``GivingError``."""
        here = self._here(request.headers.get("host", ""))
        done = (
            f"{choice.back}/{choice.language}/{THANKS}"
            if choice.back
            else (f"{here}/v1/give/thanks?language={choice.language}")
        )
        gave_up = f"{here}/v1/give?{urlencode(kept(choice))}&left=1"
        key = msgspec.json.encode((choice, name, here))
        task = self._under_way.get(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(
                self._ask(name, choice, done=done, gave_up=gave_up)
            )
            self._under_way[key] = task
            task.add_done_callback(lambda done: self._ended(key, done))
        return await asyncio.shield(task)

    async def _ask(self, name: str, choice: Choice, *, done: str, gave_up: str) -> Opened:
        paper = self._settings.name_in(choice.language)
        try:
            async with asyncio.timeout(PATIENCE):
                return await self._tills[name].open(choice, done=done, gave_up=gave_up, paper=paper)
        except TimeoutError:
            raise UnreachableError("the provider does not answer") from None

    def _ended(self, key: bytes, task: asyncio.Task[Opened]) -> None:
        self._under_way.pop(key, None)
        if not task.cancelled():
            task.exception()  # Where nobody waits for it any more, nobody is to be told.

    def _here(self, host: str) -> str:
        """The address under which this letterbox was asked, of those that it knows."""
        known = self._settings.hosts or LOCAL
        name, _, port = host.lower().rpartition(":") if _has_port(host) else (host.lower(), "", "")
        if name not in (*known, *LOCAL):
            name, port = known[0], ""
        plainly = not self._settings.https or name.endswith(".onion")
        return f"http{'' if plainly else 's'}://{name}{':' + port if port else ''}"


def kept(choice: Choice) -> dict[str, str]:
    """A choice as an address of the form keeps it."""
    return {
        "kind": choice.kind,
        "amount": plain(choice.money),
        "currency": choice.currency,
        "language": choice.language,
        "message": choice.message,
        "variant": choice.variant,
        "behalf": "on" if choice.behalf else "",
        "back": choice.back,
        "intent": choice.intent,
    }


def see_thanks(language: str) -> Answer:
    where = f"/v1/give/thanks?language={language}".encode()
    return Answer(303, b"", [(b"location", where)], private=True)


def _has_port(host: str) -> bool:
    return host.rpartition(":")[2].isdecimal() and not host.endswith("]")


def _ascii(url: str) -> bytes:
    """An address as a header field bears it."""
    return quote(url, safe="%/:=&?~#+!$,;'@()*[]").encode()
