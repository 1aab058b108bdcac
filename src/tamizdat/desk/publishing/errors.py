# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can go wrong on the way from an article to the paper.

::

    PublishingError            the message says what to do; nothing was changed
    ├── FourEyesError          one person alone wrote it and wants to publish it
    ├── NotReadyError          something that readers need is missing; lists what
    ├── AddressTakenError      another story lives, or lived, at this address
    └── NothingPublishedError  the story was never published, or is withdrawn already

None of them is helped by trying the same again: somebody has to do what the message says.
"""

from __future__ import annotations

from collections.abc import Sequence


class PublishingError(Exception):
    """The action was refused; its message is written for the editor who asked for it."""

    permanent = True


class FourEyesError(PublishingError):
    """Whoever last changed the text cannot publish it alone."""


class NotReadyError(PublishingError):
    """Something that readers need is missing. ``problems`` are sentences, in order."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(self.problems))


class AddressTakenError(PublishingError):
    """Another story lives, or lived, at this address."""


class NothingPublishedError(PublishingError):
    """There is no published version to act on."""
