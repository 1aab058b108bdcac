# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is wrong with a drop, in words that say what to do."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import urllib3


def of_trouble(error: BaseException) -> str:
    """What it is and what to do. What lies behind a failed connection is told apart; else it is the
    error's own sentence."""
    # It may quote what a stranger's machine answered.
    said = "".join(c for c in str(error) if c.isprintable())
    subject = said.partition(" cannot be reached")[0]
    for cause in reversed(list(_causes(error))):  # The innermost knows best.
        found = _of_cause(cause)
        if found:
            return f"{subject} {found}"
    return said if said.endswith((".", "”")) else f"{said}."


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from, outermost first."""
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__cause__ or found.__context__


def _of_cause(cause: BaseException) -> str:
    match cause:
        case ssl.SSLCertVerificationError():
            why = cause.verify_message or "it is not trusted"
            return (
                f"shows a certificate that is not good ({why}): somebody may stand between, or it "
                f"was not renewed. Nothing was sent to it."
            )
        case urllib3.exceptions.NameResolutionError():
            return "is unknown: no machine has this name. Is the url in tamizdat.toml right?"
        case TimeoutError() | urllib3.exceptions.TimeoutError():
            return "does not answer. Does it run, and can this machine reach it?"
        case ConnectionRefusedError():
            return "does not run: its machine answers, the drop there does not. Start it again."
        case ssl.SSLError() | urllib3.exceptions.SSLError():
            return "does not speak TLS as it should. Is the url in tamizdat.toml right?"
        case ConnectionError() | urllib3.exceptions.ProtocolError():
            return "broke off in the middle. It is asked again."
    return ""
