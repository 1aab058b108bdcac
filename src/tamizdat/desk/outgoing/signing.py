# SPDX-License-Identifier: AGPL-3.0-or-later
"""The DKIM keys of the settings."""

from __future__ import annotations

from tamizdat.config import Newsroom
from tamizdat.mail.dkim import Key, Signer
from tamizdat.mail.errors import SigningError


def signer_of(newsroom: Newsroom) -> Signer | None:
    """With all keys of the settings; None where there are none. Raises ``SigningError``."""
    keys = []
    for one in newsroom.settings.mail.dkim:
        try:
            pem = (newsroom.secrets / one.key).read_bytes()
        except OSError as error:
            raise SigningError(
                f"The DKIM key {newsroom.secrets / one.key} cannot be read: {error.strerror}."
            ) from error
        keys.append(Key.load(one.domain, one.selector, pem))
    return Signer(keys) if keys else None
