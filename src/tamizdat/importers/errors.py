# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can go wrong when stories come in.

::

    ImportingError
    ├── UnknownFormatError   nobody here can read this; says which formats there are
    ├── DamagedError         the source cannot be read as what it says it is; says where
    └── RefusedError         the source asks for what no story needs (entities, depth); says what

A single damaged item is no error: the importer yields it as ``Left`` and goes on.
"""


class ImportingError(Exception):
    """``permanent``: trying the same file again cannot help."""

    permanent = True


class UnknownFormatError(ImportingError):
    """The format of the source cannot be told."""


class DamagedError(ImportingError):
    """The source cannot be read as its format."""


class RefusedError(ImportingError):
    """The source holds something that is refused for safety."""
