# SPDX-License-Identifier: AGPL-3.0-or-later
"""Templates: MJML made into HTML once a process, with its fields still open, then filled in.

What always holds: MJML never sees what a newsroom wrote; Jinja escapes everything that is put in,
but for ``Markup``, of which the callers say why.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import css_inline
import mrml
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from tamizdat.mail.layout.addresses import ADDRESS_IN_TEXT, address
from tamizdat.mail.layout.look import Look


def html(name: str, look: Look, values: Mapping[str, Any]) -> str:
    """The document of an MJML template, its styles set into its elements."""
    filled = _mjml(name).render(look=look, **values)
    inliner = css_inline.CSSInliner(
        inline_style_tags=False,
        keep_style_tags=True,
        load_remote_stylesheets=False,
        extra_css=look.inlined,
    )
    return _without_blank_lines(inliner.inline(filled))


def fragment(name: str, values: Mapping[str, Any]) -> str:
    """A template of plain HTML, as it is."""
    return _environment().get_template(f"{name}.html").render(**values)


def linked(text: str) -> Markup:
    """Plain text with the addresses in it as links, of the web and of mail."""
    return Markup("").join(
        _link(part) if at % 2 else escape(part)
        for at, part in enumerate(ADDRESS_IN_TEXT.split(text))
    )


def _link(found: str) -> Markup:
    href = found if found.startswith("http") and "://" in found else f"mailto:{found}"
    return Markup('<a class="far" href="{}">{}</a>').format(href, found)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("tamizdat.mail.layout"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["linked"] = linked
    made.filters["address"] = address
    return made


@cache
def _mjml(name: str) -> Template:
    folder = resources.files("tamizdat.mail.layout") / "templates"
    source = (folder / f"{name}.mjml").read_text("utf-8").partition("\n")[2]
    return _environment().from_string(mrml.to_html(source).content)


def _without_blank_lines(document: str) -> str:
    return "\n".join(line for line in document.splitlines() if line.strip()) + "\n"
