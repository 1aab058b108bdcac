# SPDX-License-Identifier: AGPL-3.0-or-later
"""The short mails to subscribers, in words of the reader's language (``words/``).

What is not done here: filling them in (``outgoing.notices``), sending (``outgoing.lanes``).
"""

from __future__ import annotations

from collections.abc import Iterable

from tamizdat.desk.newsletter.models import Newsletter
from tamizdat.desk.outgoing import notices
from tamizdat.desk.outgoing.notices import (
    FALLBACK,
    Words,
    paper_name,
    policy_address,
    policy_versions,
)
from tamizdat.mail.content import Notice

__all__ = ["FALLBACK", "notice", "paper_name", "policy_address", "policy_versions", "words"]
APP = "tamizdat.desk.newsletter"


def words(language: str) -> Words:
    """The words of a language; English where there are none."""
    return notices.words(APP, language)


def notice(
    kind: str,
    language: str,
    *,
    url: str = "",
    newsletters: Iterable[Newsletter] = (),
    privacy: int = 0,
    days: int = 0,
) -> Notice:
    """The mail of a kind: ``confirm``, ``known``, ``move``, ``moved``, ``export``, ``erased``."""
    titles = words(language)["list"].join(one.title for one in newsletters)
    return notices.notice(
        APP, kind, language, url=url, privacy=privacy, titles=titles, days=str(days)
    )
