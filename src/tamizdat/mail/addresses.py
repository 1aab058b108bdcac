# SPDX-License-Identifier: AGPL-3.0-or-later
"""Addresses as envelopes and headers need them.

What always holds: what comes out holds no space, control character or angle bracket, so that it
ends no command and no header; its domain is in ASCII (RFC 5891); its local part may be in any
script (RFC 6531). Errors name no address.

What is not done here: asking whether an address exists, or making two spellings equal.
"""

from __future__ import annotations

import functools
import re
import unicodedata

import idna

from tamizdat.mail.errors import MessageError

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\u0080-\U0010ffff-]+"
_QUOTED = r'"(?:[\x21\x23-\x5b\x5d-\x7e\u0080-\U0010ffff]|\\[\x21-\x7e])*"'
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*|{_QUOTED}")
_DOTS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_LONGEST_LOCAL, _LONGEST_DOMAIN = 64, 253


def sendable(address: str) -> str:
    """The address with its domain in ASCII, quoted where some mailbox was given dots that none
    should have. Raises ``MessageError``."""
    local, at, domain = address.rpartition("@")
    if not at or not _possible(local):
        if not at or len(local) > _LONGEST_LOCAL - 2 or not _DOTS.fullmatch(local):
            raise MessageError("An address has a part before the @ that no mail may have.")
        local = f'"{local}"'
    return f"{local}@{ascii_domain(domain)}"


def _possible(local: str) -> bool:
    if not _LOCAL.fullmatch(local):
        return False
    if local.isascii():
        return len(local) <= _LONGEST_LOCAL
    if any(c.isspace() or unicodedata.category(c) in ("Cc", "Cs") for c in local):
        return False
    return len(local.encode()) <= _LONGEST_LOCAL


@functools.lru_cache(maxsize=4096)
def ascii_domain(domain: str) -> str:
    """A domain as the DNS has it. Raises ``MessageError``."""
    found = domain.removesuffix(".")
    if not found.isascii():
        try:
            found = idna.encode(found, uts46=True, transitional=False).decode()
        except (idna.IDNAError, UnicodeError) as error:
            raise MessageError("An address has a domain that cannot be.") from error
    if len(found) > _LONGEST_DOMAIN or not _DOMAIN.fullmatch(found):
        raise MessageError("An address has a domain that cannot be.")
    return found
