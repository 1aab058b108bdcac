# SPDX-License-Identifier: AGPL-3.0-or-later
"""From stories and lists to the bytes that readers get.

What always holds: a pure function of what it is given and of the site's configuration: no clock,
no files but the theme's own, no network. The same input gives the same bytes in every process.

What is not done here: choosing what stands on which page, and writing it.
"""

from tamizdat.edition.render.renderer import PageRenderer

__all__ = ["PageRenderer"]
