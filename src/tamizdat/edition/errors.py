# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can go wrong in an edition.

::

    EditionError
    ├── StoryError       a story cannot be read or rendered; names the story and the block
    ├── SiteError        the site's configuration contradicts itself
    ├── BusyError        another builder holds the edition (not permanent)
    └── StoreError       the folder is damaged or cannot be written

``permanent`` says whether trying the same again can help.
"""


class EditionError(Exception):
    permanent = True


class StoryError(EditionError):
    """A story cannot be read or rendered."""


class SiteError(EditionError):
    """The site's configuration contradicts itself."""


class BusyError(EditionError):
    """Another builder holds the edition: wait for it and try again."""

    permanent = False


class StoreError(EditionError):
    """The edition's folder is damaged or cannot be written."""
