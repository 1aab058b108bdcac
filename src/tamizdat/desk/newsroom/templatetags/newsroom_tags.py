# SPDX-License-Identifier: AGPL-3.0-or-later
"""Words for templates of the desk."""

from __future__ import annotations

from django import template
from django.conf import settings

register = template.Library()


@register.simple_tag
def newsroom_name() -> str:
    name: str = settings.NEWSROOM.settings.name
    return name
