# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can go wrong with a bundle.

::

    EditionError
    └── BundleError       a bundle cannot be made, or a file is none
        └── NothingError  there is no story to put into it
"""

from __future__ import annotations

from tamizdat.edition.errors import EditionError


class BundleError(EditionError):
    pass


class NothingError(BundleError):
    permanent = False
