# SPDX-License-Identifier: AGPL-3.0-or-later
"""The box under articles that says what comes by mail.

What always holds: it depends on what a newsletter is, never on its issues, so that sending one
changes no article; it is made once a language, has no form and asks for no file.
"""

from __future__ import annotations

from functools import lru_cache

from markupsafe import Markup

from tamizdat.edition.paths import listing_path, newsletters_path
from tamizdat.edition.render.furniture import Tongue
from tamizdat.edition.render.templates import environment, trusted

_BOX = environment.get_template("_newsletters.html")


@lru_cache(maxsize=64)
def box(tongue: Tongue) -> Markup:
    """What readers of an article see of newsletters; nothing where they cannot sign up."""
    letters = tongue.newsletters
    if not letters:
        return Markup("")
    html = _BOX.render(
        t=tongue.words.plain,
        letters=[(n, listing_path("newsletter", tongue.code, n.slug)) for n in letters],
        all=newsletters_path(tongue.code),
    )
    return trusted(html)  # Escaped by Jinja.
