# SPDX-License-Identifier: AGPL-3.0-or-later
"""When two mail addresses are the same address.

What always holds: ``normalised(normalised(a)) == normalised(a)``; two spellings that every mail
server takes for one are equal, and two that some server takes for different mailboxes are not
made one, but for the capitals of the local part.

- Unicode: NFC, so that a letter with its accent is one whether it was typed as one or as two.
- The domain: lower case, an international one in its ASCII form (IDNA 2008, UTS 46): DNS knows no
  other. A dot at its end says nothing and goes.
- The local part: lower case, **for finding only**; mail goes to what was typed. By RFC 5321 a
  server may tell ``Ada@`` from ``ada@``; none that people use does, and a person who wrote it
  with a capital on a telephone must find herself again.
- No dots are taken out and no ``+tag`` is cut off: that is the habit of single providers. Elsewhere
  ``a.b@`` and ``ab@`` are two people, and one of them would get the other's data.

What is not done here: asking whether an address exists. Only a mail can tell.
"""

from __future__ import annotations

import unicodedata

import idna

from tamizdat.desk.readers.errors import AddressError

LONGEST = 254  # characters, and bytes in UTF-8: RFC 5321, 4.5.3.1.3


def kept(address: str) -> str:
    """The address as it is kept and written to: trimmed, in NFC. Raises ``AddressError``."""
    plain = unicodedata.normalize("NFC", address).strip()
    local, at, domain = plain.rpartition("@")
    if not at or not local or not domain or "@" in local:
        raise AddressError("this is no mail address: it needs one @ with something on both sides")
    if any(c.isspace() or unicodedata.category(c) in ("Cc", "Cs") for c in plain):
        raise AddressError("a mail address has no spaces and nothing that cannot be seen")
    if len(plain.encode()) > LONGEST:
        raise AddressError(f"a mail address has at most {LONGEST} characters")
    _ascii_domain(domain)
    return plain


def normalised(address: str) -> str:
    """The form by which an address is found. Raises ``AddressError``."""
    local, _, domain = kept(address).rpartition("@")
    return f"{_lower(local)}@{_ascii_domain(domain)}"


def _lower(text: str) -> str:
    """Lower case in NFC. A few letters fall apart when made small: once more settles them."""
    for _ in range(3):
        small = unicodedata.normalize("NFC", text.lower())
        if small == text:
            break
        text = small
    return text


def _ascii_domain(domain: str) -> str:
    bare = domain.lower().removesuffix(".") if domain.isascii() else domain
    if not bare or bare.startswith(".") or ".." in bare or bare.endswith("."):
        raise AddressError("the part after the @ is no domain")
    if bare.isascii():
        return bare
    try:
        return idna.encode(bare, uts46=True, transitional=False).decode().lower().removesuffix(".")
    except (idna.IDNAError, UnicodeError):
        raise AddressError("the part after the @ is no domain") from None
