# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can go wrong with mail on its way out, and with the links in it.

::

    OutgoingError
    ├── LinkError            a link from a mail cannot be followed
    │   ├── MalformedLinkError   it is not whole
    │   ├── ForgedLinkError      we never made it, or its key is gone
    │   └── OldLinkError         its time is over
    ├── LaneError            a single mail cannot be taken in
    └── SuppressionError     a reader cannot be written to again so

``permanent`` says whether trying the same again can help.
"""

from __future__ import annotations


class OutgoingError(Exception):
    permanent = True


class LinkError(OutgoingError):
    """A link from a mail cannot be followed."""


class MalformedLinkError(LinkError):
    """The link is not whole."""


class ForgedLinkError(LinkError):
    """We never made this link, or the key that made it is gone."""


class OldLinkError(LinkError):
    """The time of this link is over."""


class LaneError(OutgoingError):
    """A single mail cannot be taken in."""


class SuppressionError(OutgoingError):
    """A reader cannot be written to again in this way."""
