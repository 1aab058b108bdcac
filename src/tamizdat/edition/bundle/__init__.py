# SPDX-License-Identifier: AGPL-3.0-or-later
"""Bundles: the latest stories as one file to be passed on, and its check.

The format, and what each form proves, is in docs/format/bundle.md.
"""

from tamizdat.edition.bundle.check import Report, check
from tamizdat.edition.bundle.errors import BundleError, NothingError
from tamizdat.edition.bundle.press import Limits, Printed, print_bundles

__all__ = ["BundleError", "Limits", "NothingError", "Printed", "Report", "check", "print_bundles"]
