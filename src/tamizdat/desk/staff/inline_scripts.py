# SPDX-License-Identifier: AGPL-3.0-or-later
"""Lets Wagtail's choosers run under a policy without ``unsafe-inline``.

Its other inline scripts are in templates, of which ours (``templates/wagtailadmin``) carry the
nonce; this one is written by a method.
"""

from __future__ import annotations

from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from wagtail.admin.widgets.chooser import BaseChooser

from tamizdat.desk.security import nonce


def of_choosers() -> None:
    """Wagtail has no setting for it: the method is replaced by one that does the same."""
    BaseChooser.render = _render


def _render(
    self: Any, name: str, value: Any, attrs: dict[str, Any], renderer: Any = None
) -> SafeString:
    data = self.get_value_data(value)
    script = self.render_js_init(attrs["id"], name, data)
    return format_html(
        '{}<script nonce="{}">{}</script>',
        self.render_html(name, data, attrs),
        nonce(),
        # Wagtail's own code with its own addresses, as JSON.
        mark_safe(script),  # noqa: S308
    )
