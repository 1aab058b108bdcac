# SPDX-License-Identifier: AGPL-3.0-or-later
"""Making bundles of a newsroom's signed edition.

What always holds: a bundle is made from what was verified, and from nothing else; the same
signed edition, days and languages give the same bytes. What must be left out to keep a file
small goes in this order: all pictures, then the oldest stories.

What is not done here: where the files go.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from tamizdat.edition.bundle import container, epub, page
from tamizdat.edition.bundle.errors import BundleError, NothingError
from tamizdat.edition.bundle.gather import FORMS, Form, Gathered, Plan, gather
from tamizdat.edition.catalogue import NAME, Catalogue
from tamizdat.edition.publishing import decode_site
from tamizdat.edition.signed import layout
from tamizdat.edition.signed.client import SignedReader
from tamizdat.edition.signed.errors import AbsentError
from tamizdat.edition.signed.fetch import Fetcher, FolderFetcher
from tamizdat.edition.views import Card

PLAN = "bundle.json"
_MOST_STORIES = 2_000  # of a language
_FRONTS = ("/{0}/", "/{0}/404.html", "/fragments/{0}/latest.html", "/fragments/{0}/ribbon.html")


class Limits(NamedTuple):
    """``days`` before the edition's date; ``languages``, all where empty; ``most`` bytes a file,
    where there is a limit."""

    days: int = 7
    languages: tuple[str, ...] = ()
    most: int | None = None


class Printed(NamedTuple):
    """A file, and what is in it. ``left_out`` stories were too much for it."""

    form: Form
    data: bytes
    stories: int
    pictures: int
    pictures_left_out: bool
    left_out: int
    as_of: datetime


def make(plan: Plan, gathered: Gathered) -> dict[str, bytes]:
    """The members of a bundle."""
    prefix = container.PROOFS[plan.form]
    proof = {prefix + name: data for name, data in gathered.files.items()}
    proof[prefix + PLAN] = plan.encode()
    if plan.form == "epub":
        return {**proof, **epub.render(gathered)}
    if plan.form == "html":
        return {**proof, container.HTML: page.render(gathered, page.as_data)}
    objects = {picture.name: picture.data for picture in gathered.pictures.values()}
    return {**proof, **objects, container.HTML: page.render(gathered, lambda p: p.name)}


def print_bundles(
    edition: Path, limits: Limits, clock: Callable[[], datetime], forms: Sequence[Form] = FORMS
) -> list[Printed]:
    """The bundles of the edition in a folder. Raises ``NothingError`` where nothing was published
    in these days, ``BundleError`` where a file cannot be made small enough."""
    fetch = FolderFetcher(edition)
    if not (edition / layout.TIMESTAMP).exists():
        raise BundleError(f"{edition} is not signed yet: make its keys first (tamizdat keys init)")
    root = fetch.fetch(layout.metadata_name("root", 1), layout.ROOT_LIMIT)
    with tempfile.TemporaryDirectory(prefix="tamizdat-") as state:

        def reader_of(fetcher: Fetcher) -> SignedReader:
            return SignedReader(fetcher, Path(state), root, clock, parallel=1)

        reader = reader_of(fetch)
        until = reader.edition.as_of
        stories = _choose(edition, limits, until)
        stories = {path: day for path, day in stories.items() if _is_published(reader, path)}
        if not stories:
            raise NothingError(_nothing(limits))
        press = _Press(fetch, reader_of, stories, limits.most)
        return [press.print(form) for form in forms]


class _Press:
    def __init__(
        self,
        fetch: Fetcher,
        reader_of: Callable[[Fetcher], SignedReader],
        stories: Mapping[str, datetime],
        most: int | None,
    ) -> None:
        self._fetch, self._reader_of = fetch, reader_of
        self._stories, self._most = stories, most

    def print(self, form: Form) -> Printed:
        """The largest bundle within the limit."""
        count = len(self._stories)
        made = self._print(form, count, pictures=True)
        if self._fits(made):
            return made
        made = self._print(form, count, pictures=False)
        if self._fits(made):
            return made
        best, low, high = None, 0, count  # So many stories fit; so many do not.
        while high - low > 1:
            middle = (low + high) // 2
            made = self._print(form, middle, pictures=False)
            if self._fits(made):
                best, low = made, middle
            else:
                high = middle
        if best is None:
            raise BundleError(
                f"one story alone makes a {form} of more than {self._most:,} bytes: "
                "allow more with --max"
            )
        return best

    def _fits(self, made: Printed) -> bool:
        return self._most is None or len(made.data) <= self._most

    def _print(self, form: Form, count: int, *, pictures: bool) -> Printed:
        stories = _newest(self._stories, count)
        plan = Plan(
            form=form,
            renderer=page.renderer(),
            stories=tuple(stories),
            pages=self._fronts(stories),
            pictures=pictures,
        )
        gathered = gather(self._fetch, self._reader_of, plan)
        data = container.write(form, make(plan, gathered), gathered.as_of)
        left = len(self._stories) - count
        shown = len(gathered.pictures)
        return Printed(form, data, count, shown, not pictures, left, gathered.as_of)

    def _fronts(self, stories: Sequence[str]) -> tuple[str, ...]:
        """What a reader shows besides the stories, where the paper has it."""
        reader = self._reader_of(self._fetch)
        languages = dict.fromkeys(path.split("/")[1] for path in stories)
        paths = [form.format(language) for language in languages for form in _FRONTS]
        return tuple(path for path in paths if _is_published(reader, path))


def _choose(edition: Path, limits: Limits, until: datetime) -> dict[str, datetime]:
    """The paths of the stories first published in these days, and when: by language, newest
    first."""
    since = until - timedelta(days=limits.days)
    found: dict[str, datetime] = {}
    with Catalogue(edition / NAME, "read") as catalogue:
        if not catalogue.usable:
            raise BundleError(f"{edition} was made by another version: publish once, then again")
        languages = limits.languages or _languages(catalogue)
        for language in languages:
            listing = catalogue.find_listing("site", language, "")
            if listing is None and limits.languages:
                raise NothingError(f"this paper has nothing in “{language}”")
            cards = _cards(catalogue, listing.id) if listing else []
            dates = {card.path: datetime.fromisoformat(card.published) for card in cards}
            found |= {path: day for path, day in dates.items() if day >= since}
    return found


def _languages(catalogue: Catalogue) -> list[str]:
    site = decode_site(catalogue.meta("site"))
    return [language.code for language in site.languages] if site else []


def _cards(catalogue: Catalogue, listing: int) -> list[Card]:
    ids = catalogue.latest(listing, _MOST_STORIES)
    cards: Mapping[int, Card] = catalogue.card_rows(ids)
    return [cards[number] for number in ids if number in cards]


def _newest(stories: Mapping[str, datetime], count: int) -> list[str]:
    """So many of the newest, in their order."""
    kept = set(sorted(stories, key=lambda path: stories[path], reverse=True)[:count])
    return [path for path in stories if path in kept]


def _is_published(reader: SignedReader, path: str) -> bool:
    try:
        slot = reader.find(path).slot
    except AbsentError:
        return False
    return slot is not None and slot.status == layout.OK and slot.length > 0


def _nothing(limits: Limits) -> str:
    where = f" in {', '.join(limits.languages)}" if limits.languages else ""
    return (
        f"nothing was published{where} in the last {limits.days} days before the signed edition: "
        "no bundle was made; take more days with --days"
    )


def now() -> datetime:
    return datetime.now(UTC)
