# SPDX-License-Identifier: AGPL-3.0-or-later
"""The theme's templates, compiled once; every value is escaped.

What always holds: what is not ``Markup`` is escaped, and a name that a template uses and is not
given is an error. Jinja's own ``escape`` makes a ``Markup`` of every value only to join it a
moment later; ours gives plain text, which halves the time of a page. Templates know no global
names but those they are given.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.runtime import Context
from markupsafe import Markup
from markupsafe import escape as careful_escape


def escaped(value: object) -> str:
    """The value as HTML: ``Markup`` as it is, all else escaped."""
    if type(value) is Markup:
        return value
    if type(value) is str:
        # Most words have none of these: asking is quicker than replacing.
        if "&" in value or "<" in value or ">" in value or '"' in value or "'" in value:
            return html.escape(value)
        return value
    return str(value) if type(value) is int else careful_escape(value)


class _Generator(CodeGenerator):
    """Writes calls of our ``escaped`` where Jinja would write calls of its ``escape``."""

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if frame.eval_ctx.volatile or not frame.eval_ctx.autoescape or finalize.src is not None:
            super()._output_child_pre(node, frame, finalize)
        else:
            self.write("escaped(")


class _Environment(jinja2.Environment):
    code_generator_class = _Generator
    escaped = staticmethod(escaped)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._found: dict[str, jinja2.Template] = {}

    def get_template(
        self, name: str | jinja2.Template, parent: str | None = None, globals: Any = None
    ) -> jinja2.Template:
        """As Jinja's, but quick at what pages ask for each time: the same few templates."""
        if not isinstance(name, str):
            return name
        found = self._found.get(name)
        if found is None:
            found = self._found[name] = super().get_template(name)
        return found

    def _generate(
        self,
        source: nodes.Template,
        name: str | None,
        filename: str | None,
        defer_init: bool = False,
    ) -> str:
        code = super()._generate(source, name, filename, defer_init)
        return f"escaped = environment.escaped\n{code}"  # A name at hand; each page asks often.

    def getattr(self, obj: Any, attribute: str) -> Any:
        """As Jinja's, but a dictionary is first asked for its item, not for its methods."""
        if type(obj) is dict and attribute in obj:
            return obj[attribute]
        try:
            return getattr(obj, attribute)
        except AttributeError:
            return super().getattr(obj, attribute)


environment = _Environment(
    loader=jinja2.PackageLoader("tamizdat.theme"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    auto_reload=False,
)
environment.globals.clear()


def render(template: jinja2.Template, values: dict[str, Any]) -> bytes:
    """The page as UTF-8; ``values`` are all that the template knows, and are not copied."""
    context = Context(environment, values, template.name, template.blocks)
    return "".join(template.root_render_func(context)).encode()


def macro(template: str, name: str) -> Callable[..., str]:
    """A template's macro as a plain function of all of its arguments, in their order. Jinja's own
    way of calling one matches arguments first, and costs as much as a line of a list itself."""
    found: jinja2.runtime.Macro = getattr(environment.get_template(template).module, name)
    function: Callable[..., str] = found._func
    return function


def part(template: str, name: str) -> Callable[[Mapping[str, Any]], str]:
    """The same of a macro with many arguments: it finds them by their names."""
    found: jinja2.runtime.Macro = getattr(environment.get_template(template).module, name)
    function, pick = found._func, itemgetter(*found.arguments)
    return lambda values: function(*pick(values))


def trusted(markup: str) -> Markup:
    """``Markup`` of what is escaped or cleaned already, without asking what it is."""
    return str.__new__(Markup, markup)
