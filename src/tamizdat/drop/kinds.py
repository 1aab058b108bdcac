# SPDX-License-Identifier: AGPL-3.0-or-later
"""The kinds of submission and their fields, in one place (docs/format/submission-v1.md, section 3).

What always holds: ``fields_of`` returns only what the kind knows, trimmed, in NFC, within its
limits, and raises a ``FieldError`` that names the field otherwise. To add a kind, add a row to
``KINDS``; to change what one means, add a row with a new version.

What is not done here: sealing (``envelope``), and acting upon them (the desk).
"""

from __future__ import annotations

import base64
import binascii
import datetime
import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tamizdat.drop.errors import FieldError, UnknownKindError

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,99}\Z")
TOKEN = re.compile(r"[A-Za-z0-9._~-]{1,512}\Z")
LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,3}\Z")
MOST_WEBHOOK = 180_000

Check = Callable[[Any], Any]
TextCheck = Callable[[Any], str]


class Field(NamedTuple):
    """``check`` returns the value as it is kept or raises ``ValueError`` with what is wrong.
    ``many``: a list; a form repeats it, and an empty one among others stands for none."""

    check: Check
    needed: bool = True
    many: bool = False


class Kind(NamedTuple):
    """``tokened``: it is reached by a link that carries a token."""

    name: str
    version: int
    fields: Mapping[str, Field]
    tokened: bool = False


def text(longest: int, *, lines: bool = False, shortest: int = 1) -> TextCheck:
    """Text of ``shortest`` to ``longest`` characters, of one line unless ``lines``."""

    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError("is not text")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("holds half a character") from None
        plain = value.replace("\r\n", "\n").replace("\r", "\n")
        plain = unicodedata.normalize("NFC", plain).strip()
        allowed = "\t\n" if lines else ""
        if any(unicodedata.category(c) == "Cc" and c not in allowed for c in plain):
            raise ValueError("holds characters that cannot be seen")
        if len(plain) < shortest:
            raise ValueError("is empty")
        if len(plain) > longest:
            raise ValueError(f"is longer than {longest:,} characters")
        return plain

    return check


def pattern(expression: re.Pattern[str], problem: str) -> TextCheck:
    def check(value: Any) -> str:
        if not isinstance(value, str) or not expression.match(value):
            raise ValueError(problem)
        return value

    return check


def address(value: Any) -> str:
    """A mail address as somebody typed it; whether it exists, only a mail can tell."""
    found = text(254)(value)
    local, at, domain = found.rpartition("@")
    if not at or not local or not domain or any(c.isspace() for c in found) or "@" in local:
        raise ValueError("is not a mail address")
    return found


def whole(least: int, most: int) -> Check:
    """An integer; forms send it as text."""

    def check(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise ValueError("is not a number")
        if isinstance(value, str) and not re.fullmatch(r"[0-9]{1,9}", value):
            raise ValueError("is not a number")
        if not least <= int(value) <= most:
            raise ValueError(f"must be from {least} to {most:,}")
        return int(value)

    return check


def several(each: Check, *, least: int, most: int) -> Check:
    """A list without repetitions, in the order given."""

    def check(value: Any) -> list[Any]:
        given = [value] if isinstance(value, str) else value
        if not isinstance(given, list) or len(given) > most:
            raise ValueError(f"must name at most {most}")
        found = list(dict.fromkeys(each(one) for one in given))
        if len(found) < least:
            raise ValueError("must name at least one")
        return found

    return check


def one_of(*words: str) -> Check:
    return pattern(
        re.compile("|".join(map(re.escape, words)) + r"\Z"), f"must be {' or '.join(words)}"
    )


def yes(value: Any) -> bool:
    if value is not True and value not in ("true", "on", "1"):
        raise ValueError("must be true")
    return True


def date(value: Any) -> str:
    try:
        return datetime.date.fromisoformat(text(10, shortest=10)(value)).isoformat()
    except ValueError:
        raise ValueError("is not a date such as 2026-12-31") from None


def headers(value: Any) -> dict[str, str]:
    """At most 20 header fields of a webhook, names in lower case."""
    if not isinstance(value, dict) or len(value) > 20:
        raise ValueError("must be an object of at most 20")
    name, content = (
        pattern(re.compile(r"[a-z0-9-]{1,100}\Z"), "has a bad name"),
        text(4096, shortest=0),
    )
    return {name(key): content(item) for key, item in value.items()}


def base64_body(value: Any) -> str:
    try:
        raw = base64.b64decode(value, validate=True) if isinstance(value, str) else None
    except (binascii.Error, ValueError):
        raw = None
    if raw is None:
        raise ValueError("is not base64")
    if len(raw) > MOST_WEBHOOK:
        raise ValueError(f"is larger than {MOST_WEBHOOK:,} bytes")
    return str(value)


_slug = pattern(SLUG, "may have a-z, 0-9 and - only")
_token = pattern(TOKEN, "is not whole: open the link from the mail again")
_language = pattern(LANGUAGE, "is not a language")
_privacy = Field(whole(1, 999_999))
_LINK = {"token": Field(_token)}


def _optional(check: Check) -> Field:
    return Field(check, needed=False)


_ALL = (
    Kind(
        "subscribe",
        1,
        {
            "address": Field(address),
            "newsletters": Field(several(_slug, least=1, most=20), many=True),
            "privacy": _privacy,
            "form": Field(_slug),
        },
    ),
    Kind("confirm", 1, _LINK, tokened=True),
    Kind("unsubscribe", 1, {**_LINK, "one_click": _optional(yes)}, tokened=True),
    Kind(
        "preferences",
        1,
        {
            **_LINK,
            "newsletters": Field(several(_slug, least=0, most=20), needed=False, many=True),
            "mail_language": _optional(_language),
            "text": _optional(one_of("full", "summary")),
            "pause_until": _optional(date),
            "address": _optional(address),
            "ask": _optional(one_of("export", "erase")),
        },
        tokened=True,
    ),
    Kind(
        "remind",
        1,
        {
            "address": Field(address),
            "months": Field(whole(1, 12)),
            "privacy": _privacy,
            "message": _optional(_slug),
            "variant": _optional(_slug),
        },
    ),
    Kind("stop-reminding", 1, _LINK, tokened=True),
    Kind(
        "gift",
        1,
        {
            **_LINK,
            "ask": Field(
                one_of("amount", "pause", "resume", "cancel", "card", "list", "statement", "erase")
            ),
            "gift": _optional(whole(1, 99)),
            "amount": _optional(text(20)),
            "until": _optional(date),
            "year": _optional(whole(2000, 9999)),
        },
        tokened=True,
    ),
    Kind(
        "webhook",
        1,
        {"provider": Field(_slug), "headers": Field(headers), "body": Field(base64_body)},
    ),
    Kind(
        "message",
        1,
        {
            "text": Field(text(10_000, lines=True)),
            "name": _optional(text(200)),
            "contact": _optional(text(254)),
            "story": _optional(text(500)),
        },
    ),
)
KINDS: Mapping[str, Kind] = {
    kind.name if kind.version == 1 else f"{kind.name}/{kind.version}": kind for kind in _ALL
}


def kind_of(name: str) -> Kind:
    """Raises ``UnknownKindError``."""
    if name not in KINDS:
        raise UnknownKindError(f"nobody here knows the kind “{name[:100]}”")
    return KINDS[name]


def fields_of(kind: Kind, given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a submission as they are kept. What was left empty and may be, is left out.

    Raises ``FieldError`` for the first that is unknown, missing or beyond its limits.
    """
    unknown = sorted(set(given) - set(kind.fields))
    if unknown:
        raise FieldError(unknown[0][:100], "is not a field of this form")
    found: dict[str, Any] = {}
    for name, field in kind.fields.items():
        value = given.get(name)
        if value is None or (value == "" and not field.needed):
            if field.needed:
                raise FieldError(name, "is missing")
            continue
        try:
            found[name] = field.check(value)
        except ValueError as error:
            raise FieldError(name, str(error)) from None
    return found


def language_of(value: Any) -> str:
    """A language tag. Raises ``FieldError``."""
    try:
        return str(_language(value))
    except ValueError as error:
        raise FieldError("language", str(error)) from None
