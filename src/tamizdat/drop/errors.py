# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can go wrong with a submission and with the drop.

::

    DropError
    ├── SubmissionError      it is not what docs/format/submission-v1.md says
    │   ├── UnknownKindError     of a kind or version that nobody here knows
    │   └── FieldError           one of its fields; ``field`` names it
    ├── SealError            it cannot be opened: altered, cut off, or sealed to somebody else
    ├── TooLargeError        larger than a submission may be
    ├── FullError            the letterbox holds all that it may (not permanent)
    ├── BatchError           a batch's name or one of its slots makes no sense
    ├── LetterboxError       a drop cannot be collected from; ``permanent`` where it refuses us
    └── DropSettingsError    the drop's folder or settings cannot be used

``permanent`` says whether trying the same again can help.
"""

from __future__ import annotations


class DropError(Exception):
    permanent = True


class SubmissionError(DropError):
    """It is not what the specification says."""


class UnknownKindError(SubmissionError):
    """Of a kind or version that nobody here knows."""


class FieldError(SubmissionError):
    """One field is missing or beyond its limits."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class SealError(DropError):
    """It cannot be opened."""


class TooLargeError(DropError):
    """Larger than a submission may be."""


class FullError(DropError):
    """The letterbox holds all that it may."""

    permanent = False


class BatchError(DropError):
    """A batch's name or one of its slots makes no sense."""


class LetterboxError(DropError):
    """A drop cannot be collected from now; ``permanent`` where it refuses who asks."""

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent


class DropSettingsError(DropError):
    """The drop's folder or settings cannot be used."""
