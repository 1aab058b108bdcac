# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the columns of others' exports mean: Mailchimp, Ghost, listmonk, and plain tables.

What always holds: of a row only the address, whether it is subscribed, its language, its cohort
and when it agreed are looked at; names, network addresses, purchases and notes are not taken in,
and what was left out is told by the names of the columns. To add a format, add a row to
``FORMATS``.

What is not done here: reading files (``reading``), deciding what becomes of an entry
(``importing``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

from tamizdat.desk.newsletter.transfer.errors import TableError

Standing = Literal["subscribed", "left", "suppressed", "refused"]
Cells = Mapping[str, str]

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8})?\Z")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_PLAIN_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+\Z")
_ADDRESS_NAMES = (
    *("email", "e-mail", "email address", "e-mail address", "mail", "address", "subscriber"),
    *("адрес", "почта", "эл. почта", "электронная почта", "email адрес", "البريد الإلكتروني"),
)
_SUBSCRIBED = ("subscribed", "active", "enabled", "confirmed", "true", "yes", "1", "да")
_LEFT = ("unsubscribed", "left", "disabled", "inactive", "false", "no", "0", "нет", "deleted")
_SUPPRESSED = (
    *("cleaned", "bounced", "bounce", "hard bounce", "blocklisted", "blacklisted", "blocked"),
    *("complained", "complaint", "spam", "suppressed"),
)


class Entry(NamedTuple):
    """What a row says. ``known`` is what the other system knows of the consent, in words;
    ``why`` says why it is ``refused``."""

    address: str
    standing: Standing
    language: str = ""
    known: str = ""
    why: str = ""
    cohort: str = ""


class Format(NamedTuple):
    """``needs`` are the columns by which it is known, in small letters; ``used`` those that are
    looked at. ``consents``: whether it says of itself that its readers agreed."""

    name: str
    title: str
    needs: frozenset[str]
    used: frozenset[str]
    read: Callable[[Cells, str], Entry]
    consents: bool = True


def _mailchimp(cells: Cells, file: str) -> Entry:
    """Audience exports: one file for each status, named by it; older ones have its time."""
    since = _day(cells, "confirm_time") or _day(cells, "optin_time")
    known = f"Mailchimp: confirmed {since}" if since else "Mailchimp"
    language = _language(cells.get("language", ""))
    address = cells.get("email address", "")
    name = file.lower()
    if cells.get("clean_time") or "cleaned" in name:
        return Entry(address, "suppressed", language, known)
    if cells.get("unsub_time") or "unsubscribed" in name:
        return Entry(address, "left", language, known)
    if "nonsubscribed" in name or "non-subscribed" in name:
        return Entry(address, "refused", why="never subscribed there")
    return Entry(address, "subscribed", language, known)


def _ghost(cells: Cells, file: str) -> Entry:
    since = _day(cells, "created_at")
    known = f"Ghost: member since {since}" if since else "Ghost: member"
    address = cells.get("email", "")
    if cells.get("deleted_at"):
        return Entry(address, "refused", why="deleted there")
    subscribed = cells.get("subscribed_to_emails", "").lower()
    return Entry(address, "subscribed" if subscribed in _SUBSCRIBED else "left", known=known)


def _listmonk(cells: Cells, file: str) -> Entry:
    since, status = _day(cells, "created_at"), cells.get("status", "").lower()
    known = f"listmonk: subscriber since {since}" if since else "listmonk: subscriber"
    return Entry(cells.get("email", ""), _standing(status, "refused"), "", known, _of(status))


def _plain(cells: Cells, file: str) -> Entry:
    status = (cells.get("status") or cells.get("state") or "").lower()
    standing = _standing(status, "refused") if status else "subscribed"
    language = cells.get("language") or cells.get("lang") or cells.get("locale") or ""
    since = next((day for name in _SINCE if (day := _day(cells, name))), "")
    known = f"subscribed {since}" if since else ""
    cohort = cells.get("cohort", "")
    return Entry(cells["address"], standing, _language(language), known, _of(status), cohort)


_SINCE = ("confirmed", "consent", "since", "created_at", "date", "optin_time")
_EMAIL = frozenset({"email"})
FORMATS: Sequence[Format] = (
    Format(
        "mailchimp",
        "Mailchimp",
        frozenset({"email address", "member_rating"}),
        frozenset(
            {"email address", "optin_time", "confirm_time", "clean_time", "unsub_time", "language"}
        ),
        _mailchimp,
    ),
    Format(
        "ghost",
        "Ghost",
        _EMAIL | {"subscribed_to_emails"},
        _EMAIL | {"subscribed_to_emails", "created_at", "deleted_at"},
        _ghost,
    ),
    Format(
        "listmonk",
        "listmonk",
        _EMAIL | {"uuid", "status"},
        _EMAIL | {"status", "created_at"},
        _listmonk,
    ),
    Format(
        "plain",
        "a plain table",
        frozenset(),
        frozenset({"address", "status", "state", "language", "lang", "locale", "cohort", *_SINCE}),
        _plain,
        consents=False,
    ),
)
BY_NAME = {one.name: one for one in FORMATS}


class Reading(NamedTuple):
    """How a file is read: its format, what each column is called (empty: not looked at), the
    columns that are left out, and whether its first row is a reader already."""

    format: Format
    columns: list[str]
    left_out: list[str]
    headless: bool = False

    def entry(self, cells: Sequence[str], file: str) -> Entry:
        named = {
            name: cell.strip().removeprefix("'").strip()
            for name, cell in zip(self.columns, cells, strict=False)
            if name
        }
        return self.format.read({"address": "", **named}, file)


def reading_of(header: Sequence[str], wanted: str = "auto") -> Reading:
    """How a table with this first row is read. Raises ``TableError``."""
    names = [cell.strip().lower() for cell in header]
    if wanted == "auto":
        found = next(one for one in FORMATS if one.needs <= set(names))
    else:
        found = BY_NAME[wanted]
        if missing := sorted(found.needs - set(names)):
            raise TableError(f"this is no export of {found.title}: it has no column {missing[0]}")
    if found.name == "plain":
        return _plain_reading(found, header, names)
    columns = [name if name in found.used else "" for name in names]
    return Reading(found, columns, _left_out(header, columns))


def _plain_reading(found: Format, header: Sequence[str], names: list[str]) -> Reading:
    at = next((names.index(name) for name in _ADDRESS_NAMES if name in names), None)
    headless = at is None
    if at is None:
        at = next((n for n, cell in enumerate(names) if _PLAIN_ADDRESS.match(cell)), None)
    if at is None:
        raise TableError(
            "no column is called email, and the first row has no mail address in it: name the "
            "column of the addresses email"
        )
    if headless:
        return Reading(found, [""] * at + ["address"], [], headless=True)
    columns = [
        "address" if n == at else name if name in found.used else "" for n, name in enumerate(names)
    ]
    columns = [name if name != "address" or n == at else "" for n, name in enumerate(columns)]
    return Reading(found, columns, _left_out(header, columns))


def _left_out(header: Sequence[str], columns: Sequence[str]) -> list[str]:
    """Names of columns, but none that could be somebody's address or name in a broken file."""
    pairs = zip(header, columns, strict=True)
    return [cell[:60] for cell, used in pairs if not used and cell and "@" not in cell]


def _standing(status: str, otherwise: Standing) -> Standing:
    kinds: tuple[tuple[tuple[str, ...], Standing], ...] = (
        (_SUBSCRIBED, "subscribed"),
        (_LEFT, "left"),
        (_SUPPRESSED, "suppressed"),
    )
    return next((standing for words, standing in kinds if status in words), otherwise)


def _of(status: str) -> str:
    """Why a row with such a status is refused; words that we know only, as it is a cell."""
    return "never confirmed there" if status in _UNCONFIRMED else "its status is not understood"


_UNCONFIRMED = ("unconfirmed", "pending", "nonsubscribed", "transactional")


def _language(text: str) -> str:
    return text.replace("_", "-")[:35] if _LANGUAGE.match(text) else ""


def _day(cells: Cells, name: str) -> str:
    found = _DAY.search(cells.get(name, ""))
    return found[0] if found else ""
