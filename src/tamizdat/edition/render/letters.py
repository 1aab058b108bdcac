# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pages with a form that readers send to a letterbox.

What always holds: the form works without script (an ordinary form to the first drop) and with it
(``forms.js`` seals it in the browser and tries the drops in turn); its words are in the page.

What is not done here: what becomes of a letter (``tamizdat.drop``).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import msgspec
from markupsafe import Markup, escape

from tamizdat.edition.paths import url, write_path
from tamizdat.edition.render.furniture import Tongue
from tamizdat.edition.render.templates import environment

_FALLBACK = "en"
_WITHOUT_SCRIPT = ("button", "trap", "without")


@cache
def words(language: str) -> Mapping[str, Mapping[str, str]]:
    """``form``: what every form says; ``write``: the page for writing to the desk."""
    folder = resources.files("tamizdat.theme") / "locales" / "letters"
    for code in (language, language.partition("-")[0], _FALLBACK):
        if (file := folder / f"{code}.json").is_file():
            return msgspec.json.decode(file.read_bytes(), type=dict[str, dict[str, str]])
    raise AssertionError("the theme has no English words for letters")


def form_words(language: str, **own: str) -> dict[str, Any]:
    """What ``_letter.html`` needs to say; ``own`` are words of one form: ``done``, ``done_text``
    and ``again``. ``json`` is what the script says."""
    said = dict(words(language)["form"])
    plain = {name: said.pop(name) for name in _WITHOUT_SCRIPT}
    return {**plain, "json": msgspec.json.encode({**said, **own}).decode()}


def write(tongue: Tongue) -> bytes:
    """The page on which readers write to the desk."""
    said, site = words(tongue.code)["write"], tongue.site
    done = {name: said[name] for name in ("done", "done_text", "again")}
    paths = {language.code: write_path(language.code) for language in site.languages}
    return (
        environment.get_template("write.html")
        .render(
            f=tongue.furniture("letter"),
            said=said,
            title=f"{said['title']} · {tongue.language.name}",
            description=said["lead"],
            canonical=site.address + url(write_path(tongue.code)),
            alternates=(),
            feeds=(),
            linked_data="",
            languages=tongue.language_links(paths),
            letters=site.letters,
            language=tongue.code,
            words=form_words(tongue.code, **done),
            elsewhere=elsewhere(tongue, said),
            mail=_mail(site.contact, said["mail"]) if site.contact else "",
        )
        .encode()
    )


def elsewhere(tongue: Tongue, said: Mapping[str, str], kind: str = "message") -> Markup:
    """Where a page's form does not work (a reader without forms, an old copy), a drop has one."""
    address = f"{tongue.site.letters.drops[0]}/v1/{kind}?language={tongue.code}"
    link = Markup('<a href="{}" rel="external noopener noreferrer">{}</a>').format(
        address, said["elsewhere_link"]
    )
    return Markup(escape(said["elsewhere"]).replace("{link}", link))  # noqa: S704 - escaped.


def _mail(contact: str, said: str) -> Markup:
    link = Markup('<a href="mailto:{0}"><bdi>{0}</bdi></a>').format(contact)
    return Markup(escape(said).replace("{address}", link))  # noqa: S704 - escaped.
