# SPDX-License-Identifier: AGPL-3.0-or-later
"""The demo's mail: newsletters whose issues lie in an outbox on this machine, and nowhere else.

What always holds: the demo's only relay keeps mails in ``run/outbox``; nothing leaves.
"""

from __future__ import annotations

import email.policy
import re
from collections.abc import Iterator
from email.parser import BytesParser
from pathlib import Path
from typing import Final, NamedTuple

from tamizdat.cli.demo_check import CheckError
from tamizdat.config import Newsroom

RELAY: Final = "outbox"
SENDER: Final = "letters@meridian.example"
TABLES: Final = f"""
[mail]
sender = "{SENDER}"

[[relays]]
name = "{RELAY}"
kind = "outbox"
"""


class Issues(NamedTuple):
    """How many issues were sent, and how many of their mails lie in the outbox."""

    issues: int
    mails: int


def with_outbox(newsroom: Newsroom) -> Newsroom:
    """The newsroom with its outbox in the settings."""
    if newsroom.settings.relays:
        return newsroom
    text = newsroom.settings_file.read_text().rstrip()
    newsroom.settings_file.write_text(f"{text}\n{TABLES}")
    return Newsroom(newsroom.folder)


def count(newsroom: Newsroom) -> Issues:
    """Django must be ready."""
    from tamizdat.desk.demo.newsletters import count_issues

    return Issues(count_issues(), len(list(_of_issues(newsroom))))


def _of_issues(newsroom: Newsroom) -> Iterator[Path]:
    """The mails of issues in the outbox: those that one can unsubscribe from. Oldest first."""
    from tamizdat.desk.outgoing.relay_outbox import folder_of

    for path in sorted(folder_of(newsroom).glob("*.eml")):
        if b"\nList-Unsubscribe:" in path.read_bytes()[:16_384]:
            yield path


def check_mails(newsroom: Newsroom) -> None:
    """Each issue is there, to be read and to be left. Raises ``CheckError``."""
    from tamizdat.desk.newsletter.models import Delivery

    sent = Delivery.objects.filter(issue__number=1, state="sent").count()
    mails = list(_of_issues(newsroom))
    if not sent or len(mails) < sent:
        raise CheckError(f"{sent} mails of issues were sent, and {len(mails)} lie in the outbox")
    message = BytesParser(policy=email.policy.default).parsebytes(mails[0].read_bytes())
    parts = [message.get_body((kind,)) for kind in ("html", "plain")]
    link = re.search(r"<(https?://[^>]+)>", str(message["List-Unsubscribe"]))
    if not all(parts) or not link:
        raise CheckError(f"{mails[0].name} in the outbox is no whole mail of an issue")
