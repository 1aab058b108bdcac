# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whether a bundle is what this newsroom published: its signed part is verified, and the whole
file is made again from it and compared.

What always holds: a bundle without findings shows nothing but texts and pictures that were proven
from the root; each byte of its members was compared. Age alone is no finding: it is said.

What is not proven: that no other story was published in these days, and the order of the stories.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tamizdat.edition.bundle import container, page
from tamizdat.edition.bundle.errors import BundleError
from tamizdat.edition.bundle.gather import Form, Gathered, Plan, gather
from tamizdat.edition.bundle.press import PLAN, make
from tamizdat.edition.signed import layout
from tamizdat.edition.signed.check import KINDS, Finding
from tamizdat.edition.signed.client import SignedReader
from tamizdat.edition.signed.errors import MissingError, TooLongError, VerifyError
from tamizdat.edition.signed.fetch import Fetcher

_ROOT = re.compile(r"metadata/([1-9][0-9]{0,8})\.root\.json")
_SIGNED = ("metadata/", "targets/", "shards/", "objects/")


class Report(msgspec.Struct):
    """The outcome. ``fingerprint`` is the sha-256 of the trusted root; ``trusted`` is false where
    that root was taken from the bundle itself. ``stories`` were proven, by headline and path;
    ``expired`` are roles past their time, which is no fault of a file that was carried about."""

    form: Form
    fingerprint: str
    trusted: bool
    edition: int = 0
    as_of: str = ""
    stories: list[tuple[str, str]] = []
    pictures: int = 0
    expired: list[str] = []
    findings: list[Finding] = []

    @property
    def ok(self) -> bool:
        return not self.findings


def check(
    data: bytes,
    *,
    root: bytes | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Report:
    """Check a bundle. ``root`` is what is trusted; without it the bundle's own first root is, which
    proves that the bundle is whole but not whose it is. Raises ``BundleError`` where the file is
    no bundle."""
    form, members = container.read(data)
    copy = _Members(form, members)
    plan = Plan.decode(copy.member(PLAN))
    trusted = root or copy.member(layout.metadata_name("root", 1))
    report = Report(form, hashlib.sha256(trusted).hexdigest(), root is not None, findings=[])
    if plan.form != form:
        raise BundleError(f"bundle.json says that this is a {plan.form}, and it is a {form}")
    with tempfile.TemporaryDirectory(prefix="tamizdat-") as state:

        def reader_of(fetch: Fetcher) -> SignedReader:
            return SignedReader(fetch, Path(state), trusted, clock, parallel=1)

        try:
            gathered = gather(copy, reader_of, plan)
        except VerifyError as error:
            kind = KINDS.get(error.code, error.code)
            report.findings.append(Finding(kind, copy.last, str(error)))
            return report
    _tell(report, gathered)
    report.findings += _compare(plan, gathered, members)
    return report


def _tell(report: Report, gathered: Gathered) -> None:
    report.edition, report.as_of = gathered.number, f"{gathered.as_of:%Y-%m-%dT%H:%M:%SZ}"
    report.stories = [(leaf.headline, leaf.path) for leaf in gathered.leaves]
    report.pictures, report.expired = len(gathered.pictures), list(gathered.expired)


class _Members:
    """A bundle as a copy of the edition. Pictures are found in what is shown, by their hash.
    ``last`` is the file that was asked for last."""

    def __init__(self, form: Form, members: Mapping[str, bytes]) -> None:
        self.last = ""
        self._prefix = container.PROOFS[form]
        self._members = members
        shown: list[bytes] = []
        if form == "html":
            shown = container.inlined(members.get(container.HTML, b""))
        elif form == "epub":
            shown = [data for name, data in members.items() if name.startswith("EPUB/")]
        self._pictures = {hashlib.sha256(data).hexdigest(): data for data in shown}

    def member(self, name: str) -> bytes:
        """Raises ``BundleError``."""
        try:
            return self._members[self._prefix + name]
        except KeyError:
            raise BundleError(f"this file is no bundle: it has no {name}") from None

    def fetch(self, name: str, limit: int) -> bytes:
        if not name.endswith(".root.json"):
            self.last = name
        data = self._members.get(self._prefix + name)
        if data is None and name.startswith("objects/"):
            data = self._pictures.get(name.rpartition("/")[2])
        if data is None:
            raise MissingError(f"{name} is not in the bundle")
        if len(data) > limit:
            raise TooLongError(f"{name} is longer than {limit:,} bytes")
        return data


def _compare(plan: Plan, gathered: Gathered, members: Mapping[str, bytes]) -> Iterator[Finding]:
    """What in the file is not what its own signed part makes."""
    wanted = make(plan, gathered)
    known = plan.renderer == page.renderer()
    if not known:
        yield Finding(
            "not comparable",
            PLAN,
            "what is shown was made by another version of this program: the texts inside are "
            "proven, what you see when you open the file is not; use the newsroom's reader",
        )
    prefix = container.PROOFS[plan.form]
    for name in sorted({*wanted, *members}):
        signed = name.removeprefix(prefix).startswith(_SIGNED) and name.startswith(prefix)
        if (not known and not signed) or wanted.get(name) == members.get(name):
            continue
        if name not in members:
            yield Finding("missing", name, f"{name} is not in the bundle")
        elif name in wanted:
            yield Finding("altered", name, f"{name} is not what the signed texts make")
        elif not _is_older_root(name.removeprefix(prefix), gathered):
            yield Finding("altered", name, f"{name} does not belong to the bundle")


def _is_older_root(name: str, gathered: Gathered) -> bool:
    """Roots before the one that is trusted are carried for those who know only them."""
    found = _ROOT.fullmatch(name)
    versions = [int(m[1]) for n in gathered.files if (m := _ROOT.fullmatch(n))]
    return found is not None and int(found[1]) < min(versions)
