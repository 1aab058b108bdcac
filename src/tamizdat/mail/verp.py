# SPDX-License-Identifier: AGPL-3.0-or-later
"""Envelope senders that say which mail came back (variable envelope return paths).

What always holds: the local part is ``bounces+`` and 48 letters and digits, at most 64 octets
(RFC 5321, 4.5.3.1.1), and means the same in capitals: some servers on the way fold the case. What
the token says, and whether it is genuine, is its maker's affair.
"""

from __future__ import annotations

import base64
import binascii
import re

from tamizdat.mail.content import TOKEN_LENGTH
from tamizdat.mail.errors import MessageError

_PREFIX = "bounces+"
_FOLDED = re.compile(r"[+=]([a-z2-7]{48})(?![a-z0-9])", re.IGNORECASE)
_PLAIN = re.compile(rf"[+=]([A-Za-z0-9_-]{{{TOKEN_LENGTH}}})(?![A-Za-z0-9_-])")


def verp(token: str, domain: str) -> str:
    """The envelope sender for a mail, from a token of ``TOKEN_LENGTH`` characters (base64url) and
    the domain whose mail comes back to us. Raises ``MessageError``."""
    try:
        raw = base64.b64decode(token, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise MessageError("A return path needs a token.") from error
    if len(token) != TOKEN_LENGTH:
        raise MessageError("A return path needs a token.")
    return f"{_PREFIX}{base64.b32encode(raw).decode().lower()}@{domain}"


def unverp(text: str) -> list[str]:
    """The tokens in an address, or in a text with such addresses in it; written as ``verp`` does,
    or as they are (``bounces+TOKEN@…``)."""
    folded = (base64.b32decode(found.upper()) for found in _FOLDED.findall(text))
    return [*(base64.urlsafe_b64encode(raw).decode() for raw in folded), *_PLAIN.findall(text)]
