# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can go wrong in the newsroom.

::

    NewsroomError
    ├── FileError        a file cannot be taken; says why and what to do
    │   └── PhotoError   the same of a picture
    └── ActionError      an action is not possible now; says why and what to do

Messages are for editors: plain words, no codes.
"""


class NewsroomError(Exception):
    permanent = True


class FileError(NewsroomError):
    """A file cannot be taken in."""


class PhotoError(FileError):
    """A picture cannot be taken in."""


class ActionError(NewsroomError):
    """An action is not possible in this state."""
