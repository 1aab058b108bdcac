# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a refusal means: whose fault it is, and whether the address is worth writing to again.

What always holds:

- Judging is a pure function of a status (RFC 3463, RFC 5321) and words; the same answer is judged
  alike, whether it came while sending or in a report days later.
- A refusal for our sake (reputation, signatures, a message too large) is ``POLICY``: it says
  nothing about the reader. In doubt a refusal is ``SOFT``: one of them changes nothing.

What is not done here: acting upon it (the desk's ``outgoing.suppression``).
"""

from __future__ import annotations

import re
from enum import StrEnum

_ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.]*\d)")
_BASIC = re.compile(r"(?<![\d.])([45]\d\d)(?=[ \-:;,)#]|$)")

# Words of large receivers and of common servers for "there is nobody of this name". They weigh
# more than the status: some send 5.7.1 or a bare 550 with them.
_NOBODY = re.compile(
    r"no such (?:user|recipient|mailbox|person|account)|user (?:is )?(?:unknown|not found)"
    r"|unknown (?:user|recipient|local part|address)|unrouteable address|invalid mailbox"
    r"|(?:recipient|address|mailbox|account|user)(?: address)? (?:rejected: user unknown"
    r"|does not exist|doesn't exist|not found|unknown)"
    r"|no mailbox (?:here )?by that name|doesn't have an? \S{1,60} account"
    r"|not a valid (?:user|mailbox)"
    r"|mailbox (?:unavailable|is disabled)|account (?:is |has been )?(?:disabled|closed|deleted)"
    r"|host or domain name not found|domain (?:does not exist|not found)",
    re.IGNORECASE,
)
_FULL = re.compile(
    r"over ?quota|quota exceeded|mailbox (?:is )?full|storage (?:space|limit)|too busy",
    re.IGNORECASE,
)
_POLICY = re.compile(
    r"\bspam\b|unsolicited|block(?:ed|list)|black ?list|\brbl\b|reputation|policy|dmarc|\bspf\b"
    r"|\bdkim\b|unauthenticated|not authenticated|rate limit|authentication"
    r"|message (?:is )?too (?:large|big)"
    r"|size (?:limit )?exceed|virus|content rejected|reverse dns|\bptr\b|helo",
    re.IGNORECASE,
)


class Kind(StrEnum):
    """What came back. Only ``HARD``, ``SOFT`` and ``COMPLAINT`` are about the reader."""

    HARD = "hard"
    SOFT = "soft"
    COMPLAINT = "complaint"
    DELAYED = "delayed"
    AUTO = "auto"
    POLICY = "policy"
    UNKNOWN = "unknown"


def status_in(*texts: str) -> str:
    """The status that stands in the first text with one: ``5.1.1``, else ``550``; else empty."""
    for pattern in (_ENHANCED, _BASIC):
        for text in texts:
            if found := pattern.search(text):
                return found[0]
    return ""


def judge(code: str, said: str) -> Kind:
    """What a refusal with this status and these words means: hard, soft or policy.

    ``code`` may be basic (``550``), enhanced (``5.1.1``), both, or empty: then it is looked for in
    the words. Delivery that was given up after days (4.x.x) is soft.
    """
    status = status_in(code) if "." in code else (status_in(said) or status_in(code))
    if status.startswith("4"):
        return Kind.SOFT
    if _FULL.search(said):
        return Kind.SOFT
    if _NOBODY.search(said):
        return Kind.HARD
    return _of_status(status, said)


def _of_status(status: str, said: str) -> Kind:
    _, _, rest = status.partition(".")
    subject, _, detail = rest.partition(".")
    if rest:
        if subject == "1":
            return {"0": Kind.SOFT, "7": Kind.POLICY, "8": Kind.POLICY}.get(detail, Kind.HARD)
        if (subject, detail) == ("2", "1"):
            return Kind.HARD
        if subject in ("5", "6", "7") or (subject, detail) in (("2", "3"), ("3", "4")):
            return Kind.POLICY
    return Kind.POLICY if _POLICY.search(said) else Kind.SOFT
