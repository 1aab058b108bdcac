# SPDX-License-Identifier: AGPL-3.0-or-later
"""The register of purposes: what readers' addresses are used for, and nothing else.

What always holds: no consent is recorded for a purpose that is not here. An app that needs another
one registers it in its ``AppConfig.ready``; the newsroom's privacy policy has to name it first.
"""

from __future__ import annotations

from typing import NamedTuple

from tamizdat.desk.readers.errors import ConsentError


class Purpose(NamedTuple):
    """``words`` say to a person what for; ``basis`` names what allows it; ``subjects``: whether a
    consent names which one, as a newsletter's slug."""

    name: str
    words: str
    basis: str
    subjects: bool = False


PURPOSES: dict[str, Purpose] = {}


def register(purpose: Purpose) -> None:
    """Add a purpose. Registering the same one again changes nothing."""
    known = PURPOSES.setdefault(purpose.name, purpose)
    if known != purpose:
        raise ConsentError(f"the purpose “{purpose.name}” is registered with other words")


def purpose_of(name: str, subject: str) -> Purpose:
    """A registered purpose. Raises ``ConsentError``."""
    purpose = PURPOSES.get(name)
    if purpose is None:
        raise ConsentError(f"“{name}” is not in the register of purposes")
    if purpose.subjects != bool(subject):
        raise ConsentError(
            f"a consent to “{name}” names {'which one' if purpose.subjects else 'no subject'}"
        )
    return purpose


register(
    Purpose(
        "newsletter", "to send a newsletter by mail", "consent, GDPR Art. 6(1)(a)", subjects=True
    )
)
register(Purpose("reminder", "to send one reminder by mail", "consent, GDPR Art. 6(1)(a)"))
